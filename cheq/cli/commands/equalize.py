"""cheq equalize: files and folders."""

from typing import Annotated

from cheq.cli import options
from cheq.cli.settings import Method, Nan, Settings
from cheq.pictures.formats import JPEG_QUALITY


def equalize(
    inputs: options.Inputs,
    output: options.Output = None,
    method: Annotated[
        Method | None,
        options.METHOD(
            "--method", help="Whose definition of equalization is used: by default opencv, to match skimage."
        ),
    ] = None,
    color: options.ColorOption = "channels",
    shared_lut: Annotated[
        bool,
        options.METHOD(
            "--shared-lut",
            help="One histogram, and so one lookup table (LUT), for all pictures of a kind (gray or RGB, 8 or 16 "
            "bits), so that they stay comparable. Every file is read twice.",
        ),
    ] = False,
    shared_lut_pages: Annotated[
        bool,
        options.METHOD(
            "--shared-lut-pages",
            help="One histogram for all pages of a file (for the whole of an array), so that they stay comparable "
            "among themselves.",
        ),
    ] = False,
    match: options.Match = None,
    match_average: Annotated[
        bool,
        options.METHOD(
            "--match-average",
            help="Give each picture the histogram of all pictures of its kind together. Every file is read twice.",
        ),
    ] = False,
    match_first: Annotated[
        bool,
        options.METHOD(
            "--match-first",
            help="Give all pages, planes and files the histogram of the first one: a series without bleaching or "
            "flicker.",
        ),
    ] = False,
    mask: options.Mask = None,
    outside: options.OutsideOption = "lut",
    alpha: options.AlphaOption = "keep",
    frames: options.FramesOption = "first",
    nodata: options.Nodata = "",
    nan: Annotated[
        Nan,
        options.PIXELS(
            "--nan", help="What to do with NaN and infinities in floats: refuse them, or do not count them."
        ),
    ] = "raise",
    channel_axis: options.ChannelAxis = None,
    axes: options.Axes = None,
    pattern: options.Pattern = None,
    suffix: options.Suffix = "",
    threads: options.Threads = None,
    quality: options.Quality = JPEG_QUALITY,
    most_pixels: options.MostPixels = None,
    dry_run: options.DryRun = False,
    overwrite: options.Overwrite = False,
    skip_existing: options.SkipExisting = False,
    verbose: options.Verbose = False,
    as_json: options.Json = False,
) -> None:
    """Equalize the histograms of image files and NumPy arrays, exactly as OpenCV does or as --method says.

    Examples
    --------
    - `cheq equalize photo.jpg -o equalized.jpg --quality keep`: one picture, as coarse a JPEG as it was
    - `cheq equalize photos/ scan.tif -o equalized/ --color ycrcb`: all below a folder, and a file; the lightness alone
    - `cheq equalize slices/ -o equalized/ --shared-lut --skip-existing`: one histogram for all; goes on where it ended
    - `cheq equalize - -o - < photo.png > equalized.png`: standard input and output

    Pictures are gray or color: PNG, TIFF (all pages), PPM, PGM and JPEG 2000 of 8 or 16 bits, JPEG, WebP, AVIF, BMP
    and GIF. Alpha is kept, and what travels with the pixels is kept or named where the format has no place for it.
    Arrays (.npy, and in .npz those of uint8 and uint16) have height and width as their last two axes unless
    --channel-axis is one of them or --axes names others; a .npy file may be larger than memory. Each result has its
    source's name and path below OUTPUT, its format and its dtype; other files in folders are skipped.

    Exit status: 0 if all went well, 1 if a file failed or there was none, 2 for wrong options, 130 after Ctrl-C. A file
    that fails is named on stderr and the others go on. No file is ever half written.
    """
    method = method or ("opencv" if match is None and not (match_average or match_first) else "skimage")
    options.change_files(Settings, **locals())
