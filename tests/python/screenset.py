"""Frames for measuring the screen: with one line of text planted, and without any.

    screenset.py planted OUT SEED COUNT      OUT/*.dcm and OUT/planted.json
    screenset.py empty OUT SEED COUNT

CT and MR of 256 to 512 pixels with 16 bits, and 8-bit grey: bodies as
bench_drawn.py and frameset draw them and, for a third, real slices of PyPI `pydicom`
and `pydicom-data` with noise of their own. Text: the typefaces of frameset, 6 to 72
pixels high, any place, five classes of contrast from plain to as faint as the noise.
Nothing here is used to train the screen. Persons are made up.
"""

import argparse
import functools
import json
from pathlib import Path

import numpy as np
import pydicom
from bench_drawn import PADDING, chest_ct, head_ct, header
from bench_header import slice_of
from frameset import backgrounds, fonts
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.uid import CTImageStorage, MRImageStorage, SecondaryCaptureImageStorage
from scipy import ndimage

SIZES = [(6, 9), (10, 14), (15, 22), (23, 36), (37, 72)]
# Ink against the ground, in parts of the shown range.
CONTRASTS = {"full": (0.8, 1.0), "strong": (0.4, 0.8), "middle": (0.15, 0.4), "weak": (0.06, 0.15), "faint": (0.02, 0.06)}
NAMES = ["OSTROWSKI", "Beispiel", "Marek", "NGUYEN THI", "Garcia", "O'Brien", "Li", "van der Berg", "SCHMIDT", "Ada", "Kowalczyk", "DOE^JANE"]
WORDS = ["ST. MARY HOSPITAL", "ID 998127", "DOB: 14-MAR-1967", "02.01.2026", "10:15:32", "M 045Y", "Acc A4711", "Dr. Beispiel", "R", "LT", "#12", "7731"]
FACES = [*fonts.SCALABLE, *fonts.BITMAP, "X11 misc", *fonts.STROKE]


def face(random, size):
    """A typeface about that high."""
    name = FACES[random.integers(len(FACES))]
    sizes = fonts.BITMAP[name][1] if name in fonts.BITMAP else list(fonts.PCF) if name == "X11 misc" else None
    if sizes:
        near = min(sizes, key=lambda one: abs(one - size))
        return fonts.Face(name, near, False) if abs(near - size) <= 3 else face(random, size)
    return fonts.Face(name, int(size), bool(random.random() < 0.8))


@functools.cache
def real(name):
    import data_store

    found = next(Path(data_store.__file__).parent.rglob(name), None) or get_testdata_file(name)
    return pydicom.dcmread(found).pixel_array.astype(np.float32)


REAL = ["693_UNCR.dcm", "MR-SIEMENS-DICOM-WithOverlays.dcm", "CT_small.dcm", "MR_small.dcm"]


def body(random, number):
    """A slice as stored values, and its kind."""
    kind = random.random()
    if kind < 0.35:
        return "drawn chest", chest_ct(int(random.integers(1 << 30))).astype(np.float32)
    if kind < 0.5:
        return "real head", head_ct(int(random.integers(1 << 30))).astype(np.float32)
    if kind < 0.7:
        plane = real(REAL[1 + random.integers(len(REAL) - 1)])
        plane = ndimage.zoom(plane, 256 / max(plane.shape) if max(plane.shape) < 256 else 1, order=1)
        return "real small", plane + random.normal(0, random.uniform(0, 0.01) * np.ptp(plane), plane.shape)
    side = int(random.choice([256, 320, 512]))
    box = (0, 0, side, side)
    if kind < 0.8:
        return "speckle", 8 * backgrounds.sector(random, side, side, box, convex=bool(random.random() < 0.5))(number)[..., 0]
    if kind < 0.9:
        return "film", 16 * backgrounds.film(random, side, side, str(random.choice(["chest", "limb", "breast"])))(0)[..., 0].astype(np.float32)
    plane = 1000 + 300 * backgrounds.smooth(random, (side, side), int(random.integers(20, 90)))
    inside = np.hypot(*np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]) < random.uniform(0.5, 0.95)
    return "drawn head", np.where(inside, plane + random.normal(0, random.uniform(3, 40), plane.shape), random.normal(20, 4, plane.shape))


def placed(random, plane):
    """The slice moved, turned and scaled, so that no ground comes twice."""
    if random.random() < 0.5:
        plane = plane[:, ::-1]
    plane = np.rot90(plane, random.choice([0, 0, 2]))
    plane = np.roll(plane, random.integers(-40, 41, 2), (0, 1))
    side = min(plane.shape)
    part = int(side * random.uniform(0.6, 1))
    y, x = (int(random.integers(0, have - part + 1)) for have in plane.shape)
    plane = plane[y : y + part, x : x + part]
    return ndimage.zoom(plane, side / part, order=1) if random.random() < 0.5 else plane


def plant(random, plane):
    """Writes one line on a slice; what was written, or nothing when there is no room."""
    size = int(random.integers(*SIZES[random.integers(len(SIZES))], endpoint=True))
    name = list(CONTRASTS)[random.integers(len(CONTRASTS))]
    words = [*NAMES, *WORDS]
    text = " ".join(words[random.integers(len(words))] for _ in range(random.integers(1, 3)))
    drawn = face(random, size)
    if not drawn.can(text):
        return None
    mask = drawn.raster(text)
    if random.random() < 0.08:
        mask = np.rot90(mask)
    rows, columns = np.flatnonzero(mask.max(1) > 0.3), np.flatnonzero(mask.max(0) > 0.3)
    if not rows.size or mask.shape[0] >= plane.shape[0] or mask.shape[1] >= plane.shape[1]:
        return None
    y, x = (int(random.integers(0, have - need)) for have, need in zip(plane.shape, mask.shape))
    low, high = np.percentile(plane[plane != PADDING], [0.5, 99.5])
    place = plane[y : y + mask.shape[0], x : x + mask.shape[1]]
    step = random.uniform(*CONTRASTS[name]) * (high - low)
    level = place.mean()
    ink = level + step if level < (low + high) / 2 or random.random() < 0.3 else level - step
    place[:] = place * (1 - mask) + ink * mask
    box = [x + int(columns[0]), y + int(rows[0]), x + int(columns[-1]) + 1, y + int(rows[-1]) + 1]
    return {"contrast": name, "height": int(min(rows.size, columns.size)), "letters": len(text), "face": drawn.name, "box": box}


def write(path, number, plane, eight_bits, modality):
    if eight_bits:
        low, high = plane[plane != PADDING].min(), plane.max()
        ds = header(SecondaryCaptureImageStorage, "OT", number)
        stored = np.clip((plane - low) * (255 / max(high - low, 1)), 0, 255).astype(np.uint8)
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    else:
        ds = slice_of(number)
        ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 15, 1
        for keyword in ("SmallestImagePixelValue", "LargestImagePixelValue"):
            delattr(ds, keyword)
        ds.add_new("PixelPaddingValue", "SS", PADDING)
        ds.Modality, ds.SOPClassUID = modality, CTImageStorage if modality == "CT" else MRImageStorage
        stored = np.clip(plane, -32768, 32767).round().astype("<i2")
    ds.Rows, ds.Columns = stored.shape
    ds.PixelData = stored.tobytes() + bytes(stored.nbytes % 2)
    ds.save_as(path, enforce_file_format=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["planted", "empty"])
    parser.add_argument("out", type=Path)
    parser.add_argument("seed", type=int)
    parser.add_argument("count", type=int)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    random, rows = np.random.default_rng(options.seed), {}
    for number in range(options.count):
        kind, plane = body(random, number)
        plane = np.array(placed(random, plane), np.float32)
        row = {"ground": kind}
        while options.what == "planted":
            planted = plant(random, plane)
            if planted:
                row |= planted
                break
        name = f"{options.seed}-{number:05}"
        write(options.out / f"{name}.dcm", number, plane, random.random() < 0.25, "CT" if "chest" in kind or "head" in kind else "MR")
        rows[name] = row
    (options.out / f"{options.what}.json").write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
