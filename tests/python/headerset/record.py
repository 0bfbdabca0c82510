"""An instance under construction, its checks, and the writer of the set's key."""
import datetime
import json

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import generate_uid

from . import plant as planting


def make_uid(rng):
    root = rng.choice(["1.2.826.0.1.3680043.8.498.", "2.25.", "1.3.6.1.4.1.5962.1.4.", "1.2.276.0.7230010.3.1.4."])
    return str(generate_uid(prefix=root, entropy_srcs=[str(rng.random())]))


def step(tag):
    t = Tag(tag)
    return f"({t.group:04x},{t.element:04x})"


class Node:
    """A data set (root or item) and its path in the instance."""

    def __init__(self, rec, ds, at=""):
        self.rec, self.ds, self.at = rec, ds, at

    def put(self, tag, vr, value):
        """Sets an element; its path. A second value takes the checks of the first away."""
        path = self.at + step(tag)
        if Tag(tag) in self.ds:
            self.rec.checks[:] = [c for c in self.rec.checks if c["path"] != path]
        self.ds.add_new(Tag(tag), vr, value)
        return path

    def check(self, action, path, value, text="", needs="", cat="TCIA", note=""):
        if action == "text_retained" and not needs and "(0040,a730)" in path:
            needs = "clean_structured"                          # `basic` removes the content of a report
        self.rec.checks.append(dict(n=self.rec.n, i=len(self.rec.checks), action=action, path=path, value=str(value), text=str(text), needs=needs, cat=cat, note=note))

    def keep(self, tag, vr, value, needs="", note="", text=None):
        path = self.put(tag, vr, value)
        shown = "\\".join(str(v) for v in value) if isinstance(value, list) else value
        self.check("text_retained", path, shown, shown if text is None else text, needs, note=note)

    def drop(self, tag, vr, value, cat="HIPAA-A", note="", gone=None, present=False):
        path = self.put(tag, vr, value)
        shown = "\\".join(value) if isinstance(value, list) else value
        self.check("text_removed", path, shown, gone or shown.replace("^", " ").replace("=", " "), "", cat, note)
        if present:
            self.check("tag_retained", path, shown, shown, "", "DICOM")

    def date(self, tag, vr, value, interval=True, note=""):
        """DA, or DT with any tail; `interval`: shifted by the patient's days."""
        path = self.put(tag, vr, value)
        self.check("date_shifted", path, value, value[:8], "", "HIPAA-C", note)
        if interval:
            self.check("date_interval", path, value, value[:8], "longitudinal_modified", "X", note)

    def uid(self, tag, value, known=True, note=""):
        path = self.put(tag, "UI", value)
        self.check("uid_changed", path, value, value, "", "HIPAA-R", note)
        if known:
            self.check("uid_consistent", path, value, value, "", "DICOM-U", note)

    def text(self, tag, vr, bases, chance=.5, needs="clean_descriptors", note=""):
        """A free text, with an identifier in it by `chance`."""
        r, longest = self.rec, {"LO": 64, "SH": 16}.get(vr, 10 ** 6)
        base = r.rng.choice(bases)
        got = planting.plant(r.rng, r.style, r.person, r.study, base, longest) if r.rng.random() < chance else None
        if got:
            value, gone, stays, why, cat = got
            path = self.put(tag, vr, value)
            self.check("text_removed", path, value, gone, "", cat, (note + " " + why).strip())
            if stays:
                self.check("text_retained", path, value, stays, needs, "TCIA", (note + " " + why).strip())
            return
        stays = planting.staying(r.person, base)
        self.check("text_retained", self.put(tag, vr, base), base, " ".join(stays), needs, "TCIA", (note + " clean").strip())

    def report(self, tag, vr, bases, needs, note=""):
        """Sentences one below the other, with identifiers in two of them."""
        r = self.rec
        lines = r.rng.sample(bases, min(4, len(bases)))
        base = " ".join(lines)
        got = [planting.plant(r.rng, r.style, r.person, r.study, line) for line in lines[:2]]
        # pydicom does not designate a set again after the end of a line (PS3.5 6.1.2.5.3).
        value = r.rng.choice([" "] if "ISO 2022" in " ".join(r.person.charset) else ["\r\n", " ", "\n- "]).join([g[0] for g in got if g] + [line for line, g in zip(lines, got + [None] * 4) if not g])
        gone = planting.removable(" ".join(g[1] for g in got if g), base)
        stays = " ".join(planting.staying(r.person, base))
        path = self.put(tag, vr, value)
        why = (note + " report: " + " + ".join(g[3] for g in got if g)).strip()
        self.check("text_removed", path, value, gone, "", "HIPAA-A", why)
        self.check("text_retained", path, value, stays, needs, "TCIA", why)

    def item(self, tag):
        """A new item of the sequence `tag`."""
        if Tag(tag) not in self.ds:
            self.ds.add_new(Tag(tag), "SQ", Sequence([]))
        ds = Dataset()
        self.ds[Tag(tag)].value.append(ds)
        return Node(self.rec, ds, f"{self.at}{step(tag)}[{len(self.ds[Tag(tag)].value) - 1}]")

    def code(self, tag, value, scheme, meaning, keep=False):
        it = self.item(tag)
        it.put(0x00080100, "SH", value), it.put(0x00080102, "SH", scheme)
        it.keep(0x00080104, "LO", meaning, note="code meaning") if keep else it.put(0x00080104, "LO", meaning)
        return it

    def private(self, group, creator, block, element, vr, value):
        """A private element in the block that `creator` holds; its path."""
        self.ds.add_new(Tag(group, block), "LO", creator)
        self.ds.add_new(Tag(group, block << 8 | element), vr, value)
        return f'{self.at}({group:04x},"{creator}",{element:02x})'


class Record(Node):
    """An instance."""

    def __init__(self, n, rng, style, person, study, kind, modality, sop_class, series):
        super().__init__(self, Dataset())
        self.n, self.rng, self.style, self.person, self.study = n, rng, style, person, study
        self.kind, self.modality, self.sop_class, self.series = kind, modality, sop_class, series
        self.checks, self.sop = [], make_uid(rng)
        self.preamble, self.meta_note = None, None

    def day(self, days=0):
        return (self.study["date"] + datetime.timedelta(days=days)).strftime("%Y%m%d")


def write_key(folder, seed, style_name, people, records):
    """instances.jsonl, checks.jsonl, patients.json."""
    stays = {}
    for r in records:
        stays.setdefault(r.person.index, []).extend(c["text"].lower() for c in r.checks if c["action"] == "text_retained")
    with open(folder / "instances.jsonl", "w", encoding="utf-8") as f:
        for r in records:
            f.write(json.dumps(dict(n=r.n, path=r.path, sop=r.sop, series=r.series["uid"], study=r.study["uid"], pid=r.person.mrn, patient=r.person.index, kind=r.kind,
                                    sopclass=r.sop_class, ts=r.ts, lossy=False, phi_boxes=0)) + "\n")
    with open(folder / "checks.jsonl", "w", encoding="utf-8") as f:
        for r in records:
            for c in r.checks:
                f.write(json.dumps(c, ensure_ascii=False) + "\n")
    out = []
    for p in people:
        kept = " \n ".join(stays.get(p.index, []))
        toks = [t for t in p.tokens() if not planting.has(t.lower(), kept)]
        out.append(dict(p=p.index, locale=p.locale, charset=p.charset, pn=p.pn, mrn=p.mrn, tokens=toks))
    counts = {}
    for r in records:
        for c in r.checks:
            counts[c["action"]] = counts.get(c["action"], 0) + 1
    (folder / "patients.json").write_text(json.dumps(dict(seed=seed, style=style_name, counts=counts, patients=out), ensure_ascii=False, indent=1), encoding="utf-8")
    return counts
