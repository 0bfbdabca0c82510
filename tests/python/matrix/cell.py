"""What a cell is, and the ways to make one: frame by frame, by pydicom, by a tool."""

from collections.abc import Callable
from dataclasses import dataclass

import pydicom
from pydicom.uid import UID

from . import encode
from .objects import DEFLATED_FRAME, ENCAPSULATED, EXPLICIT, encapsulated, mark_lossy, native, uid
from .pictures import colour, draw, grey, palette

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


def coded_cell(
    word, by, syntax, kind, rows, columns, frames, code, lossy=None, labelled=None, **layout
):
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


def large_cells(word, syntax, scratch, *command):
    for kind in LARGE_KINDS:
        yield by_dcmtk(word, syntax, kind, LARGE, scratch, *command)


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
