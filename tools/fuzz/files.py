"""An atheris target: files as hostile as they come, to cheq.pictures, which the command line reads with.

The first inputs are small real files of every format. An input is a byte of options and a file's content; checksums of
PNG and of an archive's members are made right again where the options say so, so that changes reach the decoders. What
is read is equalized, written, and read again: the same pixels, or a fault. A file that cannot be read raises an error
of the libraries, or ValueError or OSError of cheq's own; any other raised by a line of cheq is a fault too.

Usage: python tools/fuzz/files.py FOLDER OF INPUTS [-libFuzzer_option=...]
"""

import io
import logging
import struct
import sys
import tempfile
import traceback
import warnings
import zipfile
import zlib
from itertools import islice
from pathlib import Path

import atheris
import imagecodecs
import numpy as np
import tifffile
from PIL import Image

with atheris.instrument_imports(include=["cheq"]):
    import cheq
    from cheq.pictures import arrays, formats, png
    from cheq.pictures.reading import pixel_limit

PACKAGE = str(Path(cheq.__file__).parent)
MOST_PIXELS = 1 << 18
MOST_PAGES = 4
REPAIR, NPY, NPZ = 1, 2, 4  # the options


# ---------------------------------------------------------------- the first inputs


def seeds():
    """Small files of every format and most of their variants, each behind its options."""
    random = np.random.default_rng(0)
    gray, color, alpha = (random.integers(40, 160, shape, np.uint8) for shape in [(9, 7), (9, 7, 3), (9, 7, 4)])
    wide = random.integers(0, 65536, (9, 7, 3), np.uint16)
    exif = Image.Exif()
    exif[0x0112] = 6
    saved = {"exif": exif, "dpi": (72, 72), "icc_profile": b"\0" * 16 + b"RGB " + b"\0" * 108}
    for form in ("JPEG", "WEBP", "BMP", "GIF", "PPM", "PNG", "TIFF"):
        for pixels in (gray, color):
            yield 0, pillow(pixels, form, **(saved if form in ("JPEG", "WEBP", "PNG", "TIFF") else {}))
    yield 0, pillow(color, "JPEG", progressive=True)
    yield 0, pillow(alpha, "WEBP", lossless=True)
    yield 0, pillow(gray, "GIF", save_all=True, append_images=[Image.fromarray(gray[::-1])])
    yield 0, pillow(Image.fromarray(gray).convert("1"), "PPM")
    yield 0, b"P5 3 2 65535 " + wide[0, :2].tobytes()
    yield 0, b"P2 3 2 99 1 2 3 4 5 6 "
    yield 0, b"P4 # bits\n9 2\n" + bytes(4) + b"P6 #two\n7 9\n65535\n" + wide.astype(">u2").tobytes()
    frames = [Image.fromarray(color), Image.fromarray(color[::-1])]
    for form in ("GIF", "WEBP", "PNG", "AVIF"):
        more = {"append_images": frames[1:], "duration": [30, 70]}
        yield REPAIR * (form == "PNG"), pillow(frames[0], form, save_all=True, **more)
    yield REPAIR, pillow(frames[0], "PNG", save_all=True, default_image=True, append_images=frames[1:], disposal=1)
    for pixels in (gray, wide, alpha):
        yield 0, imagecodecs.jpeg2k_encode(pixels, level=0, reversible=True)
    yield 0, imagecodecs.avif_encode(wide >> 6, bitspersample=10)
    yield 0, pillow(color, "JPEG", comment=b"a", extra=b"\xff\xed\0\x1aPhotoshop 3.0\x008BIM\4\4\0\0") + b"a film"
    for pixels in (gray, alpha, wide, wide[..., 0]):
        yield REPAIR, imagecodecs.png_encode(np.ascontiguousarray(pixels))
    yield REPAIR, pillow(Image.fromarray(color).quantize(5), "PNG", transparency=1)
    for compression in (None, "lzw", "zlib", "packbits", "jpeg", "zstd"):
        yield 0, tiff(color, compression=compression, photometric="rgb", extratags=[(270, 2, 0, "text", True)])
    yield 0, tiff(np.stack([wide[..., 0]] * 3), photometric="minisblack", predictor=True, compression="lzw")
    yield 0, tiff(np.moveaxis(color, -1, 0).copy(), photometric="rgb", planarconfig="separate", bigtiff=True)
    yield 0, tiff(wide[..., 0], photometric="miniswhite", tile=(16, 16), byteorder=">")
    yield 0, pages(gray, color)
    yield 0, tiff(wide[..., 0], imagej=True, metadata={"min": 3, "Ranges": (3.0, 9.0), "Labels": ["a"]})
    yield 0, tiff(np.stack([gray] * 3), truncate=True, photometric="minisblack", metadata={"axes": "ZYX"})
    yield 0, tiff(np.stack([color] * 2), ome=True, photometric="rgb", metadata={"axes": "ZYXS", "SignificantBits": 7})
    palette = {"photometric": "palette", "colormap": wide[:, :, 0].repeat(13)[:768].reshape(3, 256)}
    yield 0, tiff(gray, metadata=None, extratags=[(274, 3, 1, 6, True), (42113, 2, 0, "99", True)], **palette)
    for pixels in (gray, wide, np.asfortranarray(color), gray.astype(">u2"), gray / 3):
        content = npy(pixels)
        yield NPY, content
        yield NPZ | REPAIR, content
        archive = io.BytesIO()
        np.savez_compressed(archive, images=pixels, others=np.arange(3))
        yield NPZ, archive.getvalue()


def pillow(pixels, form, **options):
    file = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(file, form, **options)
    return file.getvalue()


def tiff(pixels, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **options)
    return file.getvalue()


def pages(gray, color):
    """A page, its mask, an overview, and that one's mask, with what GDAL and Photoshop say."""
    file = io.BytesIO()
    resources = b"8BIM\x04\x09\0\0\0\0\0\x02ab8BIM\x04\x04\0\0\0\0\0\0"
    statistics = b'<GDALMetadata><Item name="STATISTICS_MEAN">1</Item><Item name="a">b</Item></GDALMetadata>'
    tags = [(42113, 2, 0, "99", True), (34377, 1, len(resources), resources, True), (42112, 2, 0, statistics, True)]
    with tifffile.TiffWriter(file) as writer:
        writer.write(gray, metadata=None, tile=(16, 16), extratags=[*tags, (37724, 7, 20, b"layers" * 4, True)])
        writer.write(gray > 99, metadata=None, subfiletype=4, photometric="mask")
        writer.write(gray[::2, ::2], metadata=None, subfiletype=1)
        writer.write(gray[::2, ::2] > 99, metadata=None, subfiletype=5, photometric="mask")
        writer.write(color, metadata=None, photometric="rgb")
    return file.getvalue()


def npy(pixels):
    file = io.BytesIO()
    np.save(file, pixels)
    return file.getvalue()


def write_seeds(folder):
    for number, (options, content) in enumerate(seeds()):
        Path(folder, f"seed-{number:03}").write_bytes(bytes([options]) + content)


# ---------------------------------------------------------------- checksums


def repaired(data):
    """A PNG whose chunks' checksums are right; anything else as it is."""
    if not data.startswith(png.START):
        return data
    parts, place = [data[:8]], 8
    while place + 12 <= len(data):
        length = struct.unpack_from(">I", data, place)[0]
        if place + 12 + length > len(data):
            break
        body = data[place + 4 : place + 8 + length]
        parts.append(data[place : place + 4] + body + struct.pack(">I", zlib.crc32(body)))
        place += 12 + length
    return b"".join([*parts, data[place:]])


def archived(data):
    """An archive with this as an array, whose checksum is right."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("images.npy", data)
    return file.getvalue()


# ---------------------------------------------------------------- one file


class MismatchError(Exception):
    """What came out is not what should have."""


def demand_equal(result, expected, what):
    if (result.dtype, result.shape, result.tobytes()) != (expected.dtype, expected.shape, expected.tobytes()):
        got, wanted = f"{result.dtype} {result.shape}", f"{expected.dtype} {expected.shape}"
        raise MismatchError(f"{what}: {got} instead of {wanted}, or other values")


def try_pictures(path):
    for picture in islice(formats.pages(path, all_frames=True), MOST_PAGES):
        if picture.pixels.dtype not in (np.uint8, np.uint16):
            continue
        formats.as_stored(picture.pixels, picture)
        formats.changed(picture, picture.pixels, picture.rgb)
        if picture.about.nodata:
            formats.stands_for_none(picture.pixels, picture.about.nodata)
        axis = None if picture.pixels.ndim == 2 else -1
        cheq.equalize(picture.pixels, channel_axis=axis, num_threads=1)
        for extension in (".tif", ".png", ".ppm", ".jp2"):
            check_kept(picture, path.with_name(f"again{extension}"))


def check_kept(picture, path):
    """What was read is written and read again without losing anything."""
    try:
        formats.check(picture, path.suffix)
    except ValueError:
        return
    with open(path, "w+b") as file:
        formats.write([picture], file, path.suffix)
    again = formats.read(path)
    turned = "exif" not in formats.FORMATS[path.suffix].keeps
    written = formats.upright(picture) if turned else picture
    demand_equal(np.squeeze(again.pixels), np.squeeze(written.pixels), "pixels written and read again")


def equalize(images, **options):
    return cheq.equalize(images, axes=(-2, -1), **options)


def equalize_mapped(images, file):
    if images.size:
        equalize(images, out=arrays.create(file, images.shape, images.dtype.newbyteorder("=")))
    else:
        arrays.write(file, equalize(images))


def try_arrays(path):
    images = list(arrays.read(path))
    if sum(array.size for _, array in images) > MOST_PIXELS:
        return
    target = path.with_name(f"equalized{path.suffix}")
    with open(target, "w+b") as file:
        if path.suffix == ".npz":
            arrays.rewrite(path, file, equalize)
        else:
            equalize_mapped(images[0][1], file)
    for (name, array), (_, result) in zip(images, arrays.read(target), strict=True):
        expected = equalize(array)
        demand_equal(result, expected, f"array {name!r} equalized to a file")


def is_fault(error):
    """Whether an error is not one that reading a damaged file may raise."""
    if isinstance(error, MismatchError | RecursionError | SystemError):
        return True
    line = traceback.extract_tb(error.__traceback__)[-1]
    told = isinstance(error, ValueError | OSError | Image.DecompressionBombError)
    told = told or (isinstance(error, TypeError) and ": expected" in str(error))
    return line.filename.startswith(PACKAGE) and not told


def one_input(data):
    options, content = (data[0], data[1:]) if data else (0, b"")
    if options & REPAIR:
        content = archived(content) if options & NPZ else repaired(content)
    extension = ".npy" if options & NPY else ".npz" if options & NPZ else ".picture"
    path = Path(FOLDER, f"input{extension}")
    path.write_bytes(content)
    try:
        with pixel_limit(MOST_PIXELS):
            (try_pictures if extension == ".picture" else try_arrays)(path)
    except Exception as error:
        if is_fault(error):
            raise


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable()
    if Path(sys.argv[1]).is_dir():  # and not an input that is to be run again
        write_seeds(sys.argv[1])
    with tempfile.TemporaryDirectory() as FOLDER:
        atheris.Setup(sys.argv, one_input)
        atheris.Fuzz()
