"""cheq equalize: files and folders."""

from typing import Annotated

import typer

from cheq.cli.plan import make_plan
from cheq.cli.report import Report, leaving
from cheq.cli.run import EXTENSIONS, run
from cheq.cli.settings import Color, Method, Nan, Outside, Settings, UsageError, most_threads
from cheq.pictures.arrays import EXTENSIONS as ARRAYS
from cheq.pictures.formats import JPEG_QUALITY
from cheq.pictures.reading import MOST_PIXELS

_Inputs = Annotated[
    list[str], typer.Argument(metavar="INPUT", help="Files and folders; a folder means all files below it.")
]
_Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="OUTPUT",
        help="A file or a folder for one INPUT file (a new folder with a slash at its end), a folder for anything "
        "else. Not needed with --suffix.",
    ),
]
_Method = Annotated[Method, typer.Option("--method", help="Whose definition of equalization is used.")]
_Color = Annotated[
    Color,
    typer.Option(
        "--color",
        help="What is equalized in color pictures: each channel on its own, the lightness alone, or gray made first.",
    ),
]
_SharedLut = Annotated[
    bool,
    typer.Option(
        "--shared-lut",
        help="One histogram, and so one lookup table (LUT), for all pictures of a kind (gray or RGB, 8 or 16 bits), so "
        "that they stay comparable. Every file is read twice.",
    ),
]
_Mask = Annotated[
    str | None,
    typer.Option(
        "--mask",
        metavar="MASK",
        help="Count only the pixels where this picture (or .npy array) is not 0. A folder must hold a mask for each "
        "picture, under the same path.",
    ),
]
_Outside = Annotated[
    Outside,
    typer.Option("--outside", help="What pixels outside the mask become: the lookup table's value, or they are kept."),
]
_Nodata = Annotated[
    str,
    typer.Option(
        "--nodata",
        metavar="VALUE",
        help="The value that stands for none, such as -9999 or nan, in files that do not name theirs (GDAL_NODATA). "
        "Such pixels are not counted and stay; others that would become VALUE take the next higher level, or at the "
        "top the next lower.",
    ),
]
_Nan = Annotated[
    Nan, typer.Option("--nan", help="What to do with NaN and infinities in floats: refuse them, or do not count them.")
]
_ChannelAxis = Annotated[
    int | None,
    typer.Option(
        metavar="AXIS",
        help="The axis of R, G, B in .npy and .npz arrays, such as -1. Pictures do not need it.",
    ),
]
_Axes = Annotated[
    str | None,
    typer.Option(
        "--axes",
        metavar="AXES",
        help="The axes of the pixels that share a histogram in .npy and .npz arrays: by default -2,-1; for volumes "
        "-3,-2,-1. Where the last axis is 3 or 4 long, this or --channel-axis is needed.",
    ),
]
_Pattern = Annotated[
    str | None,
    typer.Option(
        "--glob",
        metavar="PATTERN",
        help="From folders, take only files whose name matches, such as '*.png'. A pattern with a slash must match the "
        "path (a star matches slashes too).",
    ),
]
_Suffix = Annotated[
    str,
    typer.Option(
        "--suffix", metavar="TEXT", help="Add this to results' names. Without OUTPUT they go beside their sources."
    ),
]
_Threads = Annotated[
    int | None,
    typer.Option("--threads", min=1, metavar="N", help="How many files at a time; by default one a core."),
]
_Quality = Annotated[int, typer.Option("--quality", min=1, max=100, metavar="N", help="The quality of JPEG files.")]
_MostPixels = Annotated[
    int | None,
    typer.Option(
        "--max-pixels",
        min=1,
        metavar="N",
        help="Refuse pictures and arrays of more pixels; a small file can claim any number. By default "
        f"{MOST_PIXELS:,}, and any number in .npy files, which are as large as they say.",
    ),
]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and write nothing.")]
_Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]


def equalize(
    inputs: _Inputs,
    output: _Output = None,
    method: _Method = Method.OPENCV,
    color: _Color = Color.CHANNELS,
    shared_lut: _SharedLut = False,
    mask: _Mask = None,
    outside: _Outside = Outside.LUT,
    nodata: _Nodata = "",
    nan: _Nan = Nan.RAISE,
    channel_axis: _ChannelAxis = None,
    axes: _Axes = None,
    pattern: _Pattern = None,
    suffix: _Suffix = "",
    threads: _Threads = None,
    quality: _Quality = JPEG_QUALITY,
    most_pixels: _MostPixels = None,
    dry_run: _DryRun = False,
    overwrite: _Overwrite = False,
) -> None:
    """Equalize the histograms of image files and NumPy arrays, exactly as OpenCV does or as --method says.

    For example: cheq equalize photos/ scan.tif -o equalized/ --color ycrcb

    Pictures are gray or color: PNG and TIFF (all pages) of 8 or 16 bits, JPEG, WebP, BMP, GIF (its first frame), PPM
    and PGM of 8. Alpha is kept, and so are EXIF, color profile and resolution where the format has a place for them.
    Arrays (.npy, and in .npz those of uint8 and uint16) have height and width as their last two axes unless
    --channel-axis is one of them or --axes names others; a .npy file may be larger than memory. Each result has its
    source's name and path below OUTPUT, its format and its dtype; other files in folders are skipped.

    A file that fails is named on stderr and the others go on. No file is ever half written. The exit status is 0 if all
    went well, 1 if a file failed or there was none, 2 for wrong options, 130 after Ctrl-C.
    """
    with leaving():
        settings = Settings(
            method=method,
            color=color,
            channel_axis=channel_axis,
            axes=_numbers(axes),
            threads=threads or most_threads(),
            shared_lut=shared_lut,
            overwrite=overwrite,
            quality=quality,
            most_pixels=most_pixels,
            outside=outside,
            nodata=nodata,
            nan=nan,
        )
        plan = make_plan(inputs, output, EXTENSIONS, ARRAYS, pattern=pattern, suffix=suffix)
    with Report(plan) as report, leaving(report.interrupted):
        if dry_run:
            report.rehearsal(output, overwrite)
        else:
            run(plan, report, settings, mask)
    if not dry_run:
        report.summary(output)
    if report.failed or not report.done:
        raise typer.Exit(1)


def _numbers(axes: str | None) -> tuple[int, ...] | None:
    try:
        return None if axes is None else tuple(map(int, axes.replace(",", " ").split()))
    except ValueError:
        raise UsageError(f"--axes takes numbers such as -3,-2,-1, not '{axes}'") from None
