"""Cells without loss but for JPEG: native, in fragments, deflated, RLE."""

import numpy as np

from . import encode
from .cell import (
    COLOURS,
    COLUMNS,
    EXTREMES,
    GREYS,
    NATIVE_ONLY,
    ODD,
    PALETTES,
    PLANAR,
    ROWS,
    SIGNED_BYTES,
    WIDE,
    by_dcmtk,
    by_gdcm,
    cell,
    coded_cell,
    large_cells,
    pydicom_cell,
    size_name,
)
from .objects import (
    BIG_ENDIAN,
    DEFLATED,
    DEFLATED_FRAME,
    ENCAPSULATED,
    EXPLICIT,
    IMPLICIT,
    RLE,
    deflate,
    native,
    split,
)
from .pictures import colour, draw, grey, palette


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
    kinds = [
        grey(8, 8),
        grey(16, 12),
        grey(16, 16, signed=True),
        palette(),
        colour(),
        colour(planar=1),
    ]
    codings = (("encapsulated", ENCAPSULATED, bytes), ("deflatedframe", DEFLATED_FRAME, deflate))
    for word, syntax, code in codings:
        for kind in [*kinds, colour("YBR_FULL_422")]:
            for frames in (1, 3):
                yield coded_cell(
                    word, "python", syntax, kind, ROWS, COLUMNS, frames, native_of(kind, code)
                )
        yield coded_cell(word, "python", syntax, grey(8, 8), *ODD, 3, native_of(grey(8, 8), code))


def native_of(kind, code):
    def frame_of(values):
        return code(split(values[np.newaxis], kind)[0])

    return frame_of


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


def rle_cell(word, kind, rows, columns, frames, table="basic"):
    return pydicom_cell(word, RLE, kind, rows, columns, frames, "pydicom", table)
