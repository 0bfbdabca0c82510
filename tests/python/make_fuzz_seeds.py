"""Writes the first inputs of the fuzz targets: small, invented.

    make_fuzz_seeds.py FOLDER          usually fuzz/corpus
"""

import io
import struct
import sys
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

CT = "1.2.840.10008.5.1.4.1.1.2"
SR = "1.2.840.10008.5.1.4.1.1.88.11"


def base(sop_class=CT, charset="ISO_IR 100", name="Winterbottom^Jo"):
    data_set = Dataset()
    data_set.SpecificCharacterSet = charset
    data_set.SOPClassUID, data_set.SOPInstanceUID = sop_class, "1.2.752.99.1"
    data_set.StudyInstanceUID, data_set.SeriesInstanceUID = "1.2.752.99.2", "1.2.752.99.3"
    data_set.PatientName, data_set.PatientID = name, "PZ-4471903"
    data_set.PatientBirthDate, data_set.StudyDate = "19611005", "20240131"
    data_set.SeriesDescription = "Knee Winterbottom 3mm"
    return data_set


def item(**values):
    data_set = Dataset()
    for keyword, value in values.items():
        setattr(data_set, keyword, value)
    return data_set


def written(data_set, syntax=ExplicitVRLittleEndian):
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = syntax
    file = io.BytesIO()
    data_set.save_as(file, enforce_file_format=True)
    return file.getvalue()


def implicit(tag, value):
    return struct.pack("<HHL", tag >> 16, tag & 0xFFFF, len(value)) + value


def files():
    plain = base()
    plain.ImageComments = "left knee 31 Jan 2024"
    yield "plain", written(plain)

    nested = base()
    inner = Sequence([item(ImageComments="Jo", ReferencedSOPInstanceUID="1.2.752.99.4")])
    nested.ReferencedImageSequence = Sequence([item(ReferencedImageSequence=inner), Dataset()])
    yield "nested", written(nested)
    yield "implicit", written(nested, ImplicitVRLittleEndian)

    private = base()
    private.private_block(0x2001, "Philips Imaging DD 001", create=True).add_new(0x20, "LO", "SE")
    private.private_block(0x0009, "ACME", create=True).add_new(1, "UN", b"Winterbottom ")
    yield "private", written(private)

    unknown = base()
    value = implicit(0xFFFEE000, implicit(0x00100010, b"Winterbottom^Jo "))
    unknown.add_new(0x00189999, "UN", value)
    unknown.private_block(0x0009, "ACME", create=True).add_new(1, "UN", value)
    yield "items-in-un", written(unknown)

    report = base(SR)
    code = item(CodeValue="121106", CodingSchemeDesignator="DCM", CodeMeaning="Comment")
    text = item(RelationshipType="CONTAINS", ValueType="TEXT", TextValue="seen by Dr. Quill on 31.01.2024")
    text.ConceptNameCodeSequence = Sequence([code])
    report.ValueType, report.ContentSequence = "CONTAINER", Sequence([text])
    yield "report", written(report)

    tables = base()
    tables.add_new(0x00281201, "OW", bytes(range(64)))
    tables.add_new(0x00283006, "US", [1, 2, 3])
    tables.add_new(0x00189073, "FD", 19611005.0)
    tables.ContentDate, tables.AcquisitionDateTime = "20240201", "20240131101500.5+0100"
    tables.PatientAge, tables.ContentTime = "092Y", "101500"
    yield "tables", written(tables)

    for name, charset, person in [
        ("japanese", ["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("korean", ["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
        ("chinese", "GB18030", "Wang^XiaoDong=王^小东"),
        ("utf-8", "ISO_IR 192", "Müller-Lüdenscheidt^Jörg"),
    ]:
        other = base(charset=charset, name=person)
        other.SeriesDescription = person.split("=")[-1].replace("^", " ")
        yield name, written(other)


CHARSETS = [
    (b"ISO_IR 100", "Müller".encode("latin-1")),
    (b"ISO_IR 192", "山田 Müller".encode()),
    (b"GB18030", "王小东乗".encode("gb18030")),
    (b"GBK", "王^小东".encode("gbk")),
    (b"\\ISO 2022 IR 87\\ISO 2022 IR 159", b"A^B=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B\\\x1b$(D0!\x1b(B"),
    (b"ISO 2022 IR 13\\ISO 2022 IR 87", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^"),
    (b"\\ISO 2022 IR 149", b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7"),
    (b"\\ISO 2022 IR 58", b"Zhang=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab\r\nx"),
    (b"ISO 2022 IR 144\\ISO 2022 IR 126", b"\xbb\xee\xda\x1b-F\xc4\xe9\\\xbb"),
    (b"ISO-IR 100", b"\x85\x93 \\ \xe9"),
]

TEXTS = [
    "Winterbottom^Jo\nknee for Jo Winterbottom, PZ-4471903, DOB 5 Oct 1961 3mm",
    "Müller-Lüdenscheidt^Jörg\nDr. Müller: CT Schädel, Tel. +49 89 5550 1234",
    "山田^太郎\n患者山田太郎様 1961年10月5日 頭部",
    "Hill^Mark\nHill-Sachs lesion, Baker cyst, mark 2 of 3, t2_tse_cor 3mm",
    "Doe^Jane\nPatient: Jane Doe, 12 Foxglove Crescent; ask a.roe@mail.example.org",
]


def main(folder):
    def put(target, name, content):
        path = folder / target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    for name, content in files():
        for target in ("structure", "header", "door"):
            put(target, name, content)
    put("structure", "no-dicom", b"no DICOM at all")
    put("structure", "cut", next(content for name, content in files() if name == "nested")[:-9])
    for number, (charset, value) in enumerate(CHARSETS):
        put("charset", f"seed-{number}", charset + b"\n" + value)
    for number, text in enumerate(TEXTS):
        put("judge", f"seed-{number}", text.encode())


main(Path(sys.argv[1]))
