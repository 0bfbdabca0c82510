"""A cart that knows Implicit VR alone, with private and UN elements, and its twin that knows Explicit.

    implicit.py send PORT implicit|explicit
    implicit.py differ FOLDER FOLDER

`send` stores the same two instances over the one syntax that it proposes; the second one's
values are UN where Explicit VR can say so. `differ` prints the tags under which files of the
two folders, in the order of their instance numbers, differ in tag or value, whatever their
VRs; then what stands in both of what must stay, as `TAG VALUE`.
"""

import struct
import sys
import warnings
from pathlib import Path

from pydicom import Dataset, Sequence, config, dcmread
from pydicom.dataelem import DataElement
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE
from reactor import turn

warnings.filterwarnings("ignore")
# UN stays UN.
config.replace_un_with_known_vr = False

CT = "1.2.840.10008.5.1.4.1.1.2"
SYNTAXES = {"implicit": ImplicitVRLittleEndian, "explicit": ExplicitVRLittleEndian}
STAY = [0x00180050, 0x00180060, 0x00080060, 0x70531000, 0x70531009]


def slice_(number):
    set_ = Dataset()
    set_.SOPClassUID, set_.SOPInstanceUID = CT, f"2.25.20260101.77.{number}"
    set_.StudyDate = set_.SeriesDate = "20260102"
    set_.Modality, set_.Manufacturer = "CT", "Acme"
    set_.InstitutionName, set_.ReferringPhysicianName = "Invented Hospital", "Beispiel^Ada"
    set_.PatientName, set_.PatientID = "Kanarienvogel^Kim", "CANARY-4711"
    set_.PatientBirthDate, set_.PatientSex = "19500607", "O"
    set_.SliceThickness, set_.KVP = "1.5", "120"
    set_.StudyInstanceUID, set_.SeriesInstanceUID = "2.25.20260101.77.8", "2.25.20260101.77.9"
    set_.StudyID, set_.SeriesNumber, set_.InstanceNumber = "1", "7", str(number)
    reference = Dataset()
    reference.ReferencedSOPClassUID = CT
    reference.ReferencedSOPInstanceUID = "2.25.20260101.77.1"
    set_.ReferencedImageSequence = Sequence([reference])
    set_.SamplesPerPixel, set_.PhotometricInterpretation = 1, "MONOCHROME2"
    set_.Rows = set_.Columns = 16
    set_.BitsAllocated, set_.BitsStored, set_.HighBit, set_.PixelRepresentation = 16, 12, 11, 0
    set_.PixelData = bytes(range(256)) * 2
    set_["PixelData"].VR = "OW"
    return set_


def put(set_, tag, vr, value):
    set_.add(DataElement(tag, vr, value))


def private(set_, as_un):
    """Listed as safe, not listed beside it, an own creator, a private sequence."""
    put(set_, 0x70530010, "LO", "Philips PET Private Group")
    put(set_, 0x70531000, *(("UN", b"0.0015") if as_un else ("DS", "0.0015")))
    put(set_, 0x70531009, *(("UN", b"2.5 ") if as_un else ("DS", "2.5")))
    put(set_, 0x70531003, "LO", "Kanarienvogel Kim")
    put(set_, 0x00090010, "LO", "ACME 1.0")
    put(set_, 0x00091001, *(("UN", b"CANARY-4711 ") if as_un else ("LO", "CANARY-4711")))
    inner = Dataset()
    inner.PatientName = "Kanarienvogel^Kim"
    put(set_, 0x00091002, "SQ", Sequence([inner]))
    put(set_, 0x00091003, "UN", b"\x01\x02Kanarienvogel^Kim\x00")


def unknown(set_):
    """Public elements whose VR a gateway lost on the way."""
    put(set_, 0x00100010, "UN", b"Kanarienvogel^Kim ")
    put(set_, 0x00100020, "UN", b"CANARY-4711 ")
    put(set_, 0x00080080, "UN", b"Kanarienvogel Hospital")
    put(set_, 0x00180050, "UN", b"1.5 ")
    item = struct.pack("<HHI", 0x0008, 0x1155, 20) + b"2.25.20260101.77.1\0\0"
    put(set_, 0x00081140, "UN", struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item)


def send(port, syntax):
    ae = AE(ae_title="CART")
    ae.add_requested_context(CT, SYNTAXES[syntax])
    association = ae.associate("127.0.0.1", port, ae_title="AIRLOCK")
    for number in (1, 2):
        set_ = slice_(number)
        private(set_, as_un=number == 2)
        # Implicit VR cannot say UN: there the same bytes have the dictionary's VR.
        if number == 2:
            unknown(set_)
        set_.file_meta = FileMetaDataset()
        set_.file_meta.TransferSyntaxUID = SYNTAXES[syntax]
        turn(association)
        print(f"{number}: {association.send_c_store(set_).Status:04X}")
    association.release()


def flat(set_, at=""):
    found = {}
    for element in set_:
        name = f"{at}{element.tag.group:04X}{element.tag.element:04X}"
        if element.VR == "SQ":
            found[name] = f"{len(element.value)} items"
            for index, item in enumerate(element.value):
                found |= flat(item, f"{name}[{index}].")
            continue
        value = element.value
        if isinstance(value, bytes):
            value = value.decode("latin-1")
        found[name] = str(value).strip("\0 ")
    return found


def read(folder):
    sets = [dcmread(path) for path in Path(folder).rglob("*.dcm")]
    return sorted(sets, key=lambda set_: set_.InstanceNumber)


def differ(one, other):
    for first, second in zip(read(one), read(other), strict=True):
        left, right = flat(first), flat(second)
        tags = {tag for tag in left.keys() | right.keys() if left.get(tag) != right.get(tag)}
        print(first.InstanceNumber, "differ:", *sorted(tags))
        print(*(f"{tag:08X} {left.get(f'{tag:08X}')}" for tag in STAY), sep="; ")


if sys.argv[1] == "send":
    send(int(sys.argv[2]), sys.argv[3])
else:
    differ(*sys.argv[2:])
