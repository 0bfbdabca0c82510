"""python -m headerset SEED OUT [--style a|b]: writes the set and prints the counts of its checks."""
import argparse
import pathlib
import random
import warnings

import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID

from . import common, documents, images, style_a, style_b
from .people import people
from .record import Record, make_uid, write_key

SYNTAXES = ["1.2.840.10008.1.2.1"] * 4 + ["1.2.840.10008.1.2"] * 3 + ["1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"]
IMAGES = ["CT", "MR", "US", "CR", "DX", "MG", "NM", "PT"]
PAPERS = ["SR basic", "SR measure", "SR dose", "SR subject", "PR", "KO", "RTSTRUCT", "RTPLAN", "ECG", "SEG"]


def record(n, rng, style, person, study, kind, number, others):
    """One instance with all its modules."""
    sop = images.SOP.get(kind) or documents.SOP[kind]
    modality = kind if kind in images.SOP else documents.MODALITY[kind]
    r = Record(n, rng, style, person, study, kind, modality, sop, {"uid": study["series"].setdefault((kind, number), make_uid(rng)), "number": str(number)})
    r.ts = rng.choice(SYNTAXES)
    r.big = r.ts == "1.2.840.10008.1.2.2"
    if kind in ("ECG", "SEG") and r.big:
        r.ts, r.big = "1.2.840.10008.1.2.1", False
    if person.charset != [""]:
        r.put(0x00080005, "CS", person.charset if len(person.charset) > 1 else person.charset[0])
    for module in (common.patient, common.study, common.series, common.equipment):
        module(r)
    pictures = [o for o in others if o.kind in IMAGES]
    if kind in IMAGES:
        images.image(r, pictures)
    elif kind == "SEG":
        images.segmentation(r, pictures)
    elif kind.startswith("SR"):
        documents.report(r, pictures, kind)
    else:
        {"PR": documents.presentation, "KO": documents.key_object, "RTSTRUCT": documents.structures, "RTPLAN": documents.plan, "ECG": documents.waveform}[kind](r, others if kind == "RTPLAN" else pictures)
    common.private(r)
    common.rare(r)
    common.finish(r)
    return r


def study_kinds(rng, turn):
    """What a study holds: images first, then what refers to them; `turn` goes round all kinds."""
    first = [IMAGES[turn % 8], IMAGES[(turn * 3 + 1) % 8]]
    kinds = [first[0], first[0], first[1], rng.choice(first)]
    papers = [PAPERS[(turn * 3 + i) % len(PAPERS)] for i in range(4)]
    return kinds + sorted(papers, key=lambda k: k == "RTPLAN")


def write(r, out):
    """The file, as its transfer syntax and character set want it."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID, meta.TransferSyntaxUID = r.sop_class, r.sop, UID(r.ts)
    meta.ImplementationClassUID, meta.SourceApplicationEntityTitle = "1.2.276.0.7230010.3.0.3.6.7", "AE" + "".join(c for c in r.person.other_id if c.isalnum())[:8]
    if r.meta_note:
        meta.PrivateInformationCreatorUID, meta.PrivateInformation = "1.2.276.0.99999.1", r.meta_note + b" " * (len(r.meta_note) % 2)
    r.path = f"data/{r.person.locale}-{r.person.index}/{r.study['acc'][-4:].strip('-')}/{r.modality}{r.series['number']}/{r.n}.dcm"
    path = out / r.path
    path.parent.mkdir(parents=True, exist_ok=True)
    ds = FileDataset(str(path), r.ds, file_meta=meta, preamble=r.preamble or b"\0" * 128, is_implicit_VR=r.ts == "1.2.840.10008.1.2", is_little_endian=not r.big)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        ds.save_as(path, enforce_file_format=True)
    for w in seen:
        if "encode" in str(w.message):
            raise SystemExit(f"{r.person.locale}: {w.message}")


def main():
    pydicom.config.settings.reading_validation_mode = pydicom.config.settings.writing_validation_mode = pydicom.config.IGNORE    # partial dates are wanted
    pydicom.config.replace_un_with_known_vr = False           # a sequence may be written as UN
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("seed", type=int), ap.add_argument("out", type=pathlib.Path), ap.add_argument("--style", choices="ab")
    a = ap.parse_args()
    name = a.style or "ab"[a.seed % 2]
    style, rng = {"a": style_a, "b": style_b}[name], random.Random(f"headerset {name} {a.seed}")
    (a.out / "key").mkdir(parents=True, exist_ok=True)
    who, records, n, turn = people(rng, style), [], 5000 + a.seed % 1000, rng.randint(0, 7)
    for p in who:
        for s in p.studies:
            kinds = study_kinds(rng, turn)
            turn += 1
            s.update(uid=make_uid(rng), ref=make_uid(rng), frame=make_uid(rng), event=make_uid(rng), track=make_uid(rng), dim=make_uid(rng), series={},
                     time=f"{rng.randint(7, 18):02}{rng.randint(10, 59)}00", modality="RT" if "RTPLAN" in kinds and rng.random() < .3 else kinds[0] if kinds[0] in style.STUDY else "CT")
            others = []
            for k in kinds:
                number = list(dict.fromkeys(kinds)).index(k) + 1
                r = record(n, rng, style, p, s, k, number, others)
                write(r, a.out)
                others.append(r), records.append(r)
                n += 1
    counts = write_key(a.out / "key", a.seed, name, who, records)
    print(f"seed {a.seed}, style {name}: {len(who)} patients, {len(records)} instances, {sum(counts.values())} checks; {counts}")


main()
