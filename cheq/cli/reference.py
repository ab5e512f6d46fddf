"""The picture or array whose histogram the others get: the one that --match names, or the first of a run."""

from collections.abc import Callable, Sequence
from pathlib import Path

from cheq.cli.arrays import first_image
from cheq.cli.masks import Mask
from cheq.cli.pixels import Choice, Equalizer
from cheq.cli.plan import Job
from cheq.cli.settings import UsageError, in_options
from cheq.pictures import Pixels, arrays, formats
from cheq.pictures.files import describe
from cheq.pictures.picture import refuse_bomb


def added(equalizer: Equalizer, jobs: Sequence[Job], mask_of: Callable[[Path], Mask | None]) -> tuple[Equalizer, Path]:
    """Return an equalizer that has the reference which its settings ask for, if they do, and where that was read.

    Parameters
    ----------
    equalizer : Equalizer
        Without a reference.
    jobs : sequence of Job
        All files of the run.
    mask_of : callable
        Finds the mask of a file: the first one has its own. That of --match is no input, so it has none.

    Raises
    ------
    UsageError
        If it cannot be read, or cannot be matched to; nothing has been written then.
    """
    settings = equalizer.settings
    if settings.match is not None:
        path, name = Path(settings.match), f"--match '{settings.match}'"
    elif settings.match_first and jobs:
        path, name = jobs[0].source, f"--match-first: {jobs[0].source}"
    else:
        return equalizer, Path()
    if not path.is_file():
        raise UsageError(f"{name} is no file that exists")
    try:
        mask = None if settings.match is not None else mask_of(jobs[0].name)
        read = _of_array if path.suffix.lower() in arrays.EXTENSIONS else _of_picture
        return equalizer.with_reference(*read(path, equalizer, mask)), path
    except Exception as error:  # damaged files make the libraries raise nearly anything
        raise UsageError(f"{name}: {in_options(describe(error, path))}") from None


def _of_picture(path: Path, equalizer: Equalizer, mask: Mask | None) -> tuple[Pixels, int | None, Choice]:
    pages = (
        page
        for page in formats.pages(path, all_frames=equalizer.settings.frames == "all")
        if not page.is_mask and page.reduces is None
    )
    first = next(pages)
    if equalizer.settings.match is not None and next(pages, None) is not None:
        raise ValueError("expected one picture, got several pages")
    return first.opaque, first.channel_axis, equalizer.choice_of(first, mask)


def _of_array(path: Path, equalizer: Equalizer, mask: Mask | None) -> tuple[Pixels, int | None, Choice]:
    settings = equalizer.settings
    (_, images), *others = arrays.read(path)
    axis = settings.channel_axis
    if settings.most_pixels is not None:
        refuse_bomb(images.size)
    part, mask = first_image(images, equalizer, mask)
    if settings.match is not None and (others or part.shape != images.shape):
        shapes = " and ".join(str(array.shape) for array in (images, *(array for _, array in others)))
        raise ValueError(f"expected one image, got {shapes}; its axes are those that --axes and --channel-axis name")
    return part, axis, equalizer.choice(part, axis, mask)
