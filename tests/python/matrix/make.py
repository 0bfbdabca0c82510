"""Writes the matrix: instances, the values that pydicom decodes, a manifest."""

import json
import shutil
import tempfile
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pydicom

from .cells import all_cells
from .decode import by_pydicom
from .pictures import text_box
from .public import PIXELS_MAX, public_files

PROCESSES = 2


def make(folder, begin):
    """Fills `folder` with the cells whose names begin like `begin` and writes
    `manifest.json` into it."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, ProcessPoolExecutor(PROCESSES) as pool:
        jobs = [(folder, Path(scratch), begin, part) for part in range(PROCESSES)]
        parts = [entry for made in pool.map(make_part, jobs) for entry in made]
    entries = [entry for _place, entry in sorted(parts, key=lambda part: part[0])]
    (folder / "manifest.json").write_text(json.dumps(entries, indent=1))


def make_part(job):
    """Each process makes every second cell."""
    folder, scratch, begin, part = job
    warnings.simplefilter("ignore")
    made = []
    for place, cell in enumerate(everything(scratch)):
        if place % PROCESSES == part and cell[0].startswith(tuple(begin.split(","))):
            made.append((place, entry(folder, cell)))
    return made


def everything(scratch):
    for cell in all_cells(scratch):
        yield cell.name, cell.by, cell.write
    for source, name, path in public_files():

        def write(target, path=path):
            shutil.copy(path, target)

        yield name, source, write


def entry(folder, cell):
    """Writes one cell and says what it is; `missing` is why there is none,
    `undecoded` why pydicom gives no values to compare with."""
    name, by, write = cell
    path = folder / f"{name}.dcm"
    found = {"name": name, "by": by}
    try:
        write(path)
        found |= described(pydicom.dcmread(path))
        if np.prod(found["size"]) * found["frames"] > PIXELS_MAX:
            raise ValueError(f"left out: more than {PIXELS_MAX} pixels")
    except Exception as error:  # noqa: BLE001 foreign encoders raise what they like
        path.unlink(missing_ok=True)
        return {"name": name, "by": by, "missing": one_line(error)}
    try:
        values, photometric = by_pydicom(path)
    except Exception as error:  # noqa: BLE001 decoders raise what they like
        return found | {"undecoded": one_line(error)}
    allocated = max(8, found["bits"][0])
    kind = f"{'i' if values.dtype.kind == 'i' else 'u'}{allocated // 8}"
    (folder / f"{name}.raw").write_bytes(values.astype(f"<{kind}").tobytes())
    return found | {"values": kind, "meaning": photometric}


def described(data_set):
    columns, rows = data_set.Columns, data_set.Rows
    return {
        "syntax": str(data_set.file_meta.TransferSyntaxUID),
        "photometric": str(data_set.PhotometricInterpretation),
        "bits": [data_set.BitsAllocated, data_set.BitsStored],
        "signed": data_set.PixelRepresentation == 1,
        "planar": data_set.get("PlanarConfiguration", 0) or 0,
        "frames": int(data_set.get("NumberOfFrames", 1) or 1),
        "size": [columns, rows],
        "lossy": data_set.get("LossyImageCompression", "") == "01",
        "text": text_box(rows, columns),
    }


def one_line(error):
    """What went wrong in a line, without the name of a file."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    if text.endswith(":") and len(lines) > 1:
        text = f"{text} {lines[1]}"
    return " ".join(word for word in text.split() if "/" not in word)
