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

    yield from attacks()
    for name, charset, person in [
        ("japanese", ["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("korean", ["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
        ("chinese", "GB18030", "Wang^XiaoDong=王^小东"),
        ("utf-8", "ISO_IR 192", "Müller-Lüdenscheidt^Jörg"),
    ]:
        other = base(charset=charset, name=person)
        other.SeriesDescription = person.split("=")[-1].replace("^", " ")
        yield name, written(other)


def attacks():
    """What a fuzzer does not find by itself."""
    switched = base()
    inner = item(SpecificCharacterSet="ISO_IR 192", ImageComments="für Jörg Winterbottom 王")
    deeper = item(ImageComments="Jörg", SpecificCharacterSet=["", "ISO 2022 IR 87"])
    inner.ReferencedImageSequence = Sequence([deeper])
    switched.ReferencedImageSequence = Sequence([inner, item(ImageComments="Jörg")])
    yield "charset-in-items", written(switched)

    hidden = base()
    value = implicit(0xFFFEE000, implicit(0x00100010, b"Quillfeather^Max"))
    for _ in range(3):
        value = implicit(0xFFFEE000, implicit(0x00091001, value))
    hidden.private_block(0x0009, "ACME", create=True).add_new(1, "UN", value)
    hidden.ImageComments = "seen by Quillfeather"
    yield "un-in-un", written(hidden)

    blocks = base()
    for creator in ("ACME", "SIEMENS MR HEADER", "ACME 2"):
        block = blocks.private_block(0x0019, creator, create=True)
        block.add_new(0x0C, "IS", "1000")
        block.add_new(0x0B, "LO", "Winterbottom")
    yield "private-blocks", written(blocks)

    days = base()
    days.ImageComments = "31.01.'24; 2024年1月31日; 31st of Jan, 2024; 5-OCT-61; 051061-1234; 1961 10 05"
    days.ContentDate = "2024.01.31"
    days.add_new(0x0008002A, "DT", "2024013110150061005.196110+0100")
    days.SpecificCharacterSet = "ISO_IR 192"
    yield "odd-dates", written(days)

    split = base()
    split.ProtocolName = "Winter\\bottom\\Jo"
    split.ImageType = ["ORIGINAL", "PRIMARY", "WINTER", "BOTTOM"]
    split.ImageComments = "Winter\\bottom"
    yield "split-name", written(split)

    disguised = base(charset="ISO_IR 192", name="W\u0456nterbottom^J\u00ado")
    disguised.ImageComments = (
        "Winter\u00adbottom W\u200binterbottom W\u0456nterb\u043ettom Wi\u0301nterbottom "
        "\uff37\uff49\uff4e\uff54\uff45\uff52bottom \u202eWinterbottom\u202c \u24cc\u24d8nterbottom"
    )
    disguised.SeriesDescription = "\u200b"
    yield "disguised", written(disguised)

    numbers = base()
    numbers.add_new(0x00189073, "FD", [19611005.0, 4471903.0])
    numbers.add_new(0x00280106, "US", [0x6957, 0x746E, 0x7265, 0x6F62, 0x7474, 0x6D6F])
    numbers.add_new(0x00281201, "OW", "Winterbottom".encode("utf-16-le"))
    numbers.SeriesNumber = "19611005"
    numbers.FrameOfReferenceUID = "1.2.752.99.4471903.19611005"
    yield "in-numbers", written(numbers)

    broken = base(SR)
    code = implicit(0x00080102, b"DCM ")
    broken.add_new(0x00189073, "FD", 1.0)
    content = written(broken).replace(b"FD\x08\x00" + struct.pack("<d", 1.0), b"SL\x06\x00121106")
    yield "broken-number", content + code

    long = base()
    long.ImageComments = "Young Jo, Dr. Jo van Baker 31 Jan; " * 290
    long.add_new(0x00104000, "LT", "Winterbotton " * 700)
    yield "long", written(long)


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
    "Winterbottom^Jo\nW\u200binter\u00adbottom, W\u0456nterb\u043ettom, Wi\u0301nterbottom PZ\u00ad-4471\u200b903",
    "W\u0456nter\u00adbottom^J\u043e\nWinterbottom Jo \u202emottob\u202c PZ-44\u200d71903",
    "Young^Mark\nDr. Young Young young adult, J. J. Young-Young Baker Baker-Baker sign",
    "Copeh^Tomas\n\u0421\u041e\u0420\u0415\u041d, Copeh\u200bTomas; C\u034fopeh",
    "Doe^Jane\nPatient: Jane Doe, 12 Foxglove Crescent; ask a.roe@mail.example.org",
]


def uid(text):
    return text.encode() + b"\0" * (len(text) % 2)


def command(*elements):
    body = b"".join(implicit(number, value) for number, value in elements)
    return implicit(0x0000, struct.pack("<L", len(body))) + body


def us(number):
    return struct.pack("<H", number)


STORE = command((0x0002, uid(CT)), (0x0100, us(1)), (0x0110, us(7)), (0x0700, us(0)),
                (0x0800, us(1)), (0x1000, uid("1.2.752.99.1")))
ECHO = command((0x0002, uid("1.2.840.10008.1.1")), (0x0100, us(0x30)), (0x0110, us(1)),
               (0x0800, us(0x0101)))
COMMANDS = {
    "store": STORE,
    "echo": ECHO,
    "cancel": command((0x0100, us(0x0FFF)), (0x0120, us(7)), (0x0800, us(0x0101))),
    "response": command((0x0002, uid(CT)), (0x0100, us(0x8001)), (0x0120, us(7)),
                        (0x0800, us(0x0101)), (0x0900, us(0xA700)), (0x0902, b"no room ")),
    "no-field": command((0x0110, us(7))),
    "twice": STORE + implicit(0x0110, us(8)),
    "long-length": ECHO + struct.pack("<HHL", 0, 0x0902, 0xFFFFFFFF),
    "foreign-group": ECHO + implicit(0x00080018, uid("1.2")),
    "odd-uid": command((0x0100, us(1)), (0x0110, us(7)), (0x1000, b"../../etc/x ")),
    "cut": STORE[:-3],
    "undefined": b"\0" * 24,
}


def pdu(kind, body):
    return struct.pack(">BBL", kind, 0, len(body)) + body


def sub(kind, content):
    return struct.pack(">BBH", kind, 0, len(content)) + content


def pdv(context, control, fragment):
    return struct.pack(">LBB", len(fragment) + 2, context, control) + fragment


def associate(kind, contexts, variables=b""):
    titles = b"AIRLOCK".ljust(16) + b"MODALITY".ljust(16)
    user = sub(0x50, sub(0x51, struct.pack(">L", 16384)) + sub(0x52, b"1.2.752.99.9") + variables)
    body = struct.pack(">HH", 1, 0) + titles + bytes(32) + sub(0x10, b"1.2.840.10008.3.1.1.1")
    return pdu(kind, body + b"".join(contexts) + user)


def proposed(number, sop_class=CT, syntax=ExplicitVRLittleEndian):
    items = sub(0x30, sop_class.encode()) + sub(0x40, syntax.encode())
    return sub(0x20, bytes([number, 0, 0, 0]) + items)


def answered(number, result):
    syntax = sub(0x40, ExplicitVRLittleEndian.encode())
    return sub(0x21, bytes([number, 0, result, 0]) + syntax)


RELEASE, ABORT = pdu(5, bytes(4)), pdu(7, bytes(4))
DATA = b"".join(struct.pack("<HH2sH", 8, number, b"UI", len(value)) + value
                for number, value in ((0x16, uid(CT)), (0x18, uid("1.2.752.99.1"))))
IDENTITY = sub(0x58, b"\1\1" + struct.pack(">H", 4) + b"user" + struct.pack(">H", 0))
ROLES = sub(0x54, struct.pack(">H", len(CT)) + CT.encode() + b"\1\1")
# First byte: 0 acceptor, 1 acceptor after a good request, 2 requestor.
STREAMS = {
    "store": b"\1" + pdu(4, pdv(1, 3, STORE)) + pdu(4, pdv(1, 0, DATA[:9]))
    + pdu(4, pdv(1, 2, DATA[9:])) + RELEASE,
    "together": b"\1" + pdu(4, pdv(1, 3, STORE) + pdv(1, 2, DATA)) + RELEASE,
    "split-command": b"\1" + pdu(4, pdv(1, 1, STORE[:11]) + pdv(1, 3, STORE[11:])) + ABORT,
    "wrong-context": b"\1" + pdu(4, pdv(3, 3, STORE)),
    "data-first": b"\1" + pdu(4, pdv(1, 2, DATA)),
    "long-value": b"\1" + pdu(4, struct.pack(">LBB", 9, 1, 3)),
    "request": b"\0" + associate(1, [proposed(1), proposed(3, "1.2.840.10008.1.1")], IDENTITY + ROLES),
    "many-contexts": b"\0" + associate(1, [proposed(2 * n % 256 | 1) for n in range(140)]),
    "unknown-items": b"\0" + associate(1, [sub(0x77, b"ab")] * 3 + [proposed(1)]),
    "http": b"\0GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "tls": b"\0\x16\3\1\2\0\1\0\1\xfc\3\3",
    "longest": b"\0" + struct.pack(">BBL", 1, 0, 0xFFFFFFFF) + bytes(9),
    "accept": b"\2" + associate(2, [answered(1, 0)]) + pdu(4, pdv(1, 3, ECHO)) + RELEASE,
    "refused": b"\2" + associate(2, [sub(0x21, bytes([1, 0, 3, 0]))]) + RELEASE,
    "foreign-answer": b"\2" + associate(2, [answered(5, 0)]),
    "reject": b"\2" + pdu(3, b"\0\2\3\1"),
}


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
    for name, content in COMMANDS.items():
        put("command", name, content)
    for name, content in STREAMS.items():
        put("pdu", name, content)


main(Path(sys.argv[1]))
