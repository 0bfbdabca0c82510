"""What other readers say of painted instances: inputs and outputs in, faults out."""

import json
import re
import subprocess
import tempfile
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pydicom
from pydicom.encaps import generate_frames
from pydicom.pixels.common import PhotometricInterpretation as PI
from pydicom.pixels.processing import apply_color_lut

from .decode import by_another, by_pydicom
from .jpeg_blocks import read_blocks
from .objects import DEFLATED, JPEG

PROCESSES = 2
DCT = (JPEG + "50", JPEG + "51")
# What a DCT leaves of black: a sixteenth of the range.
DCT_DARK = 1 / 16
# Two decoders of a DCT differ by rounding, in units of 8 bits; where colour is
# subsampled they also draw it out in different ways, so only light is compared.
DCT_ROUNDING = 2
# Blocks that are read in Python, for each instance; the rest by their samples.
BLOCKS_MAX = 20_000


def check(folder, out):
    """For each painted instance what was found, by name."""
    painted = json.loads((out / "painted.json").read_text())
    with tempfile.TemporaryDirectory() as scratch, ProcessPoolExecutor(PROCESSES) as pool:
        jobs = [(folder, out, Path(scratch), name, how) for name, how in sorted(painted.items())]
        return dict(zip(sorted(painted), pool.map(check_one, jobs, chunksize=8), strict=True))


def check_one(job):
    folder, out, scratch, name, how = job
    warnings.simplefilter("ignore")
    source, target = folder / f"{name}.dcm", out / f"{name}.dcm"
    faults, other = [], None
    try:
        after, meaning = by_pydicom(target)
        if how["comparable"]:
            faults += compare(source, target, how["rect"], after, meaning)
        other, difference = second_reader(target, scratch, after)
        if difference:
            faults.append(f"{other}: {difference}")
        new = sorted(validity_errors(target, scratch) - validity_errors(source, scratch))
        faults += [f"dciodvfy: {line}" for line in new[:3]]
    except Exception as error:  # noqa: BLE001 readers raise what they like
        faults.append(f"{type(error).__name__}: {error}"[:300])
    return {"other": other, "faults": faults}


def compare(source, target, rect, after, meaning):
    """Equal outside of the rectangle, dark inside."""
    before, _meaning = by_pydicom(source)
    if before.shape != after.shape:
        return [f"shape {before.shape} became {after.shape}"]
    data_set = pydicom.dcmread(target)
    x, y, width, height = rect
    inside = np.zeros(before.shape[1:3], bool)
    inside[y : y + height, x : x + width] = True
    dct = data_set.file_meta.TransferSyntaxUID in DCT
    touched = inside.copy()
    if data_set.PhotometricInterpretation == PI.YBR_FULL_422 and not dct:
        # Two columns share their colour, and a pair is painted whole.
        touched[y : y + height, x - x % 2 : x + width + (x + width) % 2] = True
    faults = []
    if dct:
        touched, faults = compare_blocks(pydicom.dcmread(source), data_set, rect)
    changed = np.argwhere((before != after).reshape(*before.shape[:3], -1).any(-1) & ~touched)
    if len(changed):
        frame, row, column = changed[0]
        places = (
            f"{len(changed)} pixels outside changed, first frame {frame} row {row} column {column}"
        )
        faults.append(f"{places}: {before[frame, row, column]} became {after[frame, row, column]}")
    return faults + not_dark(data_set, meaning, before, after[:, inside], dct)


def compare_blocks(source, target, rect):
    """Coefficients of blocks outside of the touched MCUs; the pixels that they
    may have changed: theirs, and one more where colour is drawn out."""
    faults, touched = [], np.zeros((target.Rows, target.Columns), bool)
    left = BLOCKS_MAX
    pairs = zip(frames_of(source), frames_of(target), strict=True)
    for number, (before, after) in enumerate(pairs):
        if number > 0 and left <= 0:
            break
        before, after = read_blocks(before), read_blocks(after)
        across = max(part.horizontal for part in before)
        down = max(part.vertical for part in before)
        hull = mcu_hull(rect, 8 * across, 8 * down)
        margin = 0 if across == down == 1 else max(across, down)
        x0, y0, x1, y1 = hull
        touched[max(0, y0 - margin) : y1 + margin, max(0, x0 - margin) : x1 + margin] = True
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            left -= one.blocks.shape[0] * one.blocks.shape[1]
            if one.blocks.shape != other.blocks.shape or one.quantisation != other.quantisation:
                faults.append(f"frame {number}: component {index} is coded otherwise")
                continue
            differs = (one.blocks != other.blocks).any(-1)
            wide, high = 8 * across // one.horizontal, 8 * down // one.vertical
            differs[y0 // high : -(-y1 // high), x0 // wide : -(-x1 // wide)] = False
            if differs.any():
                faults.append(f"frame {number}: {differs.sum()} blocks outside changed")
    return touched, faults


def frames_of(data_set):
    frames = int(data_set.get("NumberOfFrames", 1) or 1)
    extended = None
    if "ExtendedOffsetTable" in data_set:
        extended = (data_set.ExtendedOffsetTable, data_set.ExtendedOffsetTableLengths)
    return generate_frames(data_set.PixelData, number_of_frames=frames, extended_offsets=extended)


def mcu_hull(rect, width, height):
    """The rectangle widened to whole MCUs: left, top, right, bottom."""
    x, y, wide, high = rect
    right, bottom = -(-(x + wide) // width) * width, -(-(y + high) // height) * height
    return x // width * width, y // height * height, right, bottom


def not_dark(data_set, meaning, before, inside, dct):
    """Whether what was painted is displayed darkest."""
    full = 2 ** int(data_set.BitsStored)
    allowed = full * DCT_DARK if dct else 0
    if meaning == PI.PALETTE_COLOR:
        painted, every = (
            light(np.unique(inside), data_set),
            light(palette_places(data_set), data_set),
        )
        return [] if painted.max() <= every.min() else ["not the darkest of the palette"]
    if meaning.startswith("MONOCHROME"):
        darkest = darkest_grey(data_set, meaning, before)
        far = np.abs(inside.astype(np.int64) - darkest).max()
        return [] if far <= allowed else [f"inside is {far} from the darkest value {darkest}"]
    black = [0, 0, 0] if meaning == PI.RGB else [0, full // 2, full // 2]
    far = np.abs(inside.astype(np.int64) - black).max()
    return [] if far <= allowed else [f"inside is {far} from black"]


def light(places, data_set):
    """How bright these entries are displayed, red, green and blue together, each
    with the 8 bits that a display has."""
    colours = apply_color_lut(places, data_set)
    return (colours >> (8 * colours.dtype.itemsize - 8)).astype(int).sum(-1)


def palette_places(data_set):
    entries, first, _bits = data_set.RedPaletteColorLookupTableDescriptor
    return np.arange(first, first + (entries or 65536))


def darkest_grey(data_set, meaning, before):
    """The end of the range that is displayed dark. Where values are signed,
    rescaled or wide it is the end of those that the picture has, or of padding."""
    inverted = meaning == PI.MONOCHROME1 or data_set.get("PresentationLUTShape") == "INVERSE"
    slope = float(data_set.get("RescaleSlope") or 1)
    if slope < 0:
        inverted = not inverted
    moved = slope != 1 or float(data_set.get("RescaleIntercept") or 0) != 0
    stored = 2 ** int(data_set.BitsStored)
    least, greatest = 0, stored - 1
    if data_set.PixelRepresentation == 1:
        least, greatest = -stored // 2, stored // 2 - 1
    ends = [value for value in [data_set.get("PixelPaddingValue")] if value is not None]
    ends = [value for value in ends if least <= value <= greatest]
    wide = inverted and data_set.BitsAllocated > 16
    if data_set.PixelRepresentation == 1 or moved or wide or "ModalityLUTSequence" in data_set:
        least, greatest = int(before.min()), int(before.max())
    return max([greatest, *ends]) if inverted else min([least, *ends])


def second_reader(path, scratch, own):
    """(reader, how its values differ from pydicom's)."""
    other, values = by_another(path, scratch)
    data_set = pydicom.dcmread(path)
    if values is None:
        return other, fragments_fault(path, int(data_set.get("NumberOfFrames", 1) or 1))
    if values.shape != own.shape:
        return other, f"shape {values.shape} instead of {own.shape}"
    allowed = 0
    if data_set.file_meta.TransferSyntaxUID in DCT:
        allowed = DCT_ROUNDING * max(1, 2 ** int(data_set.BitsStored) // 256)
        if values.ndim == 4:
            values, own = values[..., 0], own[..., 0]
    far = np.abs(values.astype(np.int64) - own.astype(np.int64)).max()
    return other, f"values differ from pydicom's by {far}" if far > allowed else ""


def fragments_fault(path, frames):
    """dcmtk knows no decoder for it, but finds an offset table and a fragment for
    each frame."""
    done = subprocess.run(["dcmdump", str(path)], capture_output=True, check=False)
    items = sum(b" pi " in line for line in done.stdout.splitlines())
    return (
        "" if done.returncode == 0 and items == frames + 1 else f"{items} items of {frames} frames"
    )


def validity_errors(path, scratch):
    """What dciodvfy calls an error. It does not inflate: dcmtk does that first."""
    if pydicom.dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID == DEFLATED:
        inflated = scratch / (path.parent.name + path.name)
        command = ["dcmconv", "+te", str(path), str(inflated)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return {line for line in done.stderr.splitlines() if line.startswith(("E:", "F:"))}
        path = inflated
    command = ["dciodvfy", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, errors="replace")
    lines = (done.stderr + done.stdout).splitlines()
    return {re.sub(r"\s+", " ", line).strip() for line in lines if "Error - " in line}
