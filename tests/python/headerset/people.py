"""Persons: names in their character sets, IDs of many shapes, addresses, doctors."""
import datetime
import unicodedata
from dataclasses import dataclass, field


@dataclass
class Person:
    """One patient and everything that identifies them."""
    index: int
    locale: str
    charset: list
    family: str                    # as written in the locale
    given: str
    latin: tuple                   # (family, given) in Latin letters, or the same
    pn: str
    mrn: str
    other_id: str
    national_id: str
    birth: datetime.date
    sex: str
    address: str
    city: str
    phone: str
    email: str
    hospital: str
    doctors: list
    thirds: list
    maiden: str
    studies: list = field(default_factory=list)

    def tokens(self):
        """What must not be anywhere in this patient's files (score.py, phi_leak)."""
        out = {self.mrn, self.other_id, self.national_id, self.phone, self.hospital, self.maiden, self.address, *self.doctors}
        out |= {self.family, self.given, *self.latin}
        out |= {part for name in list(out) if name in (self.family, self.given, *self.latin) for part in name.split() if len(part) > 3}
        out |= {s["acc"] for s in self.studies}
        return sorted(t for t in out if t)


def fold(s):
    """Without diacritics, as a typist or an old system writes it."""
    s = s.replace("ß", "ss").replace("ø", "o").replace("ł", "l").replace("Ł", "L").replace("ı", "i").replace("đ", "d").replace("Đ", "D")
    return "".join(c for c in unicodedata.normalize("NFD", s) if not unicodedata.combining(c))


def digits(rng, n):
    return "".join(rng.choice("0123456789") for _ in range(n))


def mod11(body):
    s = sum((len(body) + 1 - i) * int(c) for i, c in enumerate(body))
    r = (11 - s % 11) % 11
    return body + ("X" if r == 10 else str(r))


def patient_id(rng):
    shapes = [lambda: "00" + digits(rng, 6), lambda: f"{digits(rng, 3)}-{digits(rng, 2)}-{digits(rng, 4)}", lambda: rng.choice("BGHKTV") + digits(rng, 7),
              lambda: mod11("1" + digits(rng, 8)), lambda: f"{rng.choice(['NRT', 'UMC', 'PX'])}/{digits(rng, 5)}/{digits(rng, 2)}",
              lambda: digits(rng, 10), lambda: f"{digits(rng, 6)}-{digits(rng, 3)}{rng.choice('ACFHM')}", lambda: f"P{digits(rng, 4)}.{digits(rng, 3)}",
              lambda: f"{rng.choice('ADEM')}{rng.choice('JKLZ')}{digits(rng, 5)}{rng.choice('QRSW')}"]
    return rng.choice(shapes)()


def phone(rng):
    return rng.choice([lambda: f"+49 {digits(rng, 3)} {digits(rng, 7)}", lambda: f"({rng.randint(201, 989)}) 555-{digits(rng, 4)}", lambda: f"0{rng.randint(11, 99)}-{digits(rng, 3)}-{digits(rng, 4)}",
                       lambda: f"{rng.randint(201, 989)}.555.{digits(rng, 4)}", lambda: f"020 7946 0{digits(rng, 3)}", lambda: "06 " + " ".join(digits(rng, 2) for _ in range(4))])()


def national_id(rng):
    return rng.choice([lambda: f"9{digits(rng, 2)}-{rng.randint(10, 69)}-{digits(rng, 4)}", lambda: f"{digits(rng, 3)} {digits(rng, 3)} {digits(rng, 4)}",
                       lambda: f"{rng.choice('XYZ')}{digits(rng, 7)}{rng.choice('LMPT')}", lambda: digits(rng, 11)])()


def people(rng, style):
    """All patients of a set: each locale once, some twice."""
    out = []
    for locale in list(style.LOCALES) + style.EXTRA:
        charsets, families, givens, street, cities, hospitals, doctors, thirds = style.LOCALES[locale]
        family, given, charset = rng.choice(families), rng.choice(givens), rng.choice(charsets)
        latin = (style.LATIN.get(family, family), style.LATIN.get(given, given))
        pn = f"{family}^{given}"
        if latin[0] != family:
            pn = f"{latin[0]}^{latin[1]}={family}^{given}" + (f"={style.KANA[family]}^{style.KANA[given]}" if family in style.KANA and given in style.KANA else "")
        elif locale[:2] in ("en", "de") and rng.random() < .4:
            pn += "^" + rng.choice("BJQT")
        age = rng.choice([1, 9, 17, 28, 36, 45, 53, 61, 68, 74, 83, 91, 96])
        city = rng.choice(cities)
        birth = datetime.date(2016, 1, 1) - datetime.timedelta(days=int(age * 365.25) + rng.randint(0, 360))
        handle = fold(latin[0] if latin[0].isascii() else "patient" + digits(rng, 3)).lower().replace(" ", "").replace("'", "").replace("^", "")
        p = Person(len(out), locale, charset.split("\\") if "\\" in charset else [charset], family, given, latin, pn, patient_id(rng), rng.choice("QUW") + digits(rng, 6),
                   national_id(rng), birth, rng.choice("MF"), street.format(n=rng.randint(11, 399)), city, phone(rng), f"{handle}{digits(rng, 2)}@post.example.net",
                   rng.choice(hospitals), rng.sample(doctors, min(2, len(doctors))), thirds, rng.choice(families))
        day = datetime.date(2016, 1, 1) + datetime.timedelta(days=rng.randint(200, 2200))
        for _ in range(2):
            p.studies.append({"date": day, "acc": rng.choice(["RA-", "", "X", "2W"]) + digits(rng, 7) + rng.choice(["", "", "-1"]), "id": digits(rng, 5) + rng.choice("EF")})
            day += datetime.timedelta(days=rng.randint(20, 500))
        out.append(p)
    return out
