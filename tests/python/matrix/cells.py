"""Every cell of the matrix that the foreign encoders can make.

A cell is a name, who made it, and a function that writes it; a function that
fails is listed with its reason.
"""

from dataclasses import dataclass
from typing import Callable

import numpy as np
import pydicom
from pydicom.uid import UID

from . import encode
from .objects import (
    BIG_ENDIAN,
    DEFLATED,
    DEFLATED_FRAME,
    ENCAPSULATED,
    EXPLICIT,
    IMPLICIT,
    JPEG,
    RLE,
    deflate,
    encapsulated,
    mark_lossy,
    native,
    split,
    uid,
)
from .pictures import Kind, colour, draw, grey, palette

ROWS, COLUMNS = 61, 98
ODD = (61, 97)
# For comparing sizes.
LARGE = (384, 512, 1)
LARGE_KINDS = (grey(8, 8), grey(16, 12), grey(16, 16, signed=True), colour())
# Rows, columns: a pixel, a long row, a long column.
EXTREMES = ((1, 1), (1, 4097), (4097, 1))

ISO_JPEG, ISO_JPEG_LS, ISO_J2K, ISO_HTJ2K = (
    "ISO_10918_1",
    "ISO_14495_1",
    "ISO_15444_1",
    "ISO_15444_15",
)


@dataclass
class Cell:
    """One instance to be made: `write(path)` writes it."""

    name: str
    by: str
    write: Callable


GREYS = [
    grey(8, 8),
    grey(8, 8, photometric="MONOCHROME1"),
    grey(16, 10),
    grey(16, 12),
    grey(16, 12, photometric="MONOCHROME1"),
    grey(16, 12, signed=True),
    grey(16, 16),
    grey(16, 16, signed=True),
    grey(16, 16, signed=True, photometric="MONOCHROME1"),
]
PALETTES = [palette(), palette(8, 256, 8), palette(16, 1024), palette(8, 256, 16, True)]
COLOURS = [colour(), colour("YBR_FULL"), colour(bits=16)]
PLANAR = [colour(planar=1), colour("YBR_FULL", planar=1), colour(bits=16, planar=1)]
WIDE = [grey(32, 32), grey(32, 32, signed=True)]
ODD_BITS = grey(16, 15, photometric="MONOCHROME1")
SIGNED_BYTES = grey(8, 8, signed=True)
NATIVE_ONLY = [grey(1, 1), SIGNED_BYTES, colour("YBR_FULL_422")]


def all_cells(scratch):
    """Cells in the order of their transfer syntaxes."""
    yield from native_cells()
    yield from fragment_cells()
    yield from rle_cells(scratch)
    yield from jpeg_lossy_cells(scratch)
    yield from jpeg_lossless_cells(scratch)
    yield from jpeg_ls_cells(scratch)
    yield from j2k_cells(scratch)
    yield from htj2k_cells()


def cell(name, by, make):
    """A cell from a function that gives a data set."""

    def write(path):
        made = make(name)
        syntax = made.file_meta.TransferSyntaxUID
        if syntax != DEFLATED_FRAME:
            made.save_as(path, enforce_file_format=True)
            return
        # Newer than this pydicom; written under a UID of the same length.
        made.file_meta.TransferSyntaxUID = ENCAPSULATED
        made.save_as(path, enforce_file_format=True)
        written = path.read_bytes()
        path.write_bytes(written.replace(ENCAPSULATED.encode(), DEFLATED_FRAME.encode() + b"\0", 1))

    return Cell(name, by, write)


def size_name(rows, columns, frames):
    return f"{columns}x{rows}" + (f"x{frames}" if frames > 1 else "")


# Native, and in fragments without compression.


def native_cells():
    kinds = [*NATIVE_ONLY, *GREYS, *WIDE, *PALETTES, *COLOURS, *PLANAR]
    words = {IMPLICIT: "implicit", DEFLATED: "deflated", BIG_ENDIAN: "bigendian"}
    for kind in kinds:
        for frames in (1, 3):
            yield native_cell("explicit", EXPLICIT, kind, ROWS, COLUMNS, frames)
        for syntax, word in words.items():
            yield native_cell(word, syntax, kind, ROWS, COLUMNS, 2)
    for kind in (grey(1, 1), grey(8, 8), grey(16, 12), colour(), colour(planar=1)):
        for rows, columns in (ODD, *EXTREMES):
            yield native_cell("explicit", EXPLICIT, kind, rows, columns, 1)
    yield native_cell("explicit", EXPLICIT, grey(1, 1), *ODD, 3)
    yield cell("explicit-highbit-11-of-12-in-16-shifted", "numpy", shifted)


def native_cell(word, syntax, kind, rows, columns, frames):
    name = f"{word}-{kind.name}-{size_name(rows, columns, frames)}"

    def make(name):
        return native(name, kind, draw(kind, rows, columns, frames), syntax)

    return cell(name, "numpy", make)


def shifted(name):
    """12 bits that lie at the top of their words."""
    kind = grey(16, 12)
    values = draw(kind, ROWS, COLUMNS, 1)
    made = native(name, kind, values << 4, EXPLICIT)
    made.HighBit = 15
    return made


def fragment_cells():
    kinds = [grey(8, 8), grey(16, 12), grey(16, 16, signed=True), palette(), colour(), colour(planar=1)]
    codings = (("encapsulated", ENCAPSULATED, bytes), ("deflatedframe", DEFLATED_FRAME, deflate))
    for word, syntax, code in codings:
        for kind in [*kinds, colour("YBR_FULL_422")]:
            for frames in (1, 3):
                yield coded_cell(word, "zlib", syntax, kind, ROWS, COLUMNS, frames, native_of(kind, code))
        yield coded_cell(word, "zlib", syntax, grey(8, 8), *ODD, 3, native_of(grey(8, 8), code))


def native_of(kind, code):
    def frame_of(values):
        return code(split(values[np.newaxis], kind)[0])

    return frame_of


def coded_cell(word, by, syntax, kind, rows, columns, frames, code, lossy=None, labelled=None, **layout):
    """A cell whose frames are coded one by one; `labelled` is what the header
    calls the colour, where the coding changed it."""
    name = f"{word}-{kind.name}-{size_name(rows, columns, frames)}"

    def make(name):
        values = draw(kind, rows, columns, frames)
        coded = [code(frame) for frame in values]
        made = encapsulated(name, kind, values.shape, syntax, coded, **layout)
        if labelled:
            made.PhotometricInterpretation = labelled
        if lossy:
            mark_lossy(made, lossy)
        return made

    return cell(name, by, make)


def tool_cell(word, by, syntax, kind, rows, columns, frames, scratch, code):
    """A cell that a tool makes of a native file."""
    name = f"{word}-{kind.name}-{size_name(rows, columns, frames)}"

    def write(path):
        source = scratch / f"{name}.native.dcm"
        made = native(name, kind, draw(kind, rows, columns, frames), EXPLICIT)
        made.save_as(source, enforce_file_format=True)
        code(source, path)
        settle(name, syntax, path)

    return Cell(name, by, write)


def settle(name, syntax, path):
    """Checks what the tool wrote, and gives it the same UID each time."""
    made = pydicom.dcmread(path)
    if made.file_meta.TransferSyntaxUID != syntax:
        raise ValueError(f"came out in {made.file_meta.TransferSyntaxUID.name}")
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = uid("instance", name)
    made.save_as(path, enforce_file_format=True)


def by_dcmtk(word, syntax, kind, shape, scratch, tool, *options):
    def code(source, target):
        encode.dcmtk(tool, options, source, target)

    return tool_cell(word, "dcmtk", syntax, kind, *shape, scratch, code)


def by_gdcm(word, syntax, kind, shape, scratch):
    def code(source, target):
        encode.gdcm_file(syntax, source, target)

    return tool_cell(word, "gdcm", syntax, kind, *shape, scratch, code)


# RLE.


def rle_cells(scratch):
    kinds = [SIGNED_BYTES, *GREYS, *PALETTES, *COLOURS]
    for kind in kinds:
        for frames in (1, 3):
            yield rle_cell("rle", kind, ROWS, COLUMNS, frames)
    for kind in WIDE:
        for frames in (1, 3):
            yield coded_cell("rle", "pylibjpeg", RLE, kind, ROWS, COLUMNS, frames, encode.rle)
    for kind in (grey(8, 8), grey(16, 12), colour()):
        for rows, columns in (ODD, *EXTREMES):
            yield rle_cell("rle", kind, rows, columns, 1)
    yield from large_cells("rle-dcmcrle", RLE, scratch, "dcmcrle")
    for table in ("empty", "extended"):
        yield rle_cell(f"rle-{table}table", grey(16, 12), ROWS, COLUMNS, 3, table)
    for kind in (grey(8, 8), grey(16, 16), colour(), colour(planar=1), palette()):
        yield by_dcmtk("rle-dcmcrle", RLE, kind, (ROWS, COLUMNS, 2), scratch, "dcmcrle")
        yield by_gdcm("rle-gdcm", RLE, kind, (ROWS, COLUMNS, 2), scratch)


def large_cells(word, syntax, scratch, *command):
    for kind in LARGE_KINDS:
        yield by_dcmtk(word, syntax, kind, LARGE, scratch, *command)


def rle_cell(word, kind, rows, columns, frames, table="basic"):
    return pydicom_cell(word, RLE, kind, rows, columns, frames, "pydicom", table)


def pydicom_cell(word, syntax, kind, rows, columns, frames, plugin, table="basic"):
    """A cell that pydicom compresses with one of its plug-ins."""
    name = f"{word}-{kind.name}-{size_name(rows, columns, frames)}"

    def make(name):
        made = native(name, kind, draw(kind, rows, columns, frames), EXPLICIT)
        options = {"encapsulate_ext": table == "extended", "generate_instance_uid": False}
        made.compress(UID(syntax), encoding_plugin=plugin, **options)
        if table == "empty":
            made.PixelData = without_table(made.PixelData)
        return made

    return cell(name, plugin, make)


def without_table(pixel_data):
    """The same fragments after an empty Basic Offset Table."""
    length = int.from_bytes(pixel_data[4:8], "little")
    return pixel_data[:4] + bytes(4) + pixel_data[8 + length :]


# JPEG with a DCT.


def jpeg_lossy_cells(scratch):
    baseline = JPEG + "50"
    yield from jpeg_grey_cells()
    yield from jpeg_colour_cells()
    yield from jpeg_twelve_bit_cells()
    for kind in (grey(8, 8), grey(16, 12), colour()):
        shape = (*ODD, 2)
        yield by_dcmtk("jpeg50-dcmcjpeg", baseline, kind, shape, scratch, "dcmcjpeg", "+eb")
    variants = {"444": "+s4", "422full": "+n2", "411full": "+n1", "411": "+np", "rgb": "+cr"}
    for word, option in variants.items():
        word = f"jpeg50-dcmcjpeg-{word}"
        yield by_dcmtk(word, baseline, colour(), (*ODD, 2), scratch, "dcmcjpeg", "+eb", option)
    for kind in (grey(8, 8), grey(16, 10), grey(16, 12), colour()):
        shape = (*ODD, 2)
        yield by_dcmtk("jpeg51-dcmcjpeg", JPEG + "51", kind, shape, scratch, "dcmcjpeg", "+ee")
    for kind in (grey(8, 8), colour()):
        yield by_gdcm("jpeg50-gdcm", baseline, kind, (*ODD, 2), scratch)
    yield by_gdcm("jpeg51-gdcm", JPEG + "51", grey(16, 12), (*ODD, 2), scratch)


def lossy_jpeg_cell(word, syntax, kind, shape, code, by="libjpeg-turbo", labelled=None, **layout):
    return coded_cell(word, by, JPEG + syntax, kind, *shape, code, ISO_JPEG, labelled, **layout)


def jpeg_grey_cells():
    def code(values):
        return encode.jpeg(values, level=90)

    for syntax in ("50", "51"):
        for photometric in ("MONOCHROME2", "MONOCHROME1"):
            kind = grey(8, 8, photometric=photometric)
            for frames in (1, 3):
                yield lossy_jpeg_cell(f"jpeg{syntax}", syntax, kind, (ROWS, COLUMNS, frames), code)
    for rows, columns in (ODD, (8, 8), (1, 1), (1, 999), (999, 1)):
        yield lossy_jpeg_cell("jpeg50", "50", grey(8, 8), (rows, columns, 1), code)
    for table in ("empty", "extended"):
        shape = (*ODD, 3)
        yield lossy_jpeg_cell(f"jpeg50-{table}table", "50", grey(8, 8), shape, code, table=table)
    layout = {"fragments": 3}
    yield lossy_jpeg_cell("jpeg50-fragments", "50", grey(8, 8), (*ODD, 3), code, **layout)
    layout = {"fragments": 3, "table": "empty"}
    yield lossy_jpeg_cell("jpeg50-fragments-emptytable", "50", grey(8, 8), (*ODD, 3), code, **layout)

    def restarts(values):
        return encode.pillow_jpeg(values, quality=85, restart_marker_blocks=5)

    yield lossy_jpeg_cell("jpeg50-restarts", "50", grey(8, 8), (*ODD, 2), restarts, "pillow")


def jpeg_colour_cells():
    samplings = {"444": "YBR_FULL", "422": "YBR_FULL_422", "420": "YBR_FULL_422", "440": "YBR_FULL_422", "411": "YBR_FULL_422"}
    for sampling, labelled in samplings.items():

        def code(values, sampling=sampling):
            return encode.jpeg(values, level=90, subsampling=sampling)

        for syntax, frames in (("50", 1), ("50", 3), ("51", 2)):
            word = f"jpeg{syntax}-{sampling}"
            shape = (*ODD, frames)
            yield lossy_jpeg_cell(word, syntax, colour(), shape, code, labelled=labelled)

        def bare(values, code=code):
            return encode.without_segments(code(values), {0xE0, 0xEE})

        word = f"jpeg50-{sampling}-bare"
        yield lossy_jpeg_cell(word, "50", colour(), (*ODD, 1), bare, labelled=labelled)

        def restarts(values, sampling={"444": 0, "422": 1, "420": 2}.get(sampling)):
            options = {"subsampling": sampling, "restart_marker_blocks": 4}
            return encode.pillow_jpeg(values, quality=85, **options)

        if sampling in ("444", "422", "420"):
            word = f"jpeg50-{sampling}-restarts"
            yield lossy_jpeg_cell(word, "50", colour(), (*ODD, 1), restarts, "pillow", labelled)

    def rgb(values):
        return encode.jpeg(values, level=90, outcolorspace="rgb")

    def bare_rgb(values):
        return encode.without_segments(rgb(values), {0xE0, 0xEE})

    def numbered_rgb(values):
        return renumbered(bare_rgb(values))

    for frames in (1, 3):
        yield lossy_jpeg_cell("jpeg50-adobe", "50", colour(), (*ODD, frames), rgb)
    yield lossy_jpeg_cell("jpeg50-letters", "50", colour(), (*ODD, 1), bare_rgb)
    yield lossy_jpeg_cell("jpeg50-numbers", "50", colour(), (*ODD, 1), numbered_rgb)
    for rows, columns in ((8, 8), (16, 16), (1, 1), (17, 33)):
        word, labelled = "jpeg50-420", "YBR_FULL_422"

        def code(values):
            return encode.jpeg(values, level=90, subsampling="420")

        yield lossy_jpeg_cell(word, "50", colour(), (rows, columns, 1), code, labelled=labelled)


def renumbered(stream):
    """Components R, G, B of a JPEG stream named 1, 2, 3 instead."""
    stream = bytearray(stream)
    frame, scan = stream.index(b"\xff\xc0"), stream.index(b"\xff\xda")
    for number in range(3):
        stream[frame + 10 + 3 * number] = number + 1
        stream[scan + 5 + 2 * number] = number + 1
    return bytes(stream)


def jpeg_twelve_bit_cells():
    def code(values):
        return encode.jpeg(values, level=90, bitspersample=12)

    for photometric in ("MONOCHROME2", "MONOCHROME1"):
        kind = grey(16, 12, photometric=photometric)
        for frames in (1, 3):
            yield lossy_jpeg_cell("jpeg51", "51", kind, (*ODD, frames), code)
    yield lossy_jpeg_cell("jpeg51", "51", grey(16, 12), (1, 1, 1), code)
    kind = Kind("RGB", 16, 12)
    for sampling, labelled in {"444": "YBR_FULL", "422": "YBR_FULL_422"}.items():

        def coloured(values, sampling=sampling):
            return encode.jpeg(values, level=90, bitspersample=12, subsampling=sampling)

        word = f"jpeg51-{sampling}"
        yield lossy_jpeg_cell(word, "51", kind, (*ODD, 1), coloured, labelled=labelled)


# JPEG Lossless.


def jpeg_lossless_cells(scratch):
    for kind in [grey(8, 8), *GREYS[1:], palette(), colour(), colour(bits=16)]:

        def code(values, kind=kind):
            unsigned = values.astype(kind.dtype).view(f"<u{kind.dtype.itemsize}")
            unsigned = unsigned & (2**kind.stored - 1)
            return encode.jpeg(unsigned, lossless=True, predictor=1, bitspersample=kind.stored)

        for frames in (1, 3):
            shape = (*ODD, frames)
            yield coded_cell("jpeg70", "libjpeg-turbo", JPEG + "70", kind, *shape, code)
    for predictor in range(1, 8):

        def code(values, predictor=predictor):
            return encode.jpeg(values, lossless=True, predictor=predictor, bitspersample=16)

        word = f"jpeg57-sv{predictor}"
        yield coded_cell(word, "libjpeg-turbo", JPEG + "57", grey(16, 16), *ODD, 1, code)
        options = ("dcmcjpeg", "+el", "+sv", str(predictor))
        word = f"jpeg57-dcmcjpeg-sv{predictor}"
        for kind in (grey(16, 12), colour()):
            yield by_dcmtk(word, JPEG + "57", kind, (*ODD, 2), scratch, *options)
    for rows, columns in EXTREMES:
        for kind in (grey(8, 8), grey(16, 12), colour()):

            def code(values, kind=kind):
                return encode.jpeg(values, lossless=True, predictor=1, bitspersample=kind.stored)

            yield coded_cell("jpeg70", "libjpeg-turbo", JPEG + "70", kind, rows, columns, 1, code)
    for kind in [*GREYS, SIGNED_BYTES, palette(), *COLOURS[:2], colour(planar=1)]:
        yield by_dcmtk("jpeg70-dcmcjpeg", JPEG + "70", kind, (*ODD, 2), scratch, "dcmcjpeg", "+e1")
    yield from large_cells("jpeg70-dcmcjpeg", JPEG + "70", scratch, "dcmcjpeg", "+e1")
    for kind in (grey(8, 8), grey(16, 12), grey(16, 16, signed=True), colour()):
        yield by_gdcm("jpeg70-gdcm", JPEG + "70", kind, (*ODD, 2), scratch)
        yield by_gdcm("jpeg57-gdcm", JPEG + "57", kind, (*ODD, 2), scratch)
    options = ("dcmcjpeg", "+el", "+sv", "1", "+pt", "2")
    yield by_dcmtk("jpeg57-pointtransform", JPEG + "57", grey(16, 12), (*ODD, 1), scratch, *options)


# JPEG-LS.


def jpeg_ls_cells(scratch):
    lossless, near = JPEG + "80", JPEG + "81"
    for kind in [*GREYS, palette(), *COLOURS]:
        for frames in (1, 3):
            yield pydicom_cell("jls80", lossless, kind, *ODD, frames, "pyjpegls")
    for kind in (grey(8, 8), grey(16, 12)):
        for rows, columns in EXTREMES:
            shape = (rows, columns, 1)
            yield by_dcmtk("jls80-dcmcjpls", lossless, kind, shape, scratch, "dcmcjpls")
    for interleave in (0, 1, 2):
        for kind in COLOURS:

            def code(values, interleave=interleave):
                return encode.jls(values, interleave)

            word = f"jls80-ilv{interleave}"
            yield coded_cell(word, "pyjpegls", lossless, kind, *ODD, 2, code)
    for kind in (grey(8, 8), grey(16, 12), colour()):

        def lossy(values, kind=kind):
            return encode.jls(values, 2 if kind.samples == 3 else 0, near=3)

        for frames in (1, 3):
            shape = (*ODD, frames)
            yield coded_cell("jls81", "pyjpegls", near, kind, *shape, lossy, ISO_JPEG_LS)
    for kind in (grey(8, 8), grey(16, 10), grey(16, 16), grey(16, 12, True), colour(), palette()):
        yield by_dcmtk("jls80-dcmcjpls", lossless, kind, (*ODD, 2), scratch, "dcmcjpls")
    for kind in (grey(8, 8), grey(16, 12), colour()):
        yield by_dcmtk("jls81-dcmcjpls", near, kind, (*ODD, 2), scratch, "dcmcjpls", "+en")
        yield by_gdcm("jls80-gdcm", lossless, kind, (*ODD, 2), scratch)
    yield from large_cells("jls80-dcmcjpls", lossless, scratch, "dcmcjpls")
    for word, option in {"line": "+il", "sample": "+is", "none": "+in"}.items():
        word = f"jls80-dcmcjpls-{word}"
        yield by_dcmtk(word, lossless, colour(), (*ODD, 2), scratch, "dcmcjpls", option)


# JPEG 2000 and HTJ2K.


def j2k_cells(scratch):
    for part in ("90", "92"):
        yield from j2k_lossless_cells(part, JPEG + part)
    for part in ("91", "93"):
        yield from j2k_lossy_cells(part, JPEG + part)
    for kind in (grey(8, 8), grey(16, 12), grey(16, 16, signed=True), colour()):
        yield by_gdcm("j2k90-gdcm", JPEG + "90", kind, (*ODD, 2), scratch)
        yield by_gdcm("j2k91-gdcm", JPEG + "91", kind, (*ODD, 2), scratch)


def j2k_lossless_cells(part, syntax):
    word, by = f"j2k{part}", "openjpeg"
    kinds = [*GREYS, ODD_BITS, palette(), *COLOURS] if part == "90" else [grey(8, 8), grey(16, 12), colour()]
    for kind in kinds:

        def code(values, kind=kind):
            return encode.j2k(values, kind)

        for frames in (1, 3) if part == "90" else (1,):
            yield coded_cell(word, by, syntax, kind, *ODD, frames, code)

    def transformed(values):
        return encode.j2k(values, colour(), mct=True)

    for frames in (1, 3):
        yield coded_cell(f"{word}-rct", by, syntax, colour(), *ODD, frames, transformed, None, "YBR_RCT")
    if part == "92":
        return

    def boxed(values):
        return encode.j2k(values, colour(), mct=True, codec_format=1)

    def marked(values):
        return encode.j2k(values, grey(16, 12), add_tlm=True, add_plt=True)

    yield coded_cell("j2k90-jp2", by, syntax, colour(), *ODD, 1, boxed, None, "YBR_RCT")
    yield coded_cell("j2k90-tlm-plt", by, syntax, grey(16, 12), *ODD, 1, marked)
    for rows, columns in EXTREMES:
        for kind in (grey(8, 8), grey(16, 12)):

            def tiny(values, kind=kind):
                options = {"codecformat": "j2k", "reversible": True, "bitspersample": kind.stored}
                return bytes(encode.imagecodecs.jpeg2k_encode(values, resolutions=1, **options))

            yield coded_cell("j2k90", "imagecodecs", syntax, kind, rows, columns, 1, tiny)


def j2k_lossy_cells(part, syntax):
    word, by = f"j2k{part}", "openjpeg"
    for kind in (grey(8, 8), grey(16, 12), grey(16, 16, signed=True)):

        def code(values, kind=kind):
            return encode.j2k(values, kind, compression_ratios=[6])

        for frames in (1, 3):
            yield coded_cell(word, by, syntax, kind, *ODD, frames, code, ISO_J2K)

    def transformed(values):
        return encode.j2k(values, colour(), mct=True, compression_ratios=[6])

    def plain(values):
        return encode.j2k(values, colour(), compression_ratios=[6])

    for frames in (1, 3):
        shape = (*ODD, frames)
        yield coded_cell(f"{word}-ict", by, syntax, colour(), *shape, transformed, ISO_J2K, "YBR_ICT")
    yield coded_cell(word, by, syntax, colour(), *ODD, 1, plain, ISO_J2K)
    yield coded_cell(word, by, syntax, colour("YBR_FULL"), *ODD, 1, plain, ISO_J2K)

    def reversible(values):
        return encode.j2k(values, colour(), mct=True)

    yield coded_cell(f"{word}-reversible", by, syntax, colour(), *ODD, 1, reversible, None, "YBR_RCT")


def htj2k_cells():
    by = "openjph"
    for part, reversible in (("201", True), ("202", True), ("203", False), ("203", True)):
        word = f"htj2k{part}" + ("-reversible" if part == "203" and reversible else "")
        lossy = None if reversible else ISO_HTJ2K
        for kind in (grey(8, 8), grey(16, 12), grey(16, 16), grey(16, 16, True)):

            def code(values, reversible=reversible):
                return encode.htj2k(values, reversible=reversible)

            for frames in (1, 3):
                shape = (*ODD, frames)
                yield coded_cell(word, by, JPEG + part, kind, *shape, code, lossy)

        def plain(values, reversible=reversible):
            return encode.htj2k(values, reversible=reversible, rgb=False)

        def transformed(values, reversible=reversible):
            return encode.htj2k(values, reversible=reversible, rgb=True)

        labelled = "YBR_RCT" if reversible else "YBR_ICT"
        yield coded_cell(word, by, JPEG + part, colour(), *ODD, 1, plain, lossy)
        yield coded_cell(f"{word}-mct", by, JPEG + part, colour(), *ODD, 2, transformed, lossy, labelled)
