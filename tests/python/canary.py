"""Writes objects whose every value that could identify holds a canary.

    canary.py FOLDER TABLE

TABLE is config/standard/e1-1.tsv: each of its attributes is there, at the top
and in sequences that no profile removes, with a canary of its own. So are
private and unknown elements, the preamble, file meta, padding, comments in a
codestream. FOLDER/good holds objects that can be cleaned, FOLDER/bad ones that
must end in quarantine. Prints the texts to look for, as a JSON list: no clean
output, log, receipt or file name may hold one, in whatever case.
"""

import io
import json
import sys
import warnings
from itertools import count
from pathlib import Path

from PIL import Image
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit

warnings.filterwarnings("ignore")

WORD = "ZQXJV"
UID = "99999.7777777"
DATE, TIME = "17530412", "031707.141592"
DECIMAL, INTEGER = "31415926.5358", "271828182"
TEXTS = [WORD, UID, DATE, TIME, DECIMAL, INTEGER]

CT = "1.2.840.10008.5.1.4.1.1.2"
ULTRASOUND = "1.2.840.10008.5.1.4.1.1.6.1"
TEXT_SR = "1.2.840.10008.5.1.4.1.1.88.11"
PDF = "1.2.840.10008.5.1.4.1.1.104.1"

# No picture with this is cleaned: Encapsulated Document.
REFUSED = {0x00420011}

numbers = count(1)


def word():
    return f"{WORD}{next(numbers):05}"


def uid():
    return f"1.3.6.1.4.1.{UID}.{next(numbers)}"


def value(vr):
    """A canary that is legal in this VR, None where it can hold none."""
    match vr:
        case "UI":
            return uid()
        case "DA":
            return DATE
        case "TM":
            return TIME
        case "DT":
            return DATE + TIME
        case "DS":
            return DECIMAL
        case "IS":
            return INTEGER
        case "OB" | "OW" | "UN":
            return word().encode() * 2
        case "UR":
            return f"http://{word()}.example/"
        case "PN":
            return f"{word()}^{word()}={word()}={word()}"
        case "AE" | "CS" | "LO" | "LT" | "SH" | "ST" | "UC" | "UT":
            return word()
    return None


def add(data_set, tag, vr):
    content = value(vr)
    if content is not None and tag not in data_set:
        data_set.add(DataElement(tag, vr, content))


def listed(table):
    """Tags of the table with their VR; groups of overlays and curves once."""
    for line in table.read_text().splitlines():
        tag = line.split("\t")[0]
        if line.startswith("#") or not tag[:4].replace("x", "0").isalnum() or "," not in tag:
            continue
        try:
            tag = int(tag.replace(",", "").replace("x", "0"), 16)
            yield tag, dictionary_VR(tag).split(" or ")[0]
        except (KeyError, ValueError):
            continue


def fill(data_set, table):
    for tag, vr in listed(table):
        if tag >> 16 >= 0x0008 and tag not in REFUSED:
            add(data_set, tag, vr)


def private(data_set):
    block = data_set.private_block(0x0029, word(), create=True)
    for element, vr in enumerate(("LO", "SH", "UT", "PN", "UN", "DA", "OB", "UI")):
        block.add_new(element, vr, value(vr))
    item = Dataset()
    item.PatientName = value("PN")
    block.add_new(0x20, "SQ", Sequence([item]))
    data_set.add_new(0x00089ABC, "UN", word().encode())
    data_set.add_new(0x00099ABC, "UN", word().encode())


def patient(class_uid, table):
    """A data set with a canary in all that may hold one."""
    data_set = Dataset()
    data_set.SOPClassUID = class_uid
    data_set.SOPInstanceUID = uid()
    data_set.StudyInstanceUID = uid()
    data_set.SeriesInstanceUID = uid()
    data_set.PatientID = word()
    data_set.SpecificCharacterSet = "ISO_IR 192"
    fill(data_set, table)
    private(data_set)
    for keyword in ("AnatomicRegionSequence", "SharedFunctionalGroupsSequence"):
        inner, item = Dataset(), Dataset()
        for each in (inner, item):
            fill(each, table)
            private(each)
        item.AnatomicRegionModifierSequence = Sequence([inner])
        setattr(data_set, keyword, Sequence([item]))
    data_set.add_new(0x60000022, "LO", word())
    data_set.add_new(0x60001500, "LO", word())
    data_set.add_new(0x60004000, "LT", word())
    data_set.add_new(0xFFFCFFFC, "OB", word().encode() * 8)
    return data_set


def pixels(data_set, modality):
    data_set.Modality = modality
    data_set.SamplesPerPixel, data_set.PhotometricInterpretation = 1, "MONOCHROME2"
    data_set.Rows = data_set.Columns = 64
    data_set.BitsAllocated = data_set.BitsStored = 8
    data_set.HighBit, data_set.PixelRepresentation = 7, 0
    data_set.PixelData = bytes(64 * 64)
    data_set["PixelData"].VR = "OB"
    return data_set


def jpeg():
    """A baseline picture with canaries in a comment and in Exif."""
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = word()
    Image.new("L", (64, 64), 40).save(stream, "JPEG", comment=word(), exif=exif)
    return stream.getvalue()


def write(path, data_set, syntax=ExplicitVRLittleEndian):
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.MediaStorageSOPClassUID = data_set.SOPClassUID
    data_set.file_meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID
    data_set.file_meta.TransferSyntaxUID = syntax
    data_set.file_meta.SourceApplicationEntityTitle = word()
    data_set.file_meta.PrivateInformationCreatorUID = uid()
    data_set.file_meta.PrivateInformation = word().encode()
    data_set.preamble = (word() * 13).encode()[:128]
    path.parent.mkdir(parents=True, exist_ok=True)
    # The name of the file is not to be told either.
    path = path.with_name(f"{word()}-{path.name}.dcm")
    data_set.save_as(path, enforce_file_format=True)
    return path


def good(folder, table):
    write(folder / "ct", pixels(patient(CT, table), "CT"))
    ultrasound = pixels(patient(ULTRASOUND, table), "US")
    ultrasound.PixelData = encapsulate([jpeg()])
    ultrasound["PixelData"].is_undefined_length = True
    write(folder / "us", ultrasound, JPEGBaseline8Bit)


def bad(folder, table):
    nobody = pixels(patient(CT, table), "CT")
    nobody.PatientID = ""
    write(folder / "nobody", nobody)
    nowhere = pixels(patient(CT, table), "CT")
    nowhere.StudyInstanceUID = WORD
    write(folder / "nowhere", nowhere)
    whole = write(folder / "truncated", pixels(patient(CT, table), "CT"))
    whole.write_bytes(whole.read_bytes()[:-2_000])
    document = patient(PDF, table)
    document.EncapsulatedDocument = f"%PDF-1.4 {word()}".encode()
    document.MIMETypeOfEncapsulatedDocument = "application/pdf"
    write(folder / "pdf", document)


def unsure(folder, table):
    """Legal or not, cleaned or set aside: both are right."""
    odd = pixels(patient(CT, table), "CT")
    for keyword, vr in (("StudyDate", "DA"), ("StudyTime", "TM"), ("PatientAge", "AS")):
        odd[keyword] = DataElement(keyword, vr, WORD)
    write(folder / "odd", odd)
    report = patient(TEXT_SR, table)
    report.Modality = "SR"
    report.ValueType, report.ContinuityOfContent = "CONTAINER", "SEPARATE"
    item = Dataset()
    item.RelationshipType, item.ValueType, item.TextValue = "CONTAINS", "TEXT", word()
    report.ContentSequence = Sequence([item])
    write(folder / "sr", report)


def main(folder, table):
    good(folder / "good", table)
    bad(folder / "bad", table)
    unsure(folder / "unsure", table)
    print(json.dumps(TEXTS))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
