"""Modules of every instance: patient, study, series, equipment, nested and private attributes."""
import struct

from pydicom.charset import convert_encodings, encode_string

from .record import make_uid


def patient(r):
    p, s, rng = r.person, r.study, r.rng
    age = (s["date"] - p.birth).days // 365
    r.drop(0x00100010, "PN", p.pn, gone=f"{p.family} {p.given} {p.latin[0]} {p.latin[1]}", present=True)
    r.drop(0x00100020, "LO", p.mrn, "HIPAA-H", present=True)
    r.check("patid_consistent", "(0010,0020)", p.mrn, p.mrn, "", "DICOM-C")
    r.put(0x00100030, "DA", p.birth.strftime("%Y%m%d"))
    r.check("date_shifted", "(0010,0030)", p.birth, p.birth.strftime("%Y%m%d"), "", "HIPAA-C")
    r.check("tag_retained", "(0010,0030)", p.birth, p.birth, "", "DICOM")
    r.keep(0x00100040, "CS", p.sex, "patient_characteristics")
    r.put(0x00101010, "AS", f"{age:03}Y")
    r.check("text_retained", "(0010,1010)", f"{age:03}Y", f"{age:03}Y" if age < 90 else "090Y", "patient_characteristics", note="age" if age < 90 else "age over 89")
    if age >= 90:
        r.check("text_removed", "(0010,1010)", f"{age:03}Y", f"{age:03}Y", "", "HIPAA-C", "age over 89")
    if rng.random() < .6:
        r.keep(0x00101020, "DS", f"{rng.uniform(1.4, 1.95):.2f}", "patient_characteristics")
        r.keep(0x00101030, "DS", f"{rng.uniform(45, 120):.1f}", "patient_characteristics")
    some = [lambda: r.drop(0x00101001, "PN", f"{p.maiden}^{p.given}", gone=f"{p.maiden} {p.given}"), lambda: r.drop(0x00101040, "LO", f"{p.address}, {p.city}", "HIPAA-B"),
            lambda: r.drop(0x00102154, "SH", p.phone[:16], "HIPAA-D"), lambda: r.drop(0x00101060, "PN", f"{p.maiden}^", gone=p.maiden),
            lambda: r.drop(0x00101000, "LO", p.other_id, "HIPAA-H", "retired Other Patient IDs"), lambda: r.drop(0x00102297, "PN", p.thirds[0].replace(" ", "^"), gone=p.thirds[0], note="responsible person"),
            lambda: r.drop(0x00101050, "LO", f"Policy {p.national_id}", "HIPAA-G", gone=p.national_id), lambda: r.drop(0x00102152, "LO", p.city, "HIPAA-B", "region of residence"),
            lambda: r.drop(0x00102180, "LO", f"baker in {p.city}", "HIPAA-Z", gone=p.city), lambda: r.drop(0x00101090, "LO", "MR" + p.national_id, "HIPAA-G", "medical record locator"),
            lambda: r.drop(0x00101005, "PN", f"{p.maiden}^{p.given}", gone=p.maiden, note="birth name"), lambda: r.drop(0x001021F0, "LO", f"Parish {p.city}", "HIPAA-Z", gone=p.city),
            lambda: r.keep(0x001021A0, "CS", "NO", "patient_characteristics"), lambda: r.keep(0x001021C0, "US", 4, "patient_characteristics"),
            lambda: r.date(0x001021D0, "DA", r.day(-40), note="last menstrual date"), lambda: r.keep(0x00102160, "SH", "Samoan", "patient_characteristics"),
            lambda: r.text(0x00102110, "LO", ["Penicillin, latex", "iodinated contrast: hives", "no known drug allergies"], .3, "patient_characteristics"),
            lambda: r.text(0x00102000, "LO", ["pacemaker MRI conditional", "fall risk", "difficult airway"], .3, "patient_characteristics"),
            lambda: r.text(0x00380500, "LO", ["ambulatory", "wheelchair, on 2 L oxygen"], .3, "patient_characteristics"),
            lambda: r.text(0x00380050, "LO", ["hearing aid", "needs lift transfer"], .4, "patient_characteristics")]
    for f in rng.sample(some, 7):
        f()
    if rng.random() < .4:
        it = r.item(0x00101002)
        it.drop(0x00100020, "LO", p.other_id, "HIPAA-H", "other ids"), it.drop(0x00100021, "LO", p.hospital, "HIPAA-B"), it.put(0x00100022, "CS", "TEXT")
    if p.index == 2 and s is p.studies[1]:
        r.put(0x00100030, "DA", p.birth.strftime("%Y"))                    # only the year is known
        r.check("date_shifted", "(0010,0030)", p.birth.year, p.birth.strftime("%Y"), "", "HIPAA-C", "partial birth date")
    if p.index % 3 == 0 or p.index == 1 and rng.random() < .3:       # the second patient: not every device sends it
        r.drop(0x00100021, "LO", p.hospital, "HIPAA-B", "issuer")


def study(r):
    p, s, rng = r.person, r.study, r.rng
    r.uid(0x0020000D, s["uid"])
    r.date(0x00080020, "DA", r.day())
    r.put(0x00080030, "TM", s["time"])
    r.drop(0x00080050, "SH", s["acc"], "HIPAA-K", present=True)
    r.drop(0x00200010, "SH", s["id"], "HIPAA-R", present=True)
    r.drop(0x00080090, "PN", p.doctors[0] + "^Dr", gone=p.doctors[0], present=True)
    r.text(0x00081030, "LO", r.style.STUDY[s["modality"]], .5)
    free = r.style.LONGTEXT + r.style.LOCALTEXT.get(p.locale, [])
    short = [t for t in free if len(t) <= 58] + r.style.STUDY[s["modality"]]
    texts = [(0x001021B0, "LT", free), (0x00104000, "LT", free), (0x00324000, "LT", free), (0x00321060, "LO", r.style.STUDY[s["modality"]]), (0x00321030, "LO", short),
             (0x00081080, "LO", short), (0x00401400, "LT", free), (0x00384000, "LT", free), (0x00400280, "ST", free), (0x00401002, "LO", short)]
    for tag, vr, bases in rng.sample(texts, 5):
        r.report(tag, vr, bases, "clean_descriptors") if vr in ("LT", "ST") and rng.random() < .3 else r.text(tag, vr, bases, .55)
    some = [lambda: r.drop(0x00321032, "PN", p.doctors[-1] + "^", gone=p.doctors[-1]), lambda: r.drop(0x00081048, "PN", p.doctors[0] + "^A", gone=p.doctors[0]),
            lambda: r.drop(0x00081060, "PN", p.doctors[-1] + "^^^Prof", gone=p.doctors[-1]), lambda: r.drop(0x00380010, "LO", "ADM" + p.other_id[1:], "HIPAA-H"),
            lambda: r.date(0x00380020, "DA", r.day(-2), note="admitting date"), lambda: r.drop(0x00321033, "LO", f"Ward {p.doctors[0]} {p.hospital}", "HIPAA-B", gone=p.doctors[0]),
            lambda: r.drop(0x00380300, "LO", f"Bed 12 {p.hospital}"[:64], "HIPAA-B", gone=p.hospital), lambda: r.drop(0x00080092, "ST", f"{p.address}, {p.city}", "HIPAA-B"),
            lambda: r.drop(0x00080094, "SH", p.phone[:16], "HIPAA-D"), lambda: r.drop(0x00401010, "PN", p.thirds[-1].replace(" ", "^"), gone=p.thirds[-1], note="intended recipient")]
    for f in rng.sample(some, 4):
        f()
    if rng.random() < .4:
        r.code(0x00081032, "MSK4", "99LOCAL", "Limited survey of region", keep=False)
    if rng.random() < .4:
        it = r.item(0x00081110)
        it.put(0x00081150, "UI", "1.2.840.10008.3.1.2.3.1"), it.uid(0x00081155, s["ref"], False)


def series(r):
    p, rng = r.person, r.rng
    r.put(0x00080060, "CS", r.modality)
    r.check("text_notnull", "(0008,0060)", r.modality, r.modality, "", "DICOM")
    r.uid(0x0020000E, r.series["uid"])
    r.put(0x00200011, "IS", r.series["number"])
    r.keep(0x00080016, "UI", r.sop_class)
    r.uid(0x00080018, r.sop)
    r.put(0x00200013, "IS", str(r.n))
    r.check("tag_retained", "(0020,0013)", r.n, "", "", "DICOM")
    r.date(0x00080021, "DA", r.day())
    r.date(0x00080023, "DA", r.day(rng.randint(0, 1)))
    r.put(0x00080033, "TM", r.study["time"])
    if rng.random() < .5:
        r.date(0x00080012, "DA", r.day(), note="instance creation")
    r.text(0x0008103E, "LO", r.style.SERIES.get(r.modality if r.modality in r.style.SERIES else r.kind[:2], r.style.SERIES["RT"]), .4)
    some = [lambda: r.drop(0x00081050, "PN", [p.doctors[0] + "^X", p.doctors[-1] + "^Y"], gone=" ".join(p.doctors)), lambda: r.drop(0x00081070, "PN", p.thirds[0].replace(" ", "^"), gone=p.thirds[0], note="operator"),
            lambda: r.date(0x00400244, "DA", r.day(), note="pps start"), lambda: r.text(0x00400254, "LO", r.style.STUDY[r.study["modality"]], .5, note="pps description"),
            lambda: r.drop(0x00400253, "SH", "PPS" + p.other_id[1:], "HIPAA-R"), lambda: r.text(0x00204000, "LT", r.style.LONGTEXT, .5),
            lambda: r.text(0x00181030, "LO", r.style.PROTOCOL, .4, note="protocol"), lambda: r.date(0x0008002A, "DT", r.day() + "091533.120000+0200", note="DT with offset"),
            lambda: r.date(0x00181200, "DA", r.day(-90), note="last calibration"), lambda: r.drop(0x00400243, "SH", "ROOM" + p.other_id[1:5], "HIPAA-B", "performed location")]
    for f in rng.sample(some, 5):
        f()
    if rng.random() < .5:
        it = r.item(0x00400275)
        it.drop(0x00401001, "SH", r.study["acc"], "HIPAA-R", "request"), it.drop(0x00400009, "SH", "SPS" + p.other_id[1:], "HIPAA-R")
        it.text(0x00400007, "LO", r.style.STUDY[r.study["modality"]], .6, note="request")
        code = it.code(0x00400008, "T04", "99MYRIS", "Torso standard two phase")
        code.check("text_retained", code.at + "(0008,0104)", "", "Torso standard two phase", "clean_descriptors", note="deep code meaning")
        if rng.random() < .5:
            it.drop(0x00321032, "PN", p.doctors[-1] + "^", gone=p.doctors[-1], note="request")


def equipment(r):
    p, rng = r.person, r.rng
    maker, model = rng.choice(r.style.MODELS)
    r.keep(0x00080070, "LO", maker, note="vendor")
    r.keep(0x00081090, "LO", model, note="model")
    r.drop(0x00080080, "LO", p.hospital, "HIPAA-B")
    some = [lambda: r.drop(0x00080081, "ST", f"{p.address}\r\n{p.city}", "HIPAA-B", gone=p.city), lambda: r.drop(0x00081040, "LO", f"Radiology {p.doctors[0]} wing", "HIPAA-B", gone=p.doctors[0]),
            lambda: r.keep(0x00081010, "SH", rng.choice(r.style.STATIONS), "device_identity"), lambda: r.keep(0x00181000, "LO", "7" + p.other_id[1:4] + "KX", "device_identity"),
            lambda: r.keep(0x00181020, "LO", ["syngo CT VA48A", "R1.6"], "device_identity"), lambda: r.keep(0x00400242, "SH", "STN4", "device_identity"),
            lambda: r.keep(0x00181008, "LO", "GAN77", "device_identity")]
    for f in rng.sample(some, 4):
        f()
    if rng.random() < .3:
        it = r.item(0x0018A001)
        it.put(0x00080070, "LO", "Acme Routing"), it.drop(0x00080080, "LO", p.hospital, "HIPAA-B", "contributing equipment")
        it.date(0x0018A002, "DT", r.day(1) + "120001", False, "contribution"), it.text(0x0018A003, "ST", ["Modified by router", "coerced for archive"], .6, note="contribution")
    if rng.random() < .35:
        it = r.item(0x04000561)
        it.drop(0x04000564, "LO", p.hospital, "HIPAA-B", "original attributes"), it.date(0x04000562, "DT", r.day(1) + "130000", False)
        it.drop(0x04000563, "LO", f"{p.doctors[0]} workstation", "HIPAA-A", "original attributes", gone=p.doctors[0])
        it.put(0x04000565, "CS", "COERCE")
        mod = it.item(0x04000550)
        mod.drop(0x00100010, "PN", f"{p.maiden}^{p.given}", note="original attributes", gone=f"{p.maiden} {p.given}"), mod.drop(0x00100020, "LO", p.other_id, "HIPAA-H", "original attributes")


def implicit(p, group, element, vr, text):
    """One element of implicit little endian bytes."""
    b = encode_string(text, convert_encodings([c or "iso8859" for c in p.charset] if p.charset != [""] else "iso8859"))
    b += b" " * (len(b) % 2)
    return struct.pack("<HHI", group, element, len(b)) + b


SAFE = [(0x2001, "Philips Imaging DD 001", 0x03, "FL", [0.0, 500.0, 1000.0]), (0x2001, "Philips Imaging DD 001", 0x04, "CS", ["M", "P", "S"]),
        (0x2001, "Philips Imaging DD 001", 0x0B, "CS", ["TRANSVERSAL", "SAGITTAL"]), (0x2001, "Philips Imaging DD 001", 0x85, "DS", ["1.5", "3"]), (0x2001, "Philips Imaging DD 001", 0x6E, "SH", ["Image"]), (0x2005, "Philips MR Imaging DD 001", 0x0E, "FL", [0.25, 1.5]), (0x2001, "Philips Imaging DD 001", 0x22, "FL", [1.5, 2.25]),
        (0x0019, "SIEMENS MR HEADER", 0x0C, "IS", ["50", "800"]), (0x0019, "SIEMENS MR HEADER", 0x0D, "CS", ["NONE", "ISOTROPIC"]), (0x0019, "GEMS_ACQU_01", 0x23, "DS", ["39.37", "55"]),
        (0x0019, "GEMS_ACQU_01", 0x27, "DS", ["500", "600"]), (0x0043, "GEMS_PARM_01", 0x27, "SH", ["0.984:1", "0.516:1"]), (0x7053, "Philips PET Private Group", 0x00, "DS", ["0.00071", "0.0012"]),
        (0x7053, "Philips PET Private Group", 0x09, "DS", ["1.25", "2.0417"]), (0x00E1, "ELSCINT1", 0x21, "DS", ["412.5", "98.1"])]


def private(r):
    """Safe blocks (PS3.15 E.3.10), unsafe ones, second blocks, sequences as UN, and an element no dictionary knows."""
    p, rng = r.person, r.rng
    held = {}                                                    # (group, creator) -> block; a creator has one block a group

    def hold(group, creator):
        taken = [b for (g, _), b in held.items() if g == group]
        return held.setdefault((group, creator), rng.choice([b for b in (0x10, 0x10, 0x11, 0x2A, 0xC0) if b not in taken]))

    liked = rng.sample(sorted({s[1] for s in SAFE}), 2)
    for g, creator, e, vr, values in SAFE:
        if creator not in liked or rng.random() < .2:
            continue
        v, block = rng.choice(values), hold(g, creator)
        path = r.private(g, creator, block, e, vr, v)
        r.check("text_retained", path, v, v, "safe_private", "TCIA", "safe private" + (f" block {block:02x}" if block != 0x10 else ""))
    name = f"{p.family}^{p.given}"
    tries = [lambda: r.check("text_removed", r.private(0x0009, "NORTHGATE VUE 7", 0x10, 0x21, "LO", f"{p.mrn} {p.family}"[:64]), name, p.mrn, "", "HIPAA-H", "unsafe private"),
             lambda: r.check("text_removed", r.private(0x0011, "SPI-P Release 1", 0x10, 0x10, "LT", f"{name} seen by {p.doctors[0]}"), name, f"{p.family} {p.doctors[0]}", "", "HIPAA-A", "unsafe private"),
             lambda: r.check("text_removed", r.private(0x2001, "Philips Imaging DD 001", hold(0x2001, "Philips Imaging DD 001"), 0xFE, "LO", p.mrn), name, p.mrn, "", "HIPAA-H", "element not listed in a safe block"),
             lambda: r.check("text_removed", r.private(0x0019, "SIEMENS MR HEADER", hold(0x0019, "SIEMENS MR HEADER"), 0x7E, "UN", p.mrn.encode()), name, p.mrn, "", "HIPAA-H", "element not listed in a safe block"),
             lambda: r.check("text_removed", r.private(0x0021, "VITAL CARE ROUTE 2", 0x10, 0x05, "UI", "1.2.3." + "".join(c for c in p.mrn if c.isdigit()).lstrip("0")), p.mrn, "".join(c for c in p.mrn if c.isdigit()).lstrip("0"), "", "HIPAA-H", "id inside a private UID")]
    for f in rng.sample(tries, rng.randint(1, 3)):
        f()
    if rng.random() < .35:
        inner = implicit(p, 0x0010, 0x0010, "PN", p.family) + implicit(p, 0x0010, 0x0020, "LO", p.mrn)
        undefined = rng.random() < .5
        blob = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF if undefined else len(inner)) + inner + (struct.pack("<HHI", 0xFFFE, 0xE00D, 0) if undefined else b"")
        path = r.private(0x0033, "QUAYSIDE NEST", 0x10, 0x10, "UN", blob)
        r.check("text_removed", path + "[0](0010,0020)", p.mrn, p.mrn, "", "HIPAA-R", "private sequence as UN" + (", item of undefined length" if undefined else ""))
    if rng.random() < .2:
        r.drop(0x00089A1E, "LO", f"{p.family} {p.mrn}"[:64], "HIPAA-A", "element in no dictionary", gone=f"{p.family} {p.mrn}")
    if rng.random() < .15:
        r.drop(0x00084000, "LT", f"{p.given} {p.family} {p.mrn}", "HIPAA-A", "retired Identifying Comments")
    if rng.random() < .15:
        r.put(0xFFFCFFFC, "OB", f"{p.latin[0]} {p.mrn} ".encode("utf-8", "ignore"))
        r.check("text_removed", "(fffc,fffc)", p.mrn, p.mrn, "", "HIPAA-H", "trailing padding")
    if rng.random() < .15:
        r.preamble = f"{p.mrn} {p.latin[0]}".encode("utf-8")[:128].ljust(128, b"\0")
    if rng.random() < .2:
        r.meta_note = f"exported for {p.mrn}".encode()


def rare(r):
    """Places that few devices fill: trial, persons as codes, curves and overlays, signatures, items of another character set."""
    p, rng = r.person, r.rng
    if rng.random() < .15:
        r.drop(0x00120040, "LO", p.mrn, "HIPAA-H", "trial subject id"), r.drop(0x00120031, "LO", p.hospital, "HIPAA-B", "trial site"), r.text(0x00120072, "LO", r.style.SERIES["CT"], .5, note="trial series description")
    if rng.random() < .2:
        it = r.item(0x00081072)
        it.drop(0x00080080, "LO", p.hospital, "HIPAA-B", "operator identification"), it.drop(0x00401102, "ST", f"{p.address} {p.city}", "HIPAA-B", "person address"), it.drop(0x00401103, "LO", p.phone, "HIPAA-D", "person telephone")
        who = it.item(0x00401101)
        who.put(0x00080100, "SH", p.other_id[:16]), who.put(0x00080102, "SH", "99STAFF"), who.drop(0x00080104, "LO", f"Dr {p.doctors[0]}", note="person as code meaning", gone=p.doctors[0])
    if rng.random() < .15:
        r.put(0x60000010, "US", 32), r.put(0x60000011, "US", 32), r.put(0x60000040, "CS", "G"), r.put(0x60000050, "SS", [1, 1]), r.put(0x60000100, "US", 1), r.put(0x60000102, "US", 0), r.put(0x60003000, "OW", bytes(128))
        r.drop(0x60000022, "LO", f"{p.family} {p.given}", note="overlay description"), r.drop(0x60001500, "LO", f"ID {p.mrn}", "HIPAA-H", "overlay label", gone=p.mrn)
    if rng.random() < .1:
        r.put(0x50000005, "US", 1), r.put(0x50000010, "US", 4), r.put(0x50000020, "CS", "ECG"), r.drop(0x50000022, "LO", f"{p.family} lead II", note="curve description", gone=p.family), r.put(0x50003000, "OW", bytes(8))
    if rng.random() < .1:
        sig = r.item(0xFFFAFFFA)
        sig.put(0x04000005, "US", 1), sig.put(0x04000110, "CS", "X509_1993_SIG"), sig.put(0x04000115, "OB", f"CN={p.doctors[0]},SN={p.mrn} ".encode("utf-8", "ignore")), sig.put(0x04000120, "OB", b"\1\2")
        sig.date(0x04000105, "DT", r.day() + "120000", False, "signature"), r.check("text_removed", "(fffa,fffa)[0](0400,0115)", p.mrn, p.mrn, "", "HIPAA-H", "certificate")
    if rng.random() < .15:
        it = r.item(0x00081120)
        it.put(0x00081150, "UI", "1.2.840.10008.3.1.2.1.1"), it.uid(0x00081155, make_uid(rng), False, "referenced patient")
    if rng.random() < .15:
        it = r.item(0x00321064)
        it.put(0x00080005, "CS", "ISO_IR 192"), it.put(0x00080100, "SH", "RP9"), it.put(0x00080102, "SH", "99MYRIS")
        it.drop(0x00080104, "LO", f"survey for {p.family} {p.given}", note="code meaning in an item of its own character set", gone=f"{p.family} {p.given}")
    if rng.random() < .2:
        r.drop(0x00080054, "AE", "AE" + "".join(c for c in p.mrn if c.isalnum())[:12], "HIPAA-R", "AE title with an ID")
    if rng.random() < .2:
        r.text(0x00380062, "LO", [t for t in r.style.LONGTEXT if len(t) < 60], .6, note="service episode")
    if rng.random() < .1:
        r.date(0x00189701, "DT", r.day()[:6], False, "partial DT")
    if rng.random() < .15:
        inner = implicit(p, 0x0040, 0x0007, "LO", f"{p.latin[0]} {p.mrn}") + implicit(p, 0x0040, 0x1001, "SH", r.study["acc"])
        if r.ts != "1.2.840.10008.1.2" and not r.big:
            r.put(0x00400440, "UN", struct.pack("<HHI", 0xFFFE, 0xE000, len(inner)) + inner)
            r.check("text_removed", "(0040,0440)[0](0040,1001)", r.study["acc"], r.study["acc"], "", "HIPAA-R", "public sequence as UN")


def finish(r):
    for a in ("phi_leak", "method_stamped"):
        r.check(a, "*" if a == "phi_leak" else "(0012,0062)", "", "", "", "X")
