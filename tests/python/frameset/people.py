"""Invented persons and what a screen writes of them. Each fact gives (text, class, source).

Source: `header` as the data set has it, `spelled` another spelling of it, `cut`
truncated, `typo` one letter wrong, `foreign` of somebody or something that the
data set does not know.
"""
import datetime
import zlib

from faker import Faker

LATIN = ["en_US", "en_GB", "de_DE", "de_AT", "fr_FR", "es_ES", "it_IT", "pt_BR", "nl_NL"]
MARKED = ["pl_PL", "cs_CZ", "tr_TR", "sv_SE", "da_DK", "no_NO", "fi_FI"]
OTHER = ["ru_RU", "zh_CN", "ja_JP"]
# Not counted from today: a seed gives the same set on any day.
LIVES = datetime.date(1938, 11, 28), datetime.date(2025, 11, 27)
DAYS = datetime.date(2017, 11, 27), datetime.date(2024, 11, 27)
MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
}
HOUSES = {
    "en": ["St. {n}'s Hospital", "{c} General Hospital", "{c} Medical Center", "{n} Women's Clinic", "Royal {c} Infirmary", "{n} Imaging Associates", "{c} County Health"],
    "de": ["Klinikum {c}", "Praxis Dr. {n}", "Universitätsklinik {c}", "St. {n}-Krankenhaus", "MVZ {c} GmbH", "Kreiskrankenhaus {c}"],
    "fr": ["CHU de {c}", "Clinique {n}", "Hôpital {n}", "Centre d'imagerie {c}", "CH {c}"],
    "es": ["Hospital {n}", "Clínica {n}", "Hospital Universitario de {c}", "Centro Médico {c}"],
    "it": ["Ospedale {n}", "A.O. {c}", "Casa di Cura {n}", "Policlinico di {c}"],
    "pt": ["Hospital {n}", "Santa Casa de {c}", "Clínica {n}", "Hosp. Municipal {c}"],
    "nl": ["{n} Ziekenhuis", "UMC {c}", "Medisch Centrum {c}"],
}
# "|" parts the segments of a line; one that starts with "=" is a field's name or
# a title (either way is right), one with "@" the time that belongs to a date.
DOCTOR = {"en": ["=Dr.|{l}", "{f1}. {l}|=MD", "=Ref: Dr|{l}", "=Phys:|{l}", "=Performing:|{l}, {f}", "=Dr.|{f} {l}"],
          "de": ["=Dr.|{l}", "=Dr. med.|{l}", "=OA Dr.|{l}", "=Prof.|{l}", "=Zuweiser: Dr.|{l}", "=Untersucher:|{l}"],
          "fr": ["=Dr|{l}", "=Pr|{l}", "=Médecin:|{l}", "=Dr|{f} {l}"], "es": ["=Dra.|{l}", "=Dr.|{l}", "=Médico:|{l}"],
          "it": ["=Dott.|{l}", "=Dott.ssa|{l}", "=Prof.|{l}", "=Medico:|{l}"], "pt": ["=Dr.|{l}", "=Dra.|{f} {l}", "=Médico:|{l}"], "nl": ["=Dr.|{l}", "=Arts:|{l}", "=drs.|{l}"]}
OPERATOR = ["=Op:|{i}", "=Tech:|{i}", "=OP|{l}", "=Sonographer:|{f} {l}", "=Op.:|{l}", "=Tech|{f1}{l1}", "=MTRA|{l}", "=Operator:|{f1}. {l}"]
BORN = {"en": ["=DOB:|{d}", "=DOB|{d}", "=Born|{d}", "{d}", "=D.O.B.|{d}"], "de": ["=geb.|{d}", "=Geb.:|{d}", "*{d}", "{d}", "=Geburtsdatum:|{d}"], "fr": ["=né le|{d}", "=DDN:|{d}", "{d}", "=Née|{d}"],
        "es": ["=F. Nac.:|{d}", "=FN|{d}", "{d}"], "it": ["=nato il|{d}", "=Data di nascita:|{d}", "{d}"], "pt": ["=Nasc.:|{d}", "=DN|{d}", "{d}"], "nl": ["=geb.|{d}", "=Geb.datum:|{d}", "{d}"]}
AGES = {"en": ["{a}Y", "0{a}Y", "=Age:|{a}", "{a}|=yrs", "{a}y|=F"], "de": ["{a}|=J.", "=Alter:|{a}", "{a}J"], "fr": ["{a}|=ans", "=Age:|{a}|=ans"], "es": ["{a}|=años", "=Edad|{a}"], "it": ["{a}|=anni", "=Età|{a}"],
        "pt": ["{a}|=anos", "=Idade:|{a}"], "nl": ["{a}|=jr", "=Lft|{a}"]}


class Person:
    """Someone of a locale, and that one's day and institution."""

    def __init__(self, rng, locale):
        fake = self.fake = Faker(locale)
        fake.seed_instance(rng.getrandbits(32))
        self.locale, self.sex = locale, rng.choice("MF")
        self.lang = locale[:2] if locale[:2] in HOUSES else "en"
        self.first = fake.first_name_male() if self.sex == "M" else fake.first_name_female()
        self.last = fake.last_name_female() if self.sex == "F" and hasattr(fake, "last_name_female") else fake.last_name()
        self.born = fake.date_between(*LIVES)
        self.day = fake.date_between(*DAYS)
        self.id = rng.choice([f"{rng.randrange(10**6, 10**8)}", f"{rng.choice('HPKMRX')}{rng.randrange(10**5, 10**7)}", f"{rng.randrange(100, 999)}-{rng.randrange(100, 999)}-{rng.randrange(10, 9999)}", f"00{rng.randrange(10**5, 10**7)}"])
        self.accession = rng.choice([f"A{rng.randrange(10**6, 10**8)}", f"{self.day:%Y%m%d}{rng.randrange(100, 9999)}", f"{rng.choice(['US', 'RX', 'CT', 'RAD'])}-{rng.randrange(10**4, 10**7)}", f"{rng.randrange(10**7, 10**9)}"])
        place = fake
        if self.locale[:2] not in HOUSES:
            place = Faker("en_GB")
            place.seed_instance(zlib.crc32((self.first + self.last).encode()))
        self.house = rng.choice(HOUSES[self.lang]).format(n=fake.last_name(), c=place.city())
        self.doctor = (fake.first_name(), fake.last_name())
        self.operator = (fake.first_name(), fake.last_name())
        self.time = f"{rng.randrange(7, 20):02}:{rng.randrange(60):02}:{rng.randrange(60):02}"


def cased(rng, text):
    return text.upper() if rng.random() < 0.55 else text


def spell_name(rng, first, last, sex):
    form = rng.choice(["{L}, {F}", "{L}, {F}", "{L}^{F}", "{L} {F}", "{F} {L}", "{L}, {F1}.", "{L} {F1}", "{F1}. {L}", "={t}|{L}", "{L}^{F}^{m}", "{L},{F}", "{L}", "{L}_{F}"])
    return cased(rng, form.format(L=last, F=first, F1=first[0], t={"M": "Mr", "F": "Mrs"}[sex], m=rng.choice("ABEJMR")))


def typo(rng, text):
    """One letter of the text replaced, doubled or left out."""
    places = [i for i, c in enumerate(text) if c.isalpha() and i > 0]
    if not places:
        return text
    i = rng.choice(places)
    return text[:i] + rng.choice(["", text[i] * 2, rng.choice("aeiounrst")]) + text[i + 1:]


def name(rng, who, others):
    kind = rng.choices(["header", "spelled", "cut", "typo", "foreign"], [30, 25, 12, 10, 23])[0]
    if kind == "foreign":
        who = rng.choice(others)
    text = f"{who.last}, {who.first}" if kind == "header" else spell_name(rng, who.first, who.last, who.sex)
    text = cased(rng, text) if kind == "header" else text
    if kind == "cut":
        text = cased(rng, f"{who.last} {who.first}")
        text = text[:max(5, int(len(text) * rng.uniform(0.45, 0.85)))].rstrip() + rng.choice(["…", "...", "", "~"])
    if kind == "typo":
        text = typo(rng, text)
    return text, "name", kind


def number(rng, who, others):
    own = rng.random() < 0.6
    other = f"{rng.choice(['', '', 'N', 'PAT', 'C'])}{rng.randrange(10**5, 10**9)}"
    return who.id if own else other, "id", "header" if own else "foreign"


def accession(rng, who, others):
    own = rng.random() < 0.65
    return who.accession if own else rng.choice(others).accession, "accession", "header" if own else "foreign"


def written(rng, day, lang):
    """A date as screens of a language write it."""
    month = MONTHS[lang].split()[day.month - 1]
    plain = [f"{day:%Y-%m-%d}", f"{day:%d.%m.%Y}", f"{day:%d/%m/%Y}", f"{day:%d-%m-%Y}", f"{day:%Y/%m/%d}", f"{day:%d.%m.%y}", f"{day:%Y%m%d}"]
    worded = [f"{day.day} {month} {day.year}", f"{day:%d}-{month[:3].upper()}-{day.year}", f"{day.day}. {month} {day.year}", f"{day:%d}{month[:3]}{day:%y}"]
    if lang == "en":
        plain += [f"{day:%m/%d/%Y}", f"{day:%m/%d/%y}"]
        worded += [f"{month} {day.day}, {day.year}", f"{month[:3]} {day:%d} {day.year}"]
    return rng.choice(plain if rng.random() < 0.6 else worded)


def born(rng, who, others):
    own = rng.random() < 0.8
    day = who.born if own else rng.choice(others).born
    return rng.choice(BORN[who.lang]).format(d=written(rng, day, who.lang)), "birth date", "spelled" if own else "foreign"


def date(rng, who, others):
    own = rng.random() < 0.7
    day = who.day if own else who.fake.date_between(DAYS[0], LIVES[1])
    return written(rng, day, who.lang), "date", "spelled" if own else "foreign"


def date_time(rng, who, others):
    text, _, source = date(rng, who, others)
    return text + rng.choice(["|@", "|@", " -|@", ",|@"]) + rng.choice([who.time, who.time[:5], who.time.replace(":", ".")]), "date", source


def house(rng, who, others):
    kind = rng.choices(["header", "spelled", "cut", "foreign"], [35, 15, 25, 25])[0]
    text = rng.choice(others).house if kind == "foreign" else who.house
    text = text.upper() if kind == "spelled" else text
    if kind == "cut":
        text = text[:max(6, int(len(text) * rng.uniform(0.5, 0.8)))].rstrip() + rng.choice(["…", "...", ""])
    return text, "institution", kind


def doctor(rng, who, others):
    own = rng.random() < 0.55
    first, last = who.doctor if own else rng.choice(others).doctor
    text = rng.choice(DOCTOR[who.lang]).format(l=last, f=first, f1=first[0])
    return cased(rng, text) if rng.random() < 0.4 else text, "physician", "header" if own else "foreign"


def operator(rng, who, others):
    own = rng.random() < 0.5
    first, last = who.operator if own else rng.choice(others).operator
    return rng.choice(OPERATOR).format(l=last, f=first, f1=first[0], l1=last[0], i=first[0] + last[0]), "operator", "header" if own else "foreign"


def phone(rng, who, others):
    return rng.choice(["=Tel.|{p}", "{p}", "=Tel:|{p}", "=Phone|{p}", "=Fax|{p}"]).format(p=who.fake.phone_number()), "phone", "foreign"


def address(rng, who, others):
    fake = who.fake
    return rng.choice([fake.street_address, lambda: f"{fake.postcode()} {fake.city()}", lambda: f"{fake.street_address()}, {fake.city()}"])().replace("\n", ", ")[:40], "address", "foreign"


def age(rng, who, others):
    return rng.choice(AGES[who.lang]).format(a=rng.randrange(90, 100)), "age over 89", "foreign"


def other(rng, who, others):
    fake = who.fake
    mail = f"{rng.choice(['info', 'radiology', 'us2'])}@{fake.domain_name()}"
    return rng.choice([mail, f"=SSN|{rng.randrange(100, 799)}-{rng.randrange(10, 99)}-{rng.randrange(1000, 9999)}", f"=Vers.-Nr.|{rng.choice('ABKX')}{rng.randrange(10**8, 10**9)}",
                       f"www.{fake.domain_name()}", f"=NHS|{rng.randrange(100, 999)} {rng.randrange(100, 999)} {rng.randrange(1000, 9999)}", f"=Visit|{rng.randrange(10**6, 10**8)}"]), "other", "foreign"


def strange(rng, who, others):
    person = Person(rng, rng.choice(OTHER))
    return rng.choice([f"{person.last} {person.first}" if person.locale == "ru_RU" else person.last + person.first, person.last]), "name in other letters", "foreign"


FACTS = [name, number, accession, born, date, date_time, house, doctor, operator, phone, address, age, other]
LABELS = {"name": ["Name:", "Patient:", "Pat.:", "Nom:", "Pt Name"], "id": ["ID:", "MRN", "PID:", "Pat-ID", "ID", "NHC:"], "accession": ["Acc#", "ACC:", "Accession No.", "Auftrag:"]}


def id_or_date(rng, who, others):
    return rng.choice([number, date, born])(rng, who, others)
