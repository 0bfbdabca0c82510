"""Public and invented files that are there already: pydicom's, pydicom-data's,
and the devset's where it stands beside the clone, or where AIRLOCK_DEVSET says."""

import os
from pathlib import Path

import data_store
import pydicom
from pydicom.errors import InvalidDicomError

REPOSITORY = Path(__file__).resolve().parents[3]
DEVSET = Path(os.environ.get("AIRLOCK_DEVSET", REPOSITORY.parent / "shared" / "devset")) / "data"
# Larger ones show nothing that smaller ones do not, and take minutes.
PIXELS_MAX = 2_500_000
# Not free to be used.
LEFT_OUT = {"JPEGExtended_3s_1f_u_08_08"}


def public_files():
    """(name, path) of every file with Pixel Data, each instance once."""
    roots = {
        "pydicom-files": [Path(pydicom.__file__).parent / "data" / "test_files"],
        "pydicom-data": [Path(path) for path in data_store.__path__],
        "devset": [DEVSET] if DEVSET.is_dir() else [],
    }
    seen = set()
    for source, folders in roots.items():
        for folder in folders:
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                key = picture_key(path)
                if key is None or key in seen or path.stem in LEFT_OUT:
                    continue
                seen.add(key)
                yield (
                    source,
                    f"{source}-{'-'.join(path.relative_to(folder).with_suffix('').parts)}",
                    path,
                )


def picture_key(path):
    """What makes the pixels of a file its own; None without Pixel Data."""
    try:
        data_set = pydicom.dcmread(path)
    except (InvalidDicomError, OSError, ValueError, NotImplementedError, AttributeError, EOFError):
        return None
    if "PixelData" not in data_set or "TransferSyntaxUID" not in data_set.file_meta:
        return None
    return (data_set.file_meta.TransferSyntaxUID, bytes(data_set.PixelData[:100_000]))
