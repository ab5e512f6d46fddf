"""What the tests of matching share: scikit-image's answers, and the checks of what cheq writes."""

import numpy as np
import reference
import skimage.exposure
from pixel_tools import assert_bits

import cheq

DTYPES = reference.MATCH_DTYPES
INTEGERS, FLOATS = DTYPES[:4], DTYPES[4:]


def matched(image, wanted, counted=None, wanted_counted=None):
    """What scikit-image gives for one plane; with masks, for the counted pixels alone."""
    pixels = image.ravel() if counted is None else image[counted]
    wanted = wanted.ravel() if wanted_counted is None else wanted[wanted_counted]
    with np.errstate(all="ignore"):
        result = skimage.exposure.match_histograms(pixels, wanted)
    return result.reshape(image.shape) if counted is None else result


def matched_planes(images, wanted):
    """The same for every plane of the last two axes; those of the reference broadcast."""
    batch = images.shape[:-2]
    wanted = np.broadcast_to(wanted, (*batch, *wanted.shape[-2:]))
    return np.stack([matched(images[at], wanted[at]) for at in np.ndindex(batch)]).reshape(images.shape)


def nearest(values, dtype):
    """scikit-image's floats as what ``dtype="same"`` gives."""
    return np.rint(values).astype(dtype) if dtype in INTEGERS else values


def check(images, wanted, expected, **options):
    """Demand these bytes in a new array, in another, and, where the dtype allows it, in place."""
    assert_bits(cheq.match_histograms(images, wanted, **options), expected)
    out = np.flip(np.full(expected.shape, 77, expected.dtype))
    assert cheq.match_histograms(images, wanted, **options, out=out) is out
    assert_bits(out, expected)
    if images.dtype == expected.dtype:
        place = images.copy()
        assert cheq.match_histograms(place, wanted, **options, out=place) is place
        assert_bits(place, expected)
