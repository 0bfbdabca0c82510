"""Objects without pixels: SR (four templates), presentation state, key object, RT, waveform."""
import struct

SOP = {"SR basic": "1.2.840.10008.5.1.4.1.1.88.11", "SR measure": "1.2.840.10008.5.1.4.1.1.88.33", "SR dose": "1.2.840.10008.5.1.4.1.1.88.67", "SR subject": "1.2.840.10008.5.1.4.1.1.88.22",
       "PR": "1.2.840.10008.5.1.4.1.1.11.1", "KO": "1.2.840.10008.5.1.4.1.1.88.59", "RTSTRUCT": "1.2.840.10008.5.1.4.1.1.481.3", "RTPLAN": "1.2.840.10008.5.1.4.1.1.481.5",
       "ECG": "1.2.840.10008.5.1.4.1.1.9.1.1"}
MODALITY = {"SR basic": "SR", "SR measure": "SR", "SR dose": "SR", "SR subject": "SR", "PR": "PR", "KO": "KO", "RTSTRUCT": "RTSTRUCT", "RTPLAN": "RTPLAN", "ECG": "ECG"}


def entry(node, kind, code, meaning, relation="CONTAINS"):
    """A content item (PS3.3 C.17.3) under `node`."""
    it = node.item(0x0040A730)
    it.put(0x0040A010, "CS", relation), it.put(0x0040A040, "CS", kind)
    it.code(0x0040A043, code, "DCM" if code.isdigit() and len(code) == 6 else "LN", meaning, keep=code == "121070")
    return it


def image_entry(node, other, relation="CONTAINS"):
    it = entry(node, "IMAGE", "121112", "Source of Measurement", relation)
    ref = it.item(0x00081199)
    ref.keep(0x00081150, "UI", other.sop_class, note="class UID"), ref.uid(0x00081155, other.sop, note="SR image")


def number(node, value, unit, meaning="Diameter", code="121206"):
    it = entry(node, "NUM", code, meaning)
    m = it.item(0x0040A300)
    m.keep(0x0040A30A, "DS", value, "clean_structured"), m.code(0x004008EA, unit, "UCUM", unit)


def evidence(r, others, tag):
    st = r.item(tag)
    st.uid(0x0020000D, r.study["uid"])
    for o in others[:2]:
        se = st.item(0x00081115)
        se.uid(0x0020000E, o.series["uid"])
        ref = se.item(0x00081199)
        ref.keep(0x00081150, "UI", o.sop_class, note="class UID"), ref.uid(0x00081155, o.sop)


def report(r, others, template):
    rng, p = r.rng, r.person
    free = r.style.LONGTEXT + r.style.LOCALTEXT.get(p.locale, [])
    r.put(0x0040A040, "CS", "CONTAINER"), r.put(0x0040A050, "CS", "SEPARATE"), r.put(0x0040A491, "CS", "COMPLETE")
    title = {"SR basic": ("11528-7", "Radiology Report"), "SR measure": ("126000", "Imaging Measurement Report"), "SR dose": ("113701", "X-Ray Radiation Dose Report"), "SR subject": ("125000", "OB-GYN Ultrasound Procedure Report")}[template]
    r.code(0x0040A043, title[0], "DCM" if len(title[0]) == 6 else "LN", title[1])
    if rng.random() < .6:
        r.put(0x0040A493, "CS", "VERIFIED")
        v = r.item(0x0040A073)
        v.drop(0x0040A027, "LO", p.hospital, "HIPAA-B", "verifier"), v.date(0x0040A030, "DT", r.day(1) + "0812", note="verification"), v.drop(0x0040A075, "PN", p.doctors[-1] + "^^^Dr", gone=p.doctors[-1], note="verifier")
        v.ds.add_new(0x0040A088, "SQ", [])
    else:
        r.put(0x0040A493, "CS", "UNVERIFIED")
        a = r.item(0x0040A078)
        a.put(0x0040A084, "CS", "PSN"), a.drop(0x0040A123, "PN", p.doctors[0] + "^", gone=p.doctors[0], note="author observer"), a.drop(0x00080080, "LO", p.hospital, "HIPAA-B", "author observer")
    evidence(r, others, 0x0040A375)
    it = entry(r, "PNAME", "121008", "Person Observer Name", "HAS OBS CONTEXT")
    it.drop(0x0040A123, "PN", p.doctors[0] + "^Q", gone=p.doctors[0], note="SR person")
    if template == "SR basic":
        for code, meaning in (("121060", "History"), ("121070", "Findings"), ("121076", "Conclusions")):
            c = entry(r, "CONTAINER", code, meaning)
            c.put(0x0040A050, "CS", "SEPARATE")
            for _ in range(2):
                c2 = entry(c, "TEXT", "121071", "Finding")
                c2.report(0x0040A160, "UT", free, "clean_structured", "SR text") if rng.random() < .4 else c2.text(0x0040A160, "UT", free, .5, "clean_structured", "SR text")
    if template == "SR subject":
        entry(r, "PNAME", "121029", "Subject Name", "HAS OBS CONTEXT").drop(0x0040A123, "PN", p.pn, gone=f"{p.family} {p.given}", note="SR subject")
        entry(r, "TEXT", "121030", "Subject ID", "HAS OBS CONTEXT").drop(0x0040A160, "UT", p.mrn, "HIPAA-H", "SR subject id")
        entry(r, "DATE", "121031", "Subject Birth Date", "HAS OBS CONTEXT").date(0x0040A121, "DA", p.birth.strftime("%Y%m%d"), False, "SR subject birth date")
        entry(r, "DATE", "11955-2", "LMP").date(0x0040A121, "DA", r.day(-120), note="SR DATE")
        number(r, "48.2", "mm", "Biparietal Diameter", "11820-8"), number(r, "22.5", "wk", "Gestational Age", "18185-9")
        entry(r, "TEXT", "121106", "Comment").text(0x0040A160, "UT", free, .6, "clean_structured", "SR text")
    if template == "SR measure":
        g = entry(r, "CONTAINER", "125007", "Measurement Group")
        g.put(0x0040A050, "CS", "SEPARATE")
        t = entry(g, "TEXT", "112039", "Tracking Identifier", "HAS OBS CONTEXT")
        t.keep(0x0040A160, "UT", f"Lesion {rng.randint(1, 9)}", "clean_structured", "SR tracking id")
        entry(g, "UIDREF", "112040", "Tracking Unique Identifier", "HAS OBS CONTEXT").uid(0x0040A124, r.study["track"], False, "SR UIDREF")
        number(g, f"{rng.uniform(3, 60):.1f}", "mm")
        entry(g, "CODE", "121401", "Derivation").code(0x0040A168, "R-00317", "SRT", "Mean", keep=False).check("text_retained", g.at + "(0040,a730)[3](0040,a168)[0](0008,0104)", "Mean", "Mean", "clean_structured", note="SR code meaning")
        image_entry(g, others[0])
        entry(r, "TEXT", "121106", "Comment").text(0x0040A160, "UT", free, .6, "clean_structured", "SR text")
        entry(r, "DATETIME", "121125", "DateTime of Recording").date(0x0040A120, "DT", r.day() + "101500", note="SR DATETIME")
    if template == "SR dose":
        entry(r, "TEXT", "121013", "Device Observer Name", "HAS OBS CONTEXT").put(0x0040A160, "UT", "CTSCANNER")
        entry(r, "DATETIME", "113809", "Start of X-Ray Irradiation").date(0x0040A120, "DT", r.day() + "084422", note="SR DATETIME")
        d = entry(r, "CONTAINER", "113819", "CT Acquisition")
        d.put(0x0040A050, "CS", "SEPARATE")
        entry(d, "TEXT", "125203", "Acquisition Protocol").text(0x0040A160, "UT", r.style.PROTOCOL, .35, "clean_structured", "SR protocol")
        entry(d, "UIDREF", "113769", "Irradiation Event UID").uid(0x0040A124, r.study["event"], False, "SR UIDREF")
        number(d, f"{rng.uniform(80, 900):.2f}", "mGy.cm", "DLP", "113838"), number(d, "12.4", "mGy", "Mean CTDIvol", "113830")
        entry(r, "PNAME", "113870", "Person Name", "HAS CONCEPT MOD").drop(0x0040A123, "PN", p.thirds[0].replace(" ", "^"), gone=p.thirds[0], note="SR person")


def presentation(r, others):
    rng, p = r.rng, r.person
    o = others[0]
    se = r.item(0x00081115)
    se.uid(0x0020000E, o.series["uid"])
    ref = se.item(0x00081140)
    ref.keep(0x00081150, "UI", o.sop_class, note="class UID"), ref.uid(0x00081155, o.sop)
    ann = r.item(0x00700001)
    ann.put(0x00700002, "CS", "LAYER1")
    for bases, chance in ((r.style.LABELS, 0), (r.style.LABELS, 1), (r.style.LONGTEXT, .5)):
        t = ann.item(0x00700008)
        t.put(0x00700003, "CS", "DISPLAY"), t.put(0x00700010, "FL", [.1, .1]), t.put(0x00700011, "FL", [.6, .2]), t.put(0x00700012, "CS", "LEFT")
        t.text(0x00700006, "ST", bases, chance, "clean_graphics", "annotation")
    layer = r.item(0x00700060)
    layer.put(0x00700002, "CS", "LAYER1"), layer.put(0x00700062, "IS", "1")
    r.put(0x00700080, "CS", "MARKS"), r.text(0x00700081, "LO", r.style.LABELS, .5, "clean_descriptors", "content description")
    r.date(0x00700082, "DA", r.day(), note="presentation creation"), r.put(0x00700083, "TM", "111500"), r.drop(0x00700084, "PN", p.doctors[-1] + "^", gone=p.doctors[-1], note="content creator")
    r.put(0x20500020, "CS", "IDENTITY")


def key_object(r, others):
    r.put(0x0040A040, "CS", "CONTAINER"), r.put(0x0040A050, "CS", "SEPARATE")
    r.code(0x0040A043, "113000", "DCM", "Of Interest")
    evidence(r, others, 0x0040A375)
    entry(r, "PNAME", "121008", "Person Observer Name", "HAS OBS CONTEXT").drop(0x0040A123, "PN", r.person.doctors[0] + "^", gone=r.person.doctors[0], note="SR person")
    entry(r, "TEXT", "113012", "Key Object Description").text(0x0040A160, "UT", r.style.LONGTEXT, .6, "clean_structured", "key object description")
    image_entry(r, others[0])


def structures(r, others):
    rng, p = r.rng, r.person
    r.text(0x30060002, "SH", ["SS 1", "Plan CT", "RTS v2"], .4, note="structure set label"), r.text(0x30060004, "LO", r.style.STUDY["RT"], .5, note="structure set name")
    r.text(0x30060006, "ST", r.style.LONGTEXT, .5, note="structure set description"), r.date(0x30060008, "DA", r.day(1), note="structure set"), r.put(0x30060009, "TM", "140000")
    f = r.item(0x30060010)
    f.uid(0x00200052, r.study["frame"])
    rs = f.item(0x30060012)
    rs.put(0x00081150, "UI", "1.2.840.10008.3.1.2.3.1"), rs.uid(0x00081155, r.study["uid"])
    se = rs.item(0x30060014)
    se.uid(0x0020000E, others[0].series["uid"])
    for o in others[:2]:
        c = se.item(0x30060016)
        c.keep(0x00081150, "UI", o.sop_class, note="class UID"), c.uid(0x00081155, o.sop)
    for i, name in enumerate(rng.sample(r.style.ROI, 4), 1):
        roi = r.item(0x30060020)
        roi.put(0x30060022, "IS", str(i)), roi.uid(0x30060024, r.study["frame"]), roi.text(0x30060026, "LO", [name], .25, note="roi name"), roi.put(0x30060036, "CS", "MANUAL")
        if i == 1:
            roi.text(0x30060028, "ST", ["margin 5 mm", "from PET SUV 2.5"], .6, note="roi description")
        ob = r.item(0x30060080)
        ob.put(0x30060082, "IS", str(i)), ob.put(0x30060084, "IS", str(i)), ob.put(0x300600A4, "CS", "ORGAN")
        ob.drop(0x300600A6, "PN", p.thirds[-1].replace(" ", "^"), gone=p.thirds[-1], note="roi interpreter")
        cs = r.item(0x30060039)
        cs.put(0x30060084, "IS", str(i)), cs.keep(0x3006002A, "IS", ["255", "0", "0"])
    r.put(0x300E0002, "CS", "APPROVED"), r.date(0x300E0004, "DA", r.day(2), note="review"), r.put(0x300E0005, "TM", "150000"), r.drop(0x300E0008, "PN", p.doctors[-1] + "^", gone=p.doctors[-1], note="reviewer")


def plan(r, others):
    rng, p = r.rng, r.person
    r.text(0x300A0002, "SH", ["ARC1", "Boost 2", "PlanA"], .4, note="plan label"), r.text(0x300A0003, "LO", r.style.STUDY["RT"], .5, note="plan name"), r.text(0x300A0004, "ST", r.style.LONGTEXT, .5, note="plan description")
    r.date(0x300A0006, "DA", r.day(3), note="plan"), r.put(0x300A0007, "TM", "090000"), r.put(0x300A000C, "CS", "PATIENT")
    for o in [x for x in others if x.kind == "RTSTRUCT"][:1]:
        ref = r.item(0x300C0060)
        ref.put(0x00081150, "UI", o.sop_class), ref.uid(0x00081155, o.sop, note="structure set")
    fg = r.item(0x300A0070)
    fg.put(0x300A0071, "IS", "1"), fg.keep(0x300A0078, "IS", "25"), fg.put(0x300A0080, "IS", "1"), fg.put(0x300A00A0, "IS", "0")
    b = r.item(0x300A00B0)
    b.put(0x300A00C0, "IS", "1"), b.text(0x300A00C2, "LO", ["1 ARC CW", "G180 T0", "AP FIELD"], .3, note="beam name"), b.text(0x300A00C3, "ST", ["wedge 15 degrees", "split arc 2 of 3"], .5, note="beam description")
    b.keep(0x300A00B2, "SH", "LINAC2", "device_identity", "treatment machine"), b.put(0x300A00C4, "CS", "DYNAMIC"), b.put(0x300A00C6, "CS", "PHOTON"), b.keep(0x300A00B4, "DS", "1000")
    r.put(0x300E0002, "CS", "UNAPPROVED")


def waveform(r, others):
    r.date(0x0008002A, "DT", r.day() + "093001.00", note="acquisition")
    w = r.item(0x54000100)
    for tag, vr, v in ((0x003A0004, "CS", "ORIGINAL"), (0x003A0005, "US", 1), (0x003A0010, "UL", 16), (0x003A001A, "DS", "500"), (0x54001004, "US", 16), (0x54001006, "CS", "SS")):
        w.put(tag, vr, v)
    c = w.item(0x003A0200)
    c.put(0x003A021A, "US", 16), c.keep(0x003A0203, "SH", "Lead II", "clean_descriptors", "channel label"), c.code(0x003A0208, "2:2", "MDC", "Lead II"), c.keep(0x003A0210, "DS", "2.5")
    w.put(0x54001010, "OW", struct.pack("<16h", *range(16)))
    for bases, chance in ((["Sinus rhythm 64 bpm", "QTc Bazett 431 ms"], .4), (r.style.LONGTEXT, .7)):
        a = r.item(0x0040B020)
        a.put(0x0040A180, "US", 1), a.text(0x00700006, "ST", bases, chance, "clean_descriptors", "waveform annotation"), a.put(0x0040A0B0, "US", [1, 0])
    r.item(0x00400555)
