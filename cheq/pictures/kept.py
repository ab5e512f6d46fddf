"""What of all that travels with pixels a format has no place for: it is named in one warning."""

import re
import struct
import warnings
from collections.abc import Iterator

import tifffile

from cheq.pictures import exif
from cheq.pictures.picture import About, Format
from cheq.pictures.tags import IPTC, iptc_of

# Tags of EXIF that say nothing which the pixels do not: how they lie, where in a pixel its color is, their number.
_OF_PIXELS = {exif.ORIENTATION, exif.X, exif.Y, exif.UNIT, 531}
# PNG's gAMA (1/2.2) and cHRM (x and y of white, red, green and blue), in units of 1/100,000, of sRGB.
_SRGB = struct.pack(">I", 45455), struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)


def warn_of_lost(about: About, colors: int, form: Format, extension: str) -> None:
    """Name what a file of a format will not have.

    Warns
    -----
    UserWarning
        If there is anything.
    """
    names = list(dict.fromkeys(name for field, name in _held(about, colors, form) if field not in form.keeps))
    if names:
        listed = ", ".join(names)
        warnings.warn(f"a {extension} file has no place for its {listed}", UserWarning, stacklevel=2)


def _held(about: About, colors: int, form: Format) -> Iterator[tuple[str, str]]:
    """Yield the field and the user's name of each thing that there is."""
    if set(exif.parse(about.exif, quiet=True)) - _OF_PIXELS:
        yield "exif", "EXIF"
    if about.profile_for(colors):
        yield "icc_profile", "color profile"
    if about.xmp:
        yield ("xmp", "XMP") if form.name != "GIF" or b"\0" not in about.xmp else ("", "XMP of 16 bits")
    if about.extended_xmp:
        yield "extended_xmp", "extended XMP"
    found = about.any_resolution
    if found is not None and found[2] > 1:
        yield "resolution", "resolution"
    elif found is not None and found[0] != found[1]:
        yield "ratio", "aspect ratio of pixels"
    if any(about.comments):
        yield "comments", "comment"
    if about.resources:
        yield "resources", "IPTC" if iptc_of(about.resources) else "Photoshop resources"
    if about.frame is not None:
        yield "frame", "timing of frames"
    if about.nodata:
        yield "nodata", "GDAL_NODATA"
    yield from (("segments", _segment(marker, content)) for marker, content in about.segments)
    yield from (("blocks", f"{name.decode('latin-1')} block") for name, _ in about.blocks)
    yield from (("boxes", f"{name.decode('latin-1').strip()} box") for name, _ in about.boxes)
    yield from (("chunks", name) for name in _chunks(about.chunks))
    for code, _, _, _ in about.tags:
        name = tifffile.TIFF.TAGS.get(code, None)
        yield "resources" if code == IPTC else "tags", f"tag {code} ({name})" if name else f"tag {code}"
    if about.tail[1] and about.tail[0] != form.name:
        yield "tail", "film" if about.tail[1][4:8] == b"ftyp" else f"{len(about.tail[1])} bytes behind the picture"


def _segment(marker: int, content: bytes) -> str:
    owner = re.match(rb"[ -~]{2,40}", content)
    return f"APP{marker - 0xE0} segment" + (f" ({owner[0].decode()})" if owner else "")


def _chunks(chunks: tuple[tuple[bytes, bytes], ...]) -> Iterator[str]:
    """Yield the names of chunks, but of those that say what is taken for granted of any picture: that it is sRGB."""
    names = {name for name, _ in chunks}
    granted = {b"sRGB", b"tIME", *({b"gAMA", b"cHRM"} if {b"sRGB", b"cICP"} & names else ())}
    for name, content in chunks:
        if name in (b"tEXt", b"zTXt", b"iTXt"):
            yield f"text '{content.partition(bytes(1))[0].decode('latin-1')}'"
        elif name not in granted and content not in _SRGB:
            yield name.decode("latin-1")
