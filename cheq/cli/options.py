"""The options of the commands that change files, and what they do with them."""

import re
from functools import partial
from typing import Annotated, Any

import typer

from cheq.cli.plan import make_plan
from cheq.cli.report import Report, leaving, printable
from cheq.cli.run import EXTENSIONS, run
from cheq.cli.settings import Alpha, Color, Frames, Outside, Settings, UsageError, most_threads
from cheq.cli.streams import STREAM, as_files
from cheq.pictures.arrays import EXTENSIONS as ARRAYS
from cheq.pictures.formats import JPEG_QUALITY
from cheq.pictures.reading import MOST_PIXELS

# The groups of options in help.
METHOD, PIXELS, FILES, MESSAGES = (
    partial(typer.Option, rich_help_panel=name) for name in ("Method", "Pixels", "Files", "Messages")
)


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(number) for number in re.split("[x,\\s]+", text.strip()))
    except ValueError:
        raise typer.BadParameter(f"'{printable(text)}' is not whole numbers with commas or x between them") from None


def _quality(given: str | int) -> int | str:
    text = str(given)  # the default is a number
    if text == "keep" or (text.isascii() and text.isdigit() and 1 <= int(text) <= 100):
        return text if text == "keep" else int(text)
    raise typer.BadParameter(f"'{printable(text)}' is neither a number from 1 to 100 nor keep")


Inputs = Annotated[
    list[str],
    typer.Argument(metavar="INPUT", help="Files and folders; a folder means all files below it. - is standard input."),
]
Output = Annotated[
    str | None,
    FILES(
        "--output",
        "-o",
        metavar="OUTPUT",
        help="A file or a folder for one INPUT file (a new folder with a slash at its end), a folder for anything "
        "else; - is standard output. Not needed with --suffix.",
    ),
]
ColorOption = Annotated[
    Color,
    METHOD(
        "--color",
        help="What is equalized in color pictures: each channel on its own, the lightness alone, or gray made first.",
    ),
]
ClipLimit = Annotated[
    float | None,
    METHOD(
        metavar="LIMIT",
        help="The most pixels of one level that a tile counts: for opencv as a multiple of the mean of all levels (by "
        "default 40; 0 clips nothing), for skimage as a share of the tile (0.01).",
    ),
]
Tiles = Annotated[
    Any,
    METHOD(parser=_numbers, metavar="COLUMNSxROWS", help="How many tiles a picture has: by default 8x8. For opencv."),
]
KernelSize = Annotated[
    Any,
    METHOD(
        parser=_numbers,
        metavar="ROWSxCOLUMNS",
        help="The pixels of a tile, or one number for all axes: by default an eighth of each side. For skimage.",
    ),
]
Match = Annotated[
    str | None,
    METHOD(
        metavar="REFERENCE",
        help="Give each picture the histogram of this one (or .npy or .npz array), as scikit-image's match_histograms "
        "does, instead of an even one: each channel that of its channel, or the lightness, as --color says.",
    ),
]
Mask = Annotated[
    str | None,
    PIXELS(
        "--mask",
        metavar="MASK",
        help="Count only the pixels where this picture (or .npy array) is not 0. A folder must hold a mask for each "
        "picture, under the same path.",
    ),
]
OutsideOption = Annotated[
    Outside,
    PIXELS("--outside", help="What pixels outside the mask become: the lookup table's value, or they are kept."),
]
Nodata = Annotated[
    str,
    PIXELS(
        "--nodata",
        metavar="VALUE",
        help="The value that stands for none, such as -9999 or nan, in files that do not name theirs (GDAL_NODATA). "
        "Such pixels are not counted and stay; others that would become VALUE take the next higher level, or at the "
        "top the next lower.",
    ),
]
ChannelAxis = Annotated[
    int | None,
    PIXELS(
        metavar="AXIS",
        help="The axis of R, G, B in .npy and .npz arrays, such as -1. Pictures do not need it.",
    ),
]
Axes = Annotated[
    Any,
    PIXELS(
        parser=_numbers,
        metavar="AXES",
        help="The axes of the pixels that share a histogram in .npy and .npz arrays: by default -2,-1; for volumes "
        "-3,-2,-1. Where the last axis is 3 or 4 long, this or --channel-axis is needed.",
    ),
]
Pattern = Annotated[
    str | None,
    FILES(
        "--glob",
        metavar="PATTERN",
        help="From folders, take only files whose name matches, such as '*.png'. A pattern with a slash must match the "
        "path (a star matches slashes too).",
    ),
]
Suffix = Annotated[
    str,
    FILES(metavar="TEXT", help="Add this to results' names. Without OUTPUT they go beside their sources."),
]
Threads = Annotated[
    int | None,
    FILES(min=1, metavar="N", help="How many files at a time; by default one a core."),
]
Quality = Annotated[
    Any,
    FILES(
        parser=_quality,
        metavar="N|keep",
        help="The quality of JPEG files, 1 to 100. keep: JPEGs stay as coarse as they were (quantization and "
        f"subsampling), and become little larger; others become JPEGs of {JPEG_QUALITY}.",
    ),
]
MostPixels = Annotated[
    int | None,
    FILES(
        "--max-pixels",
        min=1,
        metavar="N",
        help="Refuse pictures and arrays of more pixels; a small file can claim any number. By default "
        f"{MOST_PIXELS:,}, and any number in .npy files, which are as large as they say.",
    ),
]
DryRun = Annotated[
    bool,
    MESSAGES(
        "--dry-run",
        help="Read every file (of an array of more than 64 MB its first image), say what would be done, and write "
        "nothing.",
    ),
]
Overwrite = Annotated[bool, FILES("--overwrite", help="Replace files that exist.")]
SkipExisting = Annotated[
    bool,
    FILES(
        "--skip-existing",
        help="Pass over files whose results exist, whatever is in these: a run that was broken off goes on.",
    ),
]
AlphaOption = Annotated[
    Alpha,
    PIXELS(
        "--alpha",
        help="What pictures' alpha is for: it is kept, and with mask transparent pixels (alpha 0) are also outside the "
        "mask: they are not counted.",
    ),
]
FramesOption = Annotated[
    Frames,
    PIXELS(
        "--frames",
        help="Which frames of GIF, WebP and animated PNG files, and which pictures of PNM files, are taken. Frames are "
        "written whole, with their timing.",
    ),
]
Verbose = Annotated[bool, MESSAGES("--verbose", "-v", help="Print a line for each file.")]
Json = Annotated[
    bool,
    MESSAGES("--json", help="Print a line of JSON for each file instead, and one for the summary."),
]


def change_files(
    kind: type[Settings],
    *,
    inputs: list[str],
    output: str | None,
    pattern: str | None,
    suffix: str,
    mask: str | None,
    threads: int | None,
    verbose: bool,
    as_json: bool,
    **others: Any,
) -> None:
    """Do to files what a command's options say, and leave with its exit status; `others` are fields of the settings."""
    with leaving():
        settings = kind(threads=threads or most_threads(), **others)
        if as_json and output == STREAM:
            raise UsageError("--json and OUTPUT - do not go together: both are standard output")
        if suffix and STREAM in (output, *inputs):
            raise UsageError("--suffix is for names, and standard input and output (-) have none")
    with leaving(), as_files(inputs, output) as files:
        plan = make_plan(files.inputs, files.output, EXTENSIONS, ARRAYS, pattern=pattern, suffix=suffix)
        shown: dict[str, Any] = {"verbose": verbose, "as_json": as_json, "names": files.names}
        dry, to_stdout = settings.dry_run, output == STREAM
        report = Report(plan, *settings.words, output=output, dry=dry, to_stdout=to_stdout, **shown)
        with report, leaving(report.interrupted):
            run(plan, report, settings, mask)
        report.summary()
    if report.failed or not report.done + report.there:
        raise typer.Exit(1)
