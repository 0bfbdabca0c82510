"""Dates, numbers of people and things, ways to reach them; and the numbers that may stay."""

from people import given, surname
from parts import unaccent

MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
}
WEEKDAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday Mon Tue Wed Thu Fri Sat Sun",
    "de": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag Mo Di Mi Do Fr Sa So",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche lun mar mer jeu ven sam dim",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "pt": "segunda terça quarta quinta sexta sábado domingo segunda-feira quarta-feira",
    "nl": "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag ma di wo do vr za zo",
}
MONTHS = {language: names.split() for language, names in MONTHS.items()}
WEEKDAYS = {language: names.split() for language, names in WEEKDAYS.items()}
NUMERIC = ["{d:02}.{m:02}.{y}", "{d:02}/{m:02}/{y}", "{m:02}/{d:02}/{y}", "{y}-{m:02}-{d:02}", "{y}{m:02}{d:02}", "{d}.{m}.{y}", "{d}/{m}/{s:02}",
           "{m}/{d}/{s:02}", "{d:02}-{m:02}-{y}", "{d:02}-{m:02}-{s:02}", "{y}/{m:02}/{d:02}", "{d:02} {m:02} {y}", "{d:02}.{m:02}.{s:02}", "{y}.{m:02}.{d:02}",
           "{d}-{m}-{y}", "{m}-{d}-{y}", "{d}.{m}.", "{m}/{d}", "{d:02}/{m:02}", "{m:02}/{y}", "{m:02}-{y}", "{d:02}.{m:02}.", "{y}-{m:02}", "{m:02}.{y}"]
WORDS = {
    "en": ["{d:02}-{M}-{y}", "{d} {M} {y}", "{M} {d}, {y}", "{M} {d} {y}", "{d:02}{M}{y}", "{M} {y}", "{d} {M}", "{M} {d}", "{d:02} {M} {s:02}", "{o} {M} {y}", "{o} of {M}",
           "{M} {o}", "{M} {o}, {y}", "{M}-{d:02}-{y}", "{M}. {d}, {y}", "{W}, {d} {M} {y}", "{W} {d:02} {M} {y}", "{W} {M} {d}", "{M}/{y}", "{M} '{s:02}", "{M}{d:02}{y}", "{d}-{M}"],
    "de": ["{d}. {M} {y}", "{W}, {d}. {M} {y}", "{M} {y}", "{d}. {M}", "{d:02}. {M} {y}", "{W} {d}.{m}."],
    "fr": ["{d} {M} {y}", "{W} {d} {M} {y}", "{M} {y}", "{d} {M}", "1er {M} {y}", "{W} {d}/{m}"],
    "es": ["{d} de {M} de {y}", "{d} {M} {y}", "{M} de {y}", "{W} {d} de {M}", "{d} de {M}", "{d}-{M}-{y}"],
    "it": ["{d} {M} {y}", "{W} {d} {M} {y}", "{M} {y}", "{d} {M}", "{d}-{M}-{s:02}"],
    "pt": ["{d} de {M} de {y}", "{d}/{M}/{y}", "{M} de {y}", "{W}, {d} de {M}", "{d} de {M}", "{M}/{y}"],
    "nl": ["{d} {M} {y}", "{W} {d} {M} {y}", "{M} {y}", "{d} {M}", "{d}-{M}-{y}"],
}


def date(context, style=None):
    month, day, year = context.between(1, 12), context.between(1, 28), context.between(1915, 2032)
    if context.chance(0.6):
        year = context.between(2005, 2031)
    language = context.language if context.language in MONTHS else "en"
    month_name = MONTHS[language][month - 1]
    if context.chance(0.6):
        month_name = month_name[:3] if len(month_name) > 4 else month_name
    if context.chance(0.35):
        month_name = month_name.upper()
    ordinal = f"{day}{'st' if day in (1, 21) else 'nd' if day in (2, 22) else 'rd' if day in (3, 23) else 'th'}"
    patterns = NUMERIC if context.chance(0.6) else WORDS[language]
    if style == "full":
        patterns = NUMERIC[:16] if context.chance(0.6) else WORDS[language][:1]
    text = context.pick(patterns).format(d=day, m=month, y=year, s=year % 100, M=month_name, W=context.pick(WEEKDAYS[language]), o=ordinal)
    if style is None and context.chance(0.04):
        text = f"{context.pick(WEEKDAYS[language])} {text}"
    return text


def stamp(context):
    """Date and time in one token: all of it is a date."""
    day = f"{context.between(1990, 2031)}{context.between(1, 12):02}{context.between(1, 28):02}"
    hour = f"{context.between(0, 23):02}{context.between(0, 59):02}{context.between(0, 59):02}"
    return context.pick([day + hour, f"{day[:4]}-{day[4:6]}-{day[6:]}T{hour[:2]}:{hour[2:4]}:{hour[4:]}", f"{day}T{hour}", f"{day}{hour}.{context.digits(6)}", f"{day}_{hour}",
                         f"{day[:4]}-{day[4:6]}-{day[6:]}T{hour[:2]}:{hour[2:4]}Z"])


def identifier(context):
    letters = "ABCDEFGHKLMNPRSTUVXYZ"
    two = context.pick(letters) + context.pick(letters)
    year = str(context.between(2008, 2031))
    return context.pick([
        lambda: context.digits(context.between(5, 10)), lambda: context.digits(context.between(6, 8)), lambda: context.digits(7), lambda: two + context.digits(context.between(4, 8)),
        lambda: context.pick(letters) + context.digits(context.between(5, 8)), lambda: f"{two}-{year[2:]}-{context.digits(context.between(4, 6))}",
        lambda: f"{context.pick(letters)}{year[2:]}-{context.digits(context.between(3, 6))}", lambda: f"{context.digits(3)}-{context.digits(2)}-{context.digits(4)}", lambda: f"{context.digits(3)} {context.digits(3)} {context.digits(4)}",
        lambda: f"{year}-{context.digits(5)}", lambda: f"{two}{context.pick(letters)}{context.digits(6)}", lambda: f"{context.digits(2)}.{context.digits(3)}.{context.digits(3)}",
        lambda: f"{context.digits(4)}/{year[2:]}", lambda: f"{context.digits(8)}{context.pick(letters)}", lambda: f"{two}/{context.digits(5)}/{year[2:]}", lambda: f"{context.digits(2)}-{context.digits(6)}",
        lambda: f"{year}{context.digits(context.between(5, 8))}", lambda: f"{context.pick(['PAT', 'P', 'ACC', 'MR', 'US', 'CT', 'RAD', 'H', 'E', 'Z', 'X'])}{context.digits(context.between(4, 8))}",
        lambda: f"{context.pick(['CT', 'MR', 'US', 'XR', 'A', 'R', 'S', 'NM'])}-{context.digits(context.between(4, 8))}", lambda: "-".join(context.digits(2) for _ in range(context.between(3, 5))),
        lambda: f"{context.digits(3)}.{context.digits(3)}.{context.digits(3)}-{context.digits(2)}", lambda: f"{context.digits(6)}-{context.digits(4)}", lambda: f"{context.digits(6)}/{context.digits(3)}",
        lambda: f"{two}{context.digits(2)} {context.digits(2)} {context.digits(2)} {context.pick(letters)}", lambda: "0" * context.between(2, 5) + context.digits(4), lambda: f"1 {context.digits(2)} {context.digits(2)} {context.digits(2)} {context.digits(3)} {context.digits(3)} {context.digits(2)}",
        lambda: "".join(context.pick(letters + "0123456789") for _ in range(context.between(7, 12))) + context.digits(2),
    ])()


def phone(context):
    d = context.digits
    if not context.is_test and context.chance(0.25):
        return context.pick(context.lists["phone"])
    return context.pick([
        lambda: f"({d(3)}) {d(3)}-{d(4)}", lambda: f"{d(3)}-{d(3)}-{d(4)}", lambda: f"555-{d(4)}", lambda: f"+1 {d(3)} {d(3)} {d(4)}", lambda: f"0{d(4)} {d(6)}", lambda: f"+44 {d(4)} {d(6)}",
        lambda: f"0{d(3)}/{d(6)}", lambda: f"+49 {d(3)} {d(7)}", lambda: f"0{context.between(1, 9)} {d(2)} {d(2)} {d(2)} {d(2)}", lambda: f"+33 {context.between(1, 9)} {d(2)} {d(2)} {d(2)} {d(2)}", lambda: f"{d(3)}.{d(3)}.{d(4)}",
        lambda: f"9{d(2)} {d(3)} {d(3)}", lambda: f"+34 6{d(2)} {d(3)} {d(3)}", lambda: f"0{d(2)}-{d(7)}", lambda: f"06-{d(8)}", lambda: f"+39 0{d(1)} {d(7)}", lambda: f"({d(2)}) 9{d(4)}-{d(4)}", lambda: f"07{d(3)} {d(6)}", lambda: f"1-800-{d(3)}-{d(4)}",
        lambda: f"0{d(3)}-{d(6)}", lambda: f"{d(3)} {d(4)}", lambda: f"+351 {d(3)} {d(3)} {d(3)}", lambda: f"{d(4)} {d(4)}",
    ])()


def extension(context):
    return context.pick(["x", "ext ", "ext. ", "Ext ", "extn ", "x ", "poste ", "DW "]) + context.digits(context.between(3, 5))


def mail(context):
    first, last = (unaccent(f(context)).lower().replace(" ", "").replace("'", "") for f in (given, surname))
    user = context.pick([f"{first}.{last}", first[0] + last, f"{last}{context.digits(2)}", f"{first}_{last}", "radiology", "info", "reports", "mri-booking", last, first])
    host = context.pick([last + ".example", "hospital.example", "example.org", "example.com", "gmail.com", f"{unaccent(surname(context)).lower().replace(' ', '')}-clinic.org", "nhs.example", "klinik.example", "mail.example.net", "outlook.com", "web.de", "orange.fr"])
    return f"{user}@{host}"


def web(context):
    base = unaccent(surname(context)).lower().replace(" ", "").replace("'", "")
    return context.pick(["www.{}.com", "https://{}.example/portal", "{}-radiology.org", "www.{}-klinik.de", "http://pacs.{}.example", "{}.example.org", "www.{}.fr/rdv", "portal.{}.nhs.example"]).format(base)


def account(context):
    base = unaccent(given(context)).lower().replace(" ", "") + context.digits(2)
    return context.pick([f"@{base}", f"WhatsApp +{context.digits(2)} {context.digits(3)} {context.digits(6)}", f"Skype: {base}", f"@{base}_md", f"Teams {base}", f"Telegram @{base}"])


def contact(context):
    return context.pick([phone, phone, phone, phone, phone, extension, mail, mail, web, account])(context)


def pager(context):
    caption = context.pick(["pager ", "bleep ", "pgr ", "beeper ", "Vocera ", "DECT ", "dect ", "p", "pager #", "Pieper ", "bip ", "sein ", "pager: ", "bleep no ", "#", "x"])
    return caption + context.digits(context.between(3, 5))


def harmless(context):
    """Numbers with dots, strokes and dashes that are no dates and nobody's."""
    n = context.between
    return context.pick([
        lambda: f"{n(1, 5)}/5", lambda: f"{n(1, 10)}/10", lambda: f"{n(90, 180)}/{n(50, 100)}", lambda: f"BP {n(90, 180)}/{n(50, 100)}", lambda: f"L{n(1, 5)}/{n(2, 5)}", lambda: f"C{n(2, 6)}/{n(3, 7)}", lambda: f"T{n(1, 12)}-{n(2, 12)}", lambda: f"L{n(1, 5)}-S1",
        lambda: f"{n(2, 9)}-{n(10, 30)} mm", lambda: f"{n(1, 8)}-{n(2, 12)} weeks", lambda: f"{n(1, 12)}/{n(12, 60)}", lambda: f"{n(1, 99)}/{n(100, 400)}", lambda: f"Im {n(1, 99)}/{n(99, 300)}", lambda: f"{n(1, 6)}/6 murmur", lambda: f"G{n(1, 5)}P{n(0, 4)}", lambda: f"G{n(1, 5)} P{n(0, 3)}+{n(0, 2)}",
        lambda: f"{n(10, 41)}+{n(0, 6)}", lambda: f"{n(10, 41)}w{n(0, 6)}d", lambda: f"{n(10, 41)}/40", lambda: "24/7", lambda: f"1:{n(2, 500)}", lambda: f"{n(1, 3)}:{n(1, 9)}", lambda: f"x{n(2, 9)}", lambda: f"#{n(1, 9)}", lambda: f"{n(1, 9)}.{n(0, 9)}.{n(0, 9)}", lambda: f"{n(1, 9)}-0 suture", lambda: f"{n(1, 20)}-{n(2, 30)}%",
        lambda: f"T{n(1, 4)}N{n(0, 3)}M{n(0, 1)}", lambda: f"pT{n(1, 4)}a", lambda: f"ASA {n(1, 4)}", lambda: f"{n(1, 30)} of {n(30, 60)}", lambda: f"{n(1, 9)}x{n(1, 9)}x{n(1, 9)}", lambda: f"{n(3, 8)} Fr", lambda: f"{n(14, 24)}G", lambda: f"q{n(2, 12)}h", lambda: f"{n(1, 4)}x/d", lambda: f"{n(40, 140)} kg", lambda: f"{n(140, 200)} cm",
        lambda: f"S{n(1, 20)} I{n(1, 300)}", lambda: f"Ph {n(1, 90)}%", lambda: f"{n(0, 95)}% R-R", lambda: f"Mo-Fr", lambda: f"winter {n(2005, 2030)}", lambda: f"{n(2005, 2030)}", lambda: f"{n(1990, 2010)}-{n(2011, 2030)}", lambda: f"{n(1, 12)} mo", lambda: f"D{n(1, 30)}", lambda: f"POD{n(1, 30)}", lambda: f"Q{n(1, 4)} {n(2010, 2030)}",
    ])()


def old_words(context):
    """An age of ninety and more in words."""
    unit = context.pick(["", "-one", "-two", "-three", "-four", "-five", "-six", "-seven", "-eight", "-nine"])
    return [(f"ninety{unit}", "AGE"), (context.pick([" years old", " year old", " yo"]), "AGE")]


AGE_UNITS = {
    "en": ["{}Y", "{} y/o", "{} yo", "{}yo", "{} years", "{}-year-old", "{} year old", "{} yrs", "{}Y", "0{}Y", "{}y", "aged {}", "{} yr old", "{} years old", "{}yr", "{} YO", "{} y.o.", "{}F", "{}M", "{}yoF", "{}yoM", "{} yoM", "{}/F", "{}/M", "{}-yr-old", "{}-y-o", "{}yr old",
           "{} year-old", "{} yr", "0{}y", "{}-year", "{} years of age", "{}y.o.", "{}YRS", "{} Yrs", "{}-yo", "{} Y", "{} years young", "age {}", "Age {}", "AGE {}", "age: {}", "Age: {}", "aged {}"],
    "de": ["{}-jährige", "{} Jahre", "{} J.", "{}-jähriger", "{}J", "{} Jahre alt", "{} J", "{}jährige", "{}-jährigen", "{}jähriger", "{} Jahren", "Alter {}", "{} jährige", "{}-jähr."],
    "fr": ["{} ans", "{}ans", "{} a", "âgée de {} ans"], "es": ["{} años", "{}a", "{} a.", "{} años de edad"], "it": ["{} anni", "{}anni", "{} aa", "{}enne"], "pt": ["{} anos", "{}a", "{} anos de idade"],
    "nl": ["{} jaar", "{}-jarige", "{} jr", "{}j", "{} jaar oud", "{} jarige"],
}


def age_text(context, years):
    pattern = context.pick(AGE_UNITS.get(context.language, AGE_UNITS["en"]))
    return pattern.format(years)


def old_age(context):
    years = context.between(90, 99) if context.chance(0.8) else context.between(100, 110)
    text = age_text(context, years)
    # A word before the number is no part of the span.
    at = next(i for i, c in enumerate(text) if c.isdigit())
    return [(text[:at], None), (text[at:].replace("0" + str(years), "0" + str(years)), "AGE")]


def age(context):
    return age_text(context, context.between(1, 89))


def number(context, low=1, high=200):
    return str(context.between(low, high))


def decimal(context):
    return f"{context.between(0, 30)}{context.pick(['.', '.', '.', ','])}{context.between(0, 99)}"


UNITS = ["mm", "cm", "ml", "mL", "cm/s", "m/s", "mmHg", "%", "HU", "bpm", "Hz", "kHz", "MHz", "dB", "mA", "mAs", "kV", "kVp", "ms", "s", "mGy", "mGycm", "mSv", "T", "mg", "mg/dl", "g", "kg", "cc", "cm2", "cm²", "ml/min",
         "MBq", "mCi", "SUV", "mm/s", "fps", "°", "deg", "cm3", "W", "kPa", "m/s²", "mL/kg", "µm", "mmol/l", "IU", "mm2", "g/m2", "dyn", "in", "FPS", "PHz"]


def measure(context):
    value = decimal(context) if context.chance(0.6) else number(context, 1, 900)
    return value + context.pick(["", " ", " "]) + context.pick(UNITS)


def size(context):
    sep = context.pick([" x ", "x", " × ", " X "])
    return sep.join(decimal(context) for _ in range(context.pick([2, 2, 3]))) + context.pick([" cm", " mm", "cm", "mm", ""])


def time(context):
    h, m, s = context.between(0, 23), context.between(0, 59), context.between(0, 59)
    return context.pick([f"{h:02}:{m:02}", f"{h:02}:{m:02}:{s:02}", f"{h % 12 + 1}:{m:02} {context.pick(['AM', 'PM', 'am', 'pm'])}", f"{h:02}{m:02}h", f"{h}h{m:02}", f"{h:02}:{m:02} Uhr", f"{h:02}.{m:02}", f"{h:02}:{m:02}:{s:02}.{context.digits(3)}"])


def uid(context):
    return context.pick(["1.2.840.10008.5.1.4.1.1.", "1.2.840.10008.1.2.", "1.2.840.10008."]) + ".".join(str(context.between(1, 99)) for _ in range(context.between(1, 3)))


def version(context):
    return context.pick(["v{}.{}", "V{}.{}.1", "R{}.{}", "{}.{}.0", "Ver. {}.{}", "SW {}.{}", "Rev {}.{}", "VA{}B", "syngo {}", "E{}", "VE{}C", "Release {}.{}", "build {}"]).format(context.between(1, 30), context.between(0, 20))


def weekday(context):
    return context.pick(WEEKDAYS.get(context.language, WEEKDAYS["en"])[:7])


def month(context):
    return context.pick(MONTHS.get(context.language, MONTHS["en"]))


def labelled(function, label):
    return lambda context, *argument: [(function(context, *argument), label)]


SLOTS = {
    "date": labelled(date, "DATE"), "stamp": labelled(stamp, "DATE"), "id": labelled(identifier, "ID"),
    "phone": labelled(phone, "CONTACT"), "ext": labelled(extension, "CONTACT"), "mail": labelled(mail, "CONTACT"), "web": labelled(web, "CONTACT"),
    "pager": labelled(pager, "CONTACT"), "harmless": harmless, "oldwords": old_words, "account": labelled(account, "CONTACT"), "contact": labelled(contact, "CONTACT"), "oldage": old_age,
    "age": age, "n": number, "dec": decimal, "measure": measure, "size": size, "time": time, "uid": uid, "version": version, "weekday": weekday, "month": month,
    "year": lambda c: str(c.between(1985, 2031)), "d1": lambda c: str(c.between(1, 9)), "d2": lambda c: str(c.between(10, 99)), "d3": lambda c: str(c.between(100, 999)), "d4": lambda c: str(c.between(1000, 9999)),
    "letter": lambda c: c.pick("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
}
