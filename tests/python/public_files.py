"""Copies DICOM files into folders, each without two of one SOP Instance UID.

    public_files.py FOLDER public|iods|devset

public   All of pydicom's: its test and character set files and those of PyPI
         pydicom-data; what ends in .dcm or has DICM after the preamble.
iods     For each SOP class of config/standard/iods.tsv an object with every
         attribute that config/standard/types.tsv knows for it, made here.
devset   The instances beside this clone; nothing where it is not there.

Prints the folders as a JSON list. A file is named by its number and its name.
"""

import json
import os
import shutil
import sys
import warnings
from collections import Counter
from pathlib import Path

import data_store
import pydicom
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

REPOSITORY = Path(__file__).resolve().parents[2]
DEVSET = Path(os.environ.get("AIRLOCK_DEVSET", REPOSITORY.parent / "shared" / "devset")) / "data"
STANDARD = REPOSITORY / "config" / "standard"
PREAMBLE_BYTES = 128
FIXED = {"AS": "040Y", "DA": "20200102", "DT": "20200102030405", "DS": "1.5", "TM": "030405"}

warnings.filterwarnings("ignore")


def main(folder, what):
    files = {"public": public, "devset": devset}
    folder.mkdir(parents=True)
    if what == "iods":
        batches = [folder / "0"]
        batches[0].mkdir()
        for number, (sop_class, data_set) in enumerate(sorted(objects().items())):
            name = f"{number:03}-{sop_class}.dcm"
            data_set.save_as(batches[0] / name, enforce_file_format=True)
    else:
        batches = copied(files[what](), folder)
    print(json.dumps([str(batch) for batch in batches]))
    return 0


def copied(paths, folder):
    """A folder for the first of each UID, one for the second, and so on."""
    seen = Counter()
    batches = []
    for number, path in enumerate(paths):
        batch = folder / str(seen[uid := instance_uid(path)])
        seen[uid] += uid is not None
        if batch not in batches:
            batches.append(batch)
            batch.mkdir()
        shutil.copy(path, batch / f"{number:03}-{path.name}")
    return batches


def instance_uid(path):
    try:
        return pydicom.dcmread(path, stop_before_pixels=True, force=True).get("SOPInstanceUID")
    except Exception:  # what pydicom raises over damaged files is not one class
        return None


def public():
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


def devset():
    return sorted(path for path in DEVSET.rglob("*") if path.is_file())


def is_dicom(path):
    if path.suffix == ".dcm":
        return True
    with path.open("rb") as file:
        head = file.read(PREAMBLE_BYTES + 4)
    return head[PREAMBLE_BYTES:] == b"DICM"


def objects():
    """SOP class and an object of it."""
    classes = dict(rows("iods.tsv"))
    made = {sop_class: object_of(sop_class) for sop_class in classes}
    for tag, place, _, names in rows("types.tsv"):
        tag = int(tag.replace(",", ""), 16)
        vr = dictionary_VR(tag).split(" ")[0]
        for sop_class, name in classes.items():
            if place == "top" and (names == "*" or name in names.split(",")):
                made[sop_class].add_new(tag, vr, value(tag, vr))
    return made


def value(tag, vr):
    """Valid for the VR, and another one for each attribute."""
    if vr == "SQ":
        return [code()]
    if vr == "UI":
        return f"1.2.3.{tag}"
    if tag == 0x00080201:
        return "+0100"
    return FIXED.get(vr, f"T{tag:08X}")


def rows(name):
    lines = (STANDARD / name).read_text().splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


def code():
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "1", "99TEST", "some code"
    return item


def object_of(sop_class):
    data_set = Dataset()
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data_set.SOPClassUID = sop_class
    data_set.SOPInstanceUID = generate_uid(entropy_srcs=["instance", sop_class])
    data_set.StudyInstanceUID = generate_uid(entropy_srcs=["study", sop_class])
    data_set.SeriesInstanceUID = generate_uid(entropy_srcs=["series", sop_class])
    data_set.PatientName, data_set.PatientID = "Subject^Seven", "S-7004"
    data_set.PatientBirthDate, data_set.PatientSex = "19700203", "F"
    data_set.StudyDate, data_set.StudyTime = "20200102", "030405"
    data_set.AccessionNumber, data_set.StudyID = "ACC-7004", "STUDY-7004"
    data_set.ReferringPhysicianName = "Referrer^Ruth"
    data_set.Manufacturer = "Maker"
    data_set.SeriesNumber = data_set.InstanceNumber = "1"
    return data_set


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
