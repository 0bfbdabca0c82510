"""Copies all of pydicom's DICOM files into a folder.

    public_files.py FOLDER

Taken is what ends in .dcm or begins as PS3.10 says (DICM after the preamble),
of pydicom's own files, its character set files and those of PyPI pydicom-data.
A file is named by its number and its name, so that none hides another.
"""

import shutil
import sys
from pathlib import Path

import data_store
import pydicom

PREAMBLE_BYTES = 128


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(files()):
        shutil.copy(path, folder / f"{number:03}-{path.name}")
    return 0


def files():
    """In the order of their names, the same in each environment."""
    bundled = Path(pydicom.__file__).parent / "data"
    roots = [bundled / "test_files", bundled / "charset_files", *map(Path, data_store.__path__)]
    found = [
        (path.name, str(path.relative_to(root)), path)
        for root in roots
        for path in root.rglob("*")
        if path.is_file() and is_dicom(path)
    ]
    return [path for _, _, path in sorted(found)]


def is_dicom(path):
    if path.suffix == ".dcm":
        return True
    with path.open("rb") as file:
        head = file.read(PREAMBLE_BYTES + 4)
    return head[PREAMBLE_BYTES:] == b"DICM"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
