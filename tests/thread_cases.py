"""The parallel loops, for a tool that looks for races: ``python thread_cases.py``, see tools/sanitize.sh.

Every call shares its work out over more threads than the machine may have: whole planes, parts of one large plane with
one histogram, and parts of few. The results are compared with the slow reference, computed before the first call.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import reference
from lists import SPACES

import cheq

THREADS = (2, 3, 7)
CALLERS = 4

# Large enough to be cut into parts (cheq/_core/work.pyx: DIVISIBLE), no larger, as the tool and the reference are slow.
SHAPES = {
    "one large plane": ((401, 503), {}),
    "two large planes": ((2, 307, 401), {}),
    "one histogram for all": ((5, 203, 199), {"axes": (0, 1, 2)}),
    "many small planes": ((601, 17, 23), {}),
    "planes in parts and whole": ((9, 151, 149), {}),
    "NCHW": ((5, 3, 101, 103), {}),
    "NHWC": ((5, 101, 103, 3), {"channel_axis": -1}),
    "one HWC picture": ((301, 203, 4), {"channel_axis": -1}),
}


def integer_cases():
    """What is checked, the call with a number of threads, and the expected result."""
    for seed, (name, (shape, where)) in enumerate(SHAPES.items()):
        random = np.random.default_rng(seed)
        for dtype, top in ((np.uint8, 200), (np.uint16, 5000)):
            images = random.integers(0, top, shape, dtype)
            masks = {"": None, ", masked": random.random(shape) < 0.6}
            for masked, mask in masks.items():
                label = f"{name}, {np.dtype(dtype)}{masked}"
                yield label, cheq.equalize, reference.equalize, (images,), where | {"mask": mask}
                yield label, cheq.histogram, reference.histogram, (images,), where | {"mask": mask}
                own = images[..., ::-1, :] if images.ndim < 4 else images[:1]
                matched = where | {"mask": mask, "dtype": "same"}
                yield label, cheq.match_histograms, reference.match_histograms, (images, own), matched
                if "axes" not in where and images[0].size > 1000:
                    options = where | {"mask": mask, "clip_limit": 2.0, "tile_grid_size": (7, 5)}
                    yield label, cheq.clahe, reference.clahe, (images,), options
            lut = random.permutation(np.iinfo(dtype).max + 1).astype(dtype)
            yield label, cheq.apply_lut, reference.apply_lut, (images, lut), where


def other_cases():
    random = np.random.default_rng(1)
    for shape in ((401, 503), (2, 307, 401), (61, 67, 73)):
        for dtype in (np.float32, np.float64):
            images = random.random(shape).astype(dtype)
            for method in ("skimage", "numpy"):
                label = f"{shape}, {np.dtype(dtype)}, {method}"
                yield label, cheq.equalize, reference.equalize, (images,), {"method": method, "axes": (-2, -1)}
            for own in (images, images[..., :31, ::2]):
                arguments, options = (images, own), {"axes": (-2, -1)}
                yield (
                    f"{shape}, {np.dtype(dtype)}",
                    cheq.match_histograms,
                    reference.match_histograms,
                    arguments,
                    options,
                )
    for shape in ((401, 503, 3), (31, 97, 89, 3)):
        images = random.integers(0, 200, shape, np.uint8)
        yield f"{shape}", cheq.rgb_to_gray, reference.rgb_to_gray, (images,), {}
        for space in SPACES:
            options = {"channel_axis": -1, "color": space}
            yield f"{shape}, {space}", cheq.equalize, reference.equalize, (images,), options
            arguments = images, images[..., ::2, 5:, :]
            yield f"{shape}, {space}", cheq.match_histograms, reference.match_histograms, arguments, options


def check(cases):
    for label, call, _, arguments, options, expected in cases:
        for number in THREADS:
            result = call(*arguments, **options, num_threads=number)
            np.testing.assert_array_equal(result, expected, f"{call.__name__}: {label}, {number} threads", strict=True)


def main():
    cases = [(*case, case[2](*case[3], **case[4])) for case in (*integer_cases(), *other_cases())]
    check(cases)
    with ThreadPoolExecutor(CALLERS) as pool:
        for finished in [pool.submit(check, cases[i::CALLERS]) for i in range(CALLERS)]:
            finished.result()
    print(f"{len(cases)} calls, each on {THREADS} threads, from one caller and from {CALLERS} at once")


if __name__ == "__main__":
    main()
