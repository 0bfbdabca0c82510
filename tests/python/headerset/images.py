"""Image objects: CT, MR, US, CR, DX, MG, NM, PT, SEG; 32 x 32 ramps without text."""
import hashlib

import numpy as np

SOP = {"CT": "1.2.840.10008.5.1.4.1.1.2", "MR": "1.2.840.10008.5.1.4.1.1.4", "US": "1.2.840.10008.5.1.4.1.1.6.1", "CR": "1.2.840.10008.5.1.4.1.1.1", "DX": "1.2.840.10008.5.1.4.1.1.1.1",
       "MG": "1.2.840.10008.5.1.4.1.1.1.2", "NM": "1.2.840.10008.5.1.4.1.1.20", "PT": "1.2.840.10008.5.1.4.1.1.128", "SEG": "1.2.840.10008.5.1.4.1.1.66.4"}
BODY = {"CT": ["CHEST", "ABDOMEN", "PELVIS"], "MR": ["LSPINE", "KNEE", "LIVER"], "CR": ["WRIST", "CHEST"], "DX": ["PELVIS", "HAND"], "MG": ["BREAST"], "US": ["THYROID", "KIDNEY"],
        "NM": ["WHOLEBODY"], "PT": ["WHOLEBODY"]}


def pixels(r, bits, frames=1):
    y, x = np.mgrid[0:32, 0:32]
    a = ((x + y) * (2 if bits == 8 else 30) + 20).astype("u1" if bits == 8 else (">u2" if r.big else "<u2"))
    a = np.repeat(a[None], frames, 0)
    for tag, v in ((0x00280002, 1), (0x00280010, 32), (0x00280011, 32), (0x00280100, bits), (0x00280101, bits if bits == 8 else 12), (0x00280102, (bits if bits == 8 else 12) - 1), (0x00280103, 0)):
        r.put(tag, "US", v)
    r.put(0x00280004, "CS", "MONOCHROME2")
    r.put(0x7FE00010, "OB" if bits == 8 else "OW", a.tobytes())
    r.check("decodable", "(7fe0,0010)", "32x32", cat="X")
    r.check("pixels_retained", "(7fe0,0010)", "", hashlib.md5(a.tobytes()).hexdigest(), cat="TCIA")


def plane(r):
    rng = r.rng
    r.uid(0x00200052, r.study["frame"])
    r.keep(0x00200032, "DS", ["-160", "-155.5", f"{rng.randint(-900, 300)}.25"])
    r.put(0x00200037, "DS", ["1", "0", "0", "0", "1", "0"])
    r.keep(0x00280030, "DS", ["0.7421875", "0.7421875"])
    r.keep(0x00180050, "DS", rng.choice(["0.625", "1.25", "5"]))
    r.keep(0x00185100, "CS", rng.choice(["HFS", "FFS"]))


def technique(r):
    rng, m = r.rng, r.modality
    if m in BODY:
        r.keep(0x00180015, "CS", rng.choice(BODY[m]))
    r.put(0x00080008, "CS", ["ORIGINAL", "PRIMARY", "AXIAL"])
    r.check("tag_retained", "(0008,0008)", "", "", "", "DICOM")
    if m == "CT":
        plane(r), r.keep(0x00180060, "DS", "120"), r.keep(0x00181151, "IS", "210"), r.keep(0x00181210, "SH", rng.choice(["Br40d\\3", "FC18"]).split("\\")[0]), r.keep(0x00189345, "FD", 8.4)
        r.put(0x00281052, "DS", "-1024"), r.put(0x00281053, "DS", "1"), r.uid(0x00083010, r.study["event"], False, "irradiation event")
        r.text(0x00180010, "LO", ["Iohexol 350", "Omnipaque 300 mg/mL 80 mL"], .25, note="contrast")
        r.text(0x00189424, "LO", r.style.PROTOCOL, .3, note="acquisition protocol description")
    if m == "MR":
        plane(r), r.keep(0x00180020, "CS", "GR"), r.keep(0x00180021, "CS", "SP"), r.put(0x00180022, "CS", "FS"), r.put(0x00180023, "CS", "3D"), r.keep(0x00180080, "DS", "2010"), r.keep(0x00180081, "DS", "2.38")
        r.keep(0x00180087, "DS", "3"), r.keep(0x00180024, "SH", rng.choice(["*fl3d1_ns", "epfid2d1_64"]), note="sequence name"), r.keep(0x00181250, "SH", "Body_18"), r.keep(0x00181314, "DS", "12")
    if m in ("CR", "DX", "MG"):
        r.keep(0x00185101, "CS", "AP"), r.keep(0x00180060, "DS", "81"), r.keep(0x00181152, "IS", "5"), r.put(0x00200020, "CS", ["L", "F"])
        r.keep(0x00181004, "LO", "PLT" + r.person.other_id[1:4], "device_identity", "plate")
        r.date(0x00181012, "DA", r.day(), note="date of secondary capture") if m == "CR" else r.keep(0x0018700A, "SH", "DET44", "device_identity", "detector id")
        r.text(0x00181400, "LO", ["EXTREMITY SHARP 2.1", "MusiCa bone", "Chest std LUT 4"], .3, note="acquisition device processing")
    if m == "NM":
        r.put(0x00540400, "SH", "STATIC"), r.put(0x00280009, "AT", 0x00540010)
        it = r.item(0x00540012)
        it.keep(0x00540014, "DS", "126.45")
        it = r.item(0x00540016)
        it.keep(0x00180031, "LO", "Tc-99m MDP"), it.date(0x00181078, "DT", r.day() + "0742", note="radiopharmaceutical start"), it.keep(0x00181074, "DS", "740")
    if m == "PT":
        plane(r), r.put(0x00541000, "CS", ["WHOLE BODY", "IMAGE"]), r.keep(0x00541001, "CS", "BQML"), r.keep(0x00541102, "CS", "START"), r.keep(0x00281053, "DS", "1.7731"), r.put(0x00281052, "DS", "0")
        it = r.item(0x00540016)
        it.keep(0x00180031, "LO", "Fluciclovine F^18^"), it.keep(0x00181074, "DS", "352000000"), it.date(0x00181078, "DT", r.day() + "081500.00"), it.keep(0x00181075, "DS", "6586.2")
        r.keep(0x00541103, "LO", "OSEM3D 4i21s", note="reconstruction method")
    if m == "US":
        it = r.item(0x00186011)
        for tag, vr, v in ((0x00186012, "US", 1), (0x00186014, "US", 1), (0x00186016, "UL", 0), (0x00186018, "UL", 0), (0x0018601A, "UL", 0), (0x0018601C, "UL", 31), (0x0018601E, "UL", 31),
                           (0x00186024, "US", 3), (0x00186026, "US", 3), (0x0018602C, "FD", .02), (0x0018602E, "FD", .02)):
            it.put(tag, vr, v)
        r.check("tag_retained", "(0018,6011)", "", "", "", "TCIA")
        r.keep(0x00186031, "CS", "LINEAR"), r.keep(0x00185010, "LO", rng.choice(["L12-5", "C9-2"]), "device_identity")
        r.text(0x00204000, "LT", ["gain 62, TGC flat", "patient breathing", "off axis view"], .5)


def references(r, others):
    """Other images of the study, and of the prior study."""
    rng = r.rng
    for tag in (0x00081140, 0x00082112):
        if others and rng.random() < .5:
            o = rng.choice(others)
            it = r.item(tag)
            it.keep(0x00081150, "UI", o.sop_class, note="class UID"), it.uid(0x00081155, o.sop)
            if rng.random() < .5:
                it.code(0x0040A170, "121322", "DCM", "Source image for image processing operation")
    if others and rng.random() < .3:
        r.text(0x00082111, "ST", ["MPR from thin slices", "averaged 4 frames", "subtraction of phase 2 and 1"], .4, note="derivation")


def icon(r):
    it = r.item(0x00880200)
    a = ((np.arange(256).reshape(16, 16) * r.n) % 251).astype("u1").tobytes()
    for tag, v in ((0x00280002, 1), (0x00280010, 16), (0x00280011, 16), (0x00280100, 8), (0x00280101, 8), (0x00280102, 7), (0x00280103, 0)):
        it.put(tag, "US", v)
    it.put(0x00280004, "CS", "MONOCHROME2"), it.put(0x7FE00010, "OB", a)
    r.check("icon_hidden", "(0088,0200)", "", hashlib.md5(a).hexdigest(), "", "HIPAA-A")


def image(r, others):
    technique(r)
    r.date(0x00080022, "DA", r.day())
    references(r, others)
    if r.rng.random() < .06:
        icon(r)
    if r.rng.random() < .5:
        r.put(0x00280301, "CS", "NO")
    pixels(r, 8 if r.modality == "US" else 16)


def segmentation(r, others):
    src = others[0]
    r.put(0x00080008, "CS", ["DERIVED", "PRIMARY"]), r.uid(0x00200052, r.study["frame"])
    r.put(0x00620001, "CS", "BINARY"), r.put(0x00280008, "IS", "1")
    r.put(0x00700080, "CS", "SEG"), r.text(0x00700081, "LO", ["model output v3", "manual contour"], .5, note="content description")
    r.drop(0x00700084, "PN", r.person.doctors[0] + "^", gone=r.person.doctors[0], note="content creator")
    it = r.item(0x00081115)
    it.uid(0x0020000E, src.series["uid"]), (ref := it.item(0x0008114A)).keep(0x00081150, "UI", src.sop_class, note="class UID"), ref.uid(0x00081155, src.sop)
    seg = r.item(0x00620002)
    seg.put(0x00620004, "US", 1), seg.text(0x00620005, "LO", r.style.SEGMENTS, .3, note="segment label"), seg.text(0x00620006, "ST", r.style.LONGTEXT, .5, note="segment description"), seg.put(0x00620008, "CS", "SEMIAUTOMATIC")
    seg.put(0x00620009, "LO", "nnTool"), seg.keep(0x00620020, "UT", "Finding 1", "clean_descriptors", "tracking id"), seg.uid(0x00620021, r.study["track"], False, "tracking uid")
    seg.code(0x00620003, "123037004", "SCT", "Anatomical Structure"), seg.code(0x0062000F, "10200004", "SCT", "Liver structure")
    dim = r.item(0x00209221)
    dim.uid(0x00209164, r.study["dim"], False, "dimension organization")
    fg = r.item(0x52009230)
    d = fg.item(0x00089124)
    s = d.item(0x00082112)
    s.keep(0x00081150, "UI", src.sop_class, note="class UID"), s.uid(0x00081155, src.sop)
    for tag, v in ((0x00280002, 1), (0x00280010, 32), (0x00280011, 32), (0x00280100, 1), (0x00280101, 1), (0x00280102, 0), (0x00280103, 0)):
        r.put(tag, "US", v)
    r.put(0x00280004, "CS", "MONOCHROME2"), r.put(0x7FE00010, "OB", bytes([0, 255] * 64))
