"""cheq clahe: files and folders, tile by tile."""

from typing import Annotated

from cheq.cli import options
from cheq.cli.settings import ClaheSettings, LocalMethod
from cheq.pictures.formats import JPEG_QUALITY


def clahe(
    inputs: options.Inputs,
    output: options.Output = None,
    clip_limit: options.ClipLimit = None,
    tiles: options.Tiles = None,
    method: Annotated[LocalMethod, options.METHOD("--method", help="Whose definition of CLAHE is used.")] = "opencv",
    kernel_size: options.KernelSize = None,
    nbins: Annotated[
        int | None,
        options.METHOD("--nbins", metavar="N", help="Bins of a tile's histogram: by default 256."),
    ] = None,
    color: options.ColorOption = "channels",
    mask: options.Mask = None,
    outside: options.OutsideOption = "lut",
    alpha: options.AlphaOption = "keep",
    frames: options.FramesOption = "first",
    nodata: options.Nodata = "",
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
    """Equalize image files and NumPy arrays tile by tile, with limited contrast (CLAHE), as OpenCV or scikit-image do.

    Examples
    --------
    - `cheq clahe photos/ scan.tif -o local/ --clip-limit 2 --color lab`: the lightness, with a clip limit of 2
    - `cheq clahe xrays/ -o local/ --tiles 16x16 --mask lungs/`: smaller tiles, and a mask for each picture

    Each tile of a picture gets a lookup table of its own, and pixels between tiles a mixture. The lower the clip limit,
    the less contrast, and noise, is added. Files, arrays, masks and results are treated as by cheq equalize; a smaller
    copy of a page (an overview) is equalized by tiles of its own.

    Exit status: 0 if all went well, 1 if a file failed or there was none, 2 for wrong options, 130 after Ctrl-C. A file
    that fails is named on stderr and the others go on. No file is ever half written.
    """
    options.change_files(ClaheSettings, **locals())
