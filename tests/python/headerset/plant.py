"""Where identity is put into a text: value, words that must go, words that must stay."""
import re

from .people import fold

# What a name, a birth date, a physician or a telephone number follows in other languages.
LOCAL_CUES = {
    "de": {"name": ["Pat. {}", "Herr {}", "Frau {}"], "dob": ["geb. am {}", "Geburtsdatum {}"], "doctor": ["OA Dr. med. {}", "überwiesen von Dr. {}", "gez. {}"], "phone": ["Tel. {}", "Rückruf {}"],
           "third": ["Ehefrau {} anwesend", "MTRA {}"], "date": ["vom {}", "Voraufnahme {}"], "inst": ["aus {}", "Ext. {}"]},
    "fr": {"name": ["M. {}", "Mme {}", "patient {}"], "dob": ["né le {}", "née le {}"], "doctor": ["adressé par le Dr {}", "Pr {}"], "phone": ["tél {}"], "third": ["épouse {} présente", "manip {}"], "date": ["examen du {}"]},
    "es": {"name": ["Sr. {}", "Sra. {}", "paciente {}"], "dob": ["F. nac. {}", "nacido el {}"], "doctor": ["Dra. {}", "solicita Dr. {}"], "phone": ["tfno {}"], "third": ["acompañante {}"], "date": ["previo del {}"]},
    "it": {"name": ["Sig. {}", "Sig.ra {}"], "dob": ["nato il {}"], "doctor": ["Dott. {}", "inviato dal Dr. {}"], "third": ["figlia {} presente"], "date": ["esame del {}"]},
    "pt": {"name": ["Sr. {}", "Dona {}"], "dob": ["nascido em {}", "DN {}"], "doctor": ["Dr. {}", "a pedido da Dra. {}"], "phone": ["telem. {}"], "third": ["mãe {}"]},
    "nl": {"name": ["dhr. {}", "mevr. {}"], "dob": ["geb. {}"], "doctor": ["dr. {}", "verwezen door {}"], "phone": ["tel {}"], "third": ["echtgenote {}"]},
    "pl": {"name": ["Pan {}", "Pani {}"], "dob": ["ur. {}"], "doctor": ["lek. {}", "skierował dr {}"]},
    "tr": {"name": ["Sayın {}", "Hasta: {}"], "dob": ["D.T. {}"], "doctor": ["Uzm. Dr. {}"]}, "sv": {"name": ["pat {}"], "dob": ["född {}"], "doctor": ["remiss från dr {}"]},
    "cs": {"name": ["pan {}", "paní {}"], "dob": ["nar. {}"], "doctor": ["MUDr. {}"]}, "ru": {"name": ["пациент {}", "больной {}"], "dob": ["д.р. {}"], "doctor": ["врач {}"]},
    "el": {"name": ["ασθενής {}"], "doctor": ["ιατρός {}"]}, "ja": {"name": ["患者 {}", "{} 様"]}, "zh": {"name": ["患者 {}", "{} 先生"]}, "ko": {"name": ["환자 {}", "{} 님"]}, "vi": {"name": ["BN {}"], "doctor": ["BS {}"]},
}
STOP = set("a an the of for and or to in on at is was are be with by from as this that it its has have had no not do does".split())


def words(s):
    """The words that score.py compares."""
    return [t for t in re.findall(r"[\w][\w.@'-]*[\w]|\w", s.lower()) if t not in STOP]


def has(word, text):
    """As score.py finds a word."""
    if word.isascii() and (word.isalpha() or len(word) <= 3):
        return re.search(r"(?<![a-z])" + re.escape(word) + r"(?![a-z])", text) is not None
    return word in text


def removable(gone, stays):
    """The words of `gone` that `stays` does not have: only these are a claim."""
    return " ".join(w for w in words(gone) if not has(w, stays.lower()))


def spell(s):
    """Separators inside a protocol name are no part of the words that must stay."""
    return re.sub(r"[_^/,;:|()\[\]<>]+", " ", s)


def name_forms(rng, p):
    """(text, note) of a patient's name as it is found in free text."""
    fam, giv = rng.choice([(p.family, p.given), p.latin])
    forms = [(f"{fam} {giv}", ""), (f"{giv} {fam}", ""), (f"{fam}, {giv}", ""), (f"{fam}^{giv}", ""), (f"{fam} {giv}".upper(), ""), (f"{giv} {fam}".lower().replace("i\u0307", "i"), ""),
             (f"{fam.upper()}, {giv}", ""), (f"{giv[0]}. {fam}", "initial"), (f"{fam},{giv[0]}", "initial"), (fam, "family only")]
    if fold(fam) != fam and fold(fam + giv).isascii():
        forms += [(f"{fold(giv)} {fold(fam)}", "without diacritics"), (f"{fold(fam)} {fold(giv)}".upper(), "without diacritics")]
    if len(fam) >= 8 and fam.isascii():
        i = rng.randint(2, len(fam) - 3)
        if fam[i] != fam[i + 1]:
            forms.append((f"{giv} {fam[:i]}{fam[i + 1]}{fam[i]}{fam[i + 2:]}", "typo"))
        forms.append((f"{fam[:-2]} {giv}", "truncated"))
    return rng.choice(forms)


def value_of(rng, style, p, study, kind):
    """(text, note) of one identifier; `third` is in no header."""
    if kind == "name":
        return name_forms(rng, p)
    if kind == "date":
        d = study["date"]
        f = rng.choice(style.DATES)
        return f.format(d=d), f
    if kind == "dob":
        f = rng.choice(style.DATES)
        return f.format(d=p.birth), f
    if kind == "mrn":
        return rng.choice([(p.mrn, ""), (p.other_id, "other id"), (re.sub(r"[-/.]", "", p.mrn), "without separators"), (p.mrn.lower(), "lower case")])
    if kind == "third":
        t = rng.choice(p.thirds)
        return rng.choice([(t, ""), (t.upper(), "upper case")])
    if kind == "doctor":
        d = rng.choice(p.doctors)
        return rng.choice([(d, ""), (d.upper(), "")])
    return {"acc": study["acc"], "phone": p.phone, "email": p.email, "address": f"{p.address}, {p.city}", "inst": p.hospital, "nid": p.national_id}[kind], ""


KINDS = ["name", "name", "name", "mrn", "mrn", "acc", "date", "date", "dob", "phone", "email", "address", "inst", "doctor", "doctor", "third", "third", "nid"]
CATEGORY = {"name": "HIPAA-A", "mrn": "HIPAA-H", "acc": "HIPAA-K", "date": "HIPAA-C", "dob": "HIPAA-C", "phone": "HIPAA-D", "email": "HIPAA-F", "address": "HIPAA-B",
            "inst": "HIPAA-B", "doctor": "HIPAA-A", "third": "HIPAA-A", "nid": "HIPAA-G"}


def staying(p, base):
    """The words of `base` that no name of this patient's files is."""
    own = set(words(" ".join((p.family, p.given, *p.latin, *p.doctors, *p.thirds, p.hospital, p.address, p.city, p.maiden))))
    return [w for w in words(spell(base)) if w not in own]


def cues_of(style, p, kind):
    """The style's cues, and those of the patient's language."""
    return style.CUES[kind] + LOCAL_CUES.get(p.locale[:2], {}).get(kind, []) * 3


def plant(rng, style, p, study, base, longest=10 ** 6):
    """(value, gone, stays, note, category) with one identifier put into `base`; None where nothing fits."""
    for _ in range(30):
        kind = rng.choice(KINDS)
        text, how = value_of(rng, style, p, study, kind)
        if kind == "name" and how == "family only" and len(words(text)) == 1:
            cue = rng.choice(["Mr {}", "Mrs {}", "pt {}"])
        else:
            cue = rng.choice(cues_of(style, p, kind))
        part = cue.format(text)
        layout = rng.choice(["{b} {f}", "{b} {f}", "{f}: {b}", "{b} - {f}", "{b}; {f}", "{f} / {b}", "middle", "under"])
        parts = base.split(" ")
        if layout == "middle" and len(parts) > 2:
            i = len(parts) // 2
            value = " ".join(parts[:i] + [part] + parts[i:])
        elif layout == "under" and longest < 100 and " " not in text and kind in ("name", "mrn", "acc"):
            value = base.replace(" ", "_") + "_" + text
        elif layout in ("middle", "under"):
            value = f"{base} {part}"
        else:
            value = layout.format(b=base, f=part)
        gone = removable(text, base)
        if gone and len(value) <= longest:
            return value, gone, " ".join(staying(p, base)), f"planted {kind}" + (f" ({how})" if how else ""), CATEGORY[kind]
    return None
