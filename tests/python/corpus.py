"""Copies public DICOM files out of pydicom's packages into a folder.

    corpus.py FOLDER COUNT

Taken are files with SOP Class, SOP Instance UID, Patient ID and transfer
syntax, whose file meta and data set name the same instance (a sender takes its
command from the meta), none with the instance UID of another. They are the
first COUNT by depth and name, so that each run has the same ones, and odd ones
come before the many alike of the DICOMDIR examples. Prints their names, one a
line. Fails when there are fewer.
"""

import shutil
import sys
import warnings
from pathlib import Path

import data_store
import pydicom
from pydicom.errors import InvalidDicomError

warnings.filterwarnings("ignore")


def main(folder, count):
    folder.mkdir(parents=True, exist_ok=True)
    taken = {}
    for path in candidates():
        uid = instance_uid(path)
        if uid is None or uid in taken:
            continue
        # Two folders have files of one name.
        name = f"{len(taken):03}-{path.stem}.dcm"
        shutil.copy(path, folder / name)
        taken[uid] = name
        if len(taken) == count:
            break
    print("\n".join(taken.values()))
    return 0 if len(taken) == count else f"only {len(taken)} files of {count}"


def candidates():
    roots = [Path(pydicom.__file__).parent / "data" / "test_files", *map(Path, data_store.__path__)]
    files = [
        (len(path.relative_to(root).parts), path.name, path)
        for root in roots
        for path in root.rglob("*")
        if path.is_file()
    ]
    return [path for _, _, path in sorted(files)]


def instance_uid(path):
    """The instance UID of a file that has what a node needs, else None."""
    try:
        data_set = pydicom.dcmread(path, stop_before_pixels=True)
    except (InvalidDicomError, OSError, ValueError, NotImplementedError, AttributeError):
        return None
    wanted = ("SOPClassUID", "SOPInstanceUID", "PatientID")
    meta = data_set.file_meta
    if not all(data_set.get(keyword) for keyword in wanted) or not meta.get("TransferSyntaxUID"):
        return None
    named = (meta.get("MediaStorageSOPClassUID"), meta.get("MediaStorageSOPInstanceUID"))
    if named != (data_set.SOPClassUID, data_set.SOPInstanceUID):
        return None
    return str(data_set.SOPInstanceUID)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
