"""Cells of JPEG: with a DCT of 8 and 12 bits, and lossless."""

from . import encode
from .cell import (
    COLOURS,
    COLUMNS,
    EXTREMES,
    GREYS,
    ISO_JPEG,
    ODD,
    ROWS,
    SIGNED_BYTES,
    by_dcmtk,
    by_gdcm,
    coded_cell,
    large_cells,
)
from .objects import JPEG
from .pictures import Kind, colour, grey, palette


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
    yield lossy_jpeg_cell(
        "jpeg50-fragments-emptytable", "50", grey(8, 8), (*ODD, 3), code, **layout
    )

    def restarts(values):
        return encode.pillow_jpeg(values, quality=85, restart_marker_blocks=5)

    yield lossy_jpeg_cell("jpeg50-restarts", "50", grey(8, 8), (*ODD, 2), restarts, "pillow")


def jpeg_colour_cells():
    samplings = {
        "444": "YBR_FULL",
        "422": "YBR_FULL_422",
        "420": "YBR_FULL_422",
        "440": "YBR_FULL_422",
        "411": "YBR_FULL_422",
    }
    pillow_samplings = {"444": 0, "422": 1, "420": 2}
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

        def restarts(values, pillow=pillow_samplings.get(sampling)):
            options = {"subsampling": pillow, "restart_marker_blocks": 4}
            return encode.pillow_jpeg(values, quality=85, **options)

        if sampling in pillow_samplings:
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
