"""Names of people in the forms that staff, machines and standards write them."""

import unicodedata

from parts import UNSURE, unaccent

PARTICLES = ["van", "van der", "van den", "de", "de la", "del", "von", "von der", "zu", "di", "da",
             "dos", "da Silva", "le", "la", "el", "al-", "bin", "ibn", "ben", "O'", "Mc", "Mac", "St.",
             "D'", "Fitz", "ter", "ten", "af", "abu ", "de los", "Della ", "Lo ", "du", "des"]
GENERATIONS = ["Jr", "Jr.", "Sr", "Sr.", "II", "III", "IV"]
MIDDLES = "ABCDEFGHJKLMNPRSTVW"
LOCALE_OF = {
    "de": ["de_DE", "de_AT", "de_LU"], "fr": ["fr_FR", "fr_BE", "fr_CA", "fr_CH"],
    "es": ["es_ES", "es_MX", "es_AR", "es_CO"], "it": ["it_IT"], "pt": ["pt_BR", "pt_PT"],
    "nl": ["nl_NL"], "en": ["en_US", "en_US", "en_GB", "en_IE", "en_CA", "en_AU", "en_NZ"],
}
OTHER_SCRIPTS = {
    "ru": ["ru_RU", "uk_UA", "bg_BG", "mk_MK"], "el": ["el_GR"], "ja": ["ja_JP"],
    "zh": ["zh_CN", "zh_TW"], "ko": ["ko_KR"], "ar": ["ar_AA", "ar_EG", "ar_SA", "fa_IR"],
    "he": ["he_IL"], "hi": ["hi_IN", "ne_NP"], "th": ["th_TH"],
}


class Names:
    """Given and family names by locale, and a model of letters for new ones."""

    def __init__(self, lists, random):
        self.first, self.last = {}, {}
        for table, source in ((self.first, lists["first"]), (self.last, lists["last"])):
            for locale, names in source.items():
                table[locale] = [n for n in names if is_latin(n)]
        self.latin = sorted(l for l in self.last if len(self.last[l]) > 20 and len(self.first.get(l, [])) > 20)
        self.native = {
            key: ([n for l in ls for n in lists["first"].get(l, []) if not is_latin(n)],
                  [n for l in ls for n in lists["last"].get(l, []) if not is_latin(n)])
            for key, ls in OTHER_SCRIPTS.items()
        }
        self.native = {k: v for k, v in self.native.items() if v[0] and v[1]}
        self.chains = {}
        self.random = random

    def locale(self, context):
        """Half the people come from elsewhere than the language of the line."""
        own = [l for l in LOCALE_OF.get(context.language, []) if l in self.latin]
        return context.pick(own) if own and context.chance(0.5) else context.pick(self.latin)

    def given(self, context, locale):
        return self.one(context, self.first, locale, "test_first")

    def family(self, context, locale):
        return self.one(context, self.last, locale, "test_last")

    def one(self, context, table, locale, test_key):
        if context.is_test:
            return context.pick(context.lists[test_key])
        if context.chance(0.25):
            return self.invent(context, table, locale, test_key)
        return context.pick(table[locale])

    def invent(self, context, table, locale, kind):
        """A name that nobody listed, of the letters of a locale's names."""
        chain = self.chains.get((kind, locale))
        if chain is None:
            chain = self.chains[kind, locale] = letter_chain(table[locale])
        for _ in range(20):
            name = walk(chain, context)
            if 3 <= len(name) <= 14:
                return name[0].upper() + name[1:]
        return context.pick(table[locale])


def is_latin(name):
    return all(not c.isalpha() or "LATIN" in unicodedata.name(c, "") for c in name)


def letter_chain(names):
    chain = {}
    for name in names:
        padded = "^^^" + name.lower() + "$"
        for at in range(3, len(padded)):
            chain.setdefault(padded[at - 3 : at], []).append(padded[at])
    return chain


def walk(chain, context):
    name = "^^^"
    while len(name) < 20:
        letter = context.pick(chain[name[-3:]])
        if letter == "$":
            break
        name += letter
    return name[3:]


def surname(context, locale=None):
    names = context.names
    locale = locale or names.locale(context)
    family = names.family(context, locale)
    if context.chance(0.05):
        particle = context.pick(PARTICLES)
        family = particle + ("" if particle[-1] in "-' c" or particle == "Fitz" else " ") + family
    elif context.chance(0.05) or (context.language in ("es", "pt") and context.chance(0.3)):
        family += context.pick(["-", " "]) + names.family(context, locale)
    return family


def given(context, locale=None):
    locale = locale or context.names.locale(context)
    name = context.names.given(context, locale)
    if context.chance(0.06):
        name += context.pick(["-", " "]) + context.names.given(context, locale)
    return name


def initials(context, count=None):
    count = count or context.pick([2, 2, 2, 3, 3])
    letters = [context.pick("ABCDEFGHIJKLMNOPRSTVWZ") for _ in range(count)]
    style = context.random.random()
    if style < 0.7:
        return "".join(letters)
    if style < 0.85:
        return ".".join(letters) + "."
    return "".join(letters).lower()


def staff(context, count=None):
    """Initials of staff. Without a caption nobody tells them from an abbreviation: most count for nothing in training."""
    return [(initials(context, count), "PERSON" if context.is_test or context.chance(0.4) else UNSURE)]


def login(context):
    locale = context.names.locale(context)
    first = unaccent(given(context, locale)).lower().replace(" ", "")
    last = unaccent(surname(context, locale)).lower().replace(" ", "").replace("'", "")
    return context.pick([first[0] + last, last + first[0], f"{first}.{last}", f"{first}_{last}",
                         first[0] + last + context.digits(2), last[:5] + first[:2] + context.digits(1),
                         first[0] + last[:7], last])


def dicom_name(context, locale):
    """PN as PS3.5 §6.2 has it: family^given^middle^prefix^suffix."""
    family, first = surname(context, locale), given(context, locale)
    style = context.random.random()
    if style < 0.5:
        name = f"{family}^{first}"
    elif style < 0.7:
        name = f"{family}^{first}^{context.pick(MIDDLES)}"
    elif style < 0.8:
        name = f"{family}^{first}^{given(context, locale)}"
    elif style < 0.85:
        name = family + "^"
    elif style < 0.93:
        name = f"{family}^{context.pick(MIDDLES)}"
    else:
        name = f"{family}^{first}^^^{context.pick(GENERATIONS)}"
    tail = context.pick(["", "", "", "", "^^^", "^^", "^^^MD", "^^Dr", "^^^^", "^^DR.^"])
    core = name.rstrip("^")
    return [(core, "PERSON"), (name[len(core) :] + tail, None)]


def full_name(context, locale):
    family, first = surname(context, locale), given(context, locale)
    middle = context.pick(MIDDLES)
    style = context.random.random()
    if style < 0.36:
        return f"{first} {family}"
    if style < 0.46:
        return f"{first} {middle}{context.pick(['.', ''])} {family}"
    if style < 0.56:
        return f"{first[0]}. {family}"
    if style < 0.62:
        return f"{first[0]} {family}"
    if style < 0.68:
        return f"{family} {first[0]}{context.pick(['.', ''])}"
    if style < 0.80:
        return f"{family} {first}"
    if style < 0.84:
        return f"{first[0]}.{middle}. {family}"
    if style < 0.88:
        return f"{first} {family}{context.pick([' ', ', '])}{context.pick(GENERATIONS)}"
    if style < 0.94:
        return family
    return f"{first} {given(context, locale)} {family}"


def comma_name(context, locale):
    family, first = surname(context, locale), given(context, locale)
    comma = context.pick([", ", ", ", ",", " , "])
    rest = context.pick([first, first, first, f"{first} {context.pick(MIDDLES)}", first[0] + ".", first[0],
                         f"{first} {context.pick(MIDDLES)}."])
    return f"{family}{comma}{rest}"


def upper_family(context, locale):
    """`DUPONT Jean`, as the French and others write it."""
    family, first = surname(context, locale).upper(), given(context, locale)
    return context.pick([f"{family} {first}", f"{first} {family}", f"{family}, {first}", f"{family} {first[0]}."])


def joined(context, locale):
    """As a file or a protocol has it: DoeJane, doe_jane, DOE-JANE."""
    family, first = surname(context, locale).replace(" ", ""), given(context, locale).replace(" ", "")
    return context.pick(["{0}_{1}", "{0}{1}", "{1}_{0}", "{1}.{0}", "{0}-{1}", "{0}.{1}", "{0}/{1}"]).format(family, first)


def newborn(context):
    family = surname(context)
    return context.pick([f"BABY BOY {family}", f"BABY GIRL {family}", f"Baby {family}", f"BB {family}", f"BG {family}",
                         f"{family}^BABY GIRL", f"{family}, BABY BOY", f"{family}, Infant", f"NEWBORN {family}",
                         f"{family} TWIN A", f"{family}, Twin B", f"BB OF {family}"])


def native(context, script=None):
    """A name in another script, also beside its romanised form."""
    script = script or context.pick(sorted(context.names.native))
    firsts, lasts = context.names.native[script]
    first, last = context.pick(firsts), context.pick(lasts)
    if script in ("ja", "zh", "ko"):
        joint = context.pick(["", "", " ", "^"]) if script != "ja" else context.pick(["", " ", "　", "^", " "])
        name = last + joint + first
        if context.chance(0.15):
            locale = context.names.locale(context)
            roman = f"{surname(context, locale)}^{given(context, locale)}"
            return [(f"{roman}={name}", "PERSON")]
        return [(name, "PERSON"), (context.pick(["", "", "", "様", "先生", "氏"]) if script == "ja" else "", None)]
    form = context.pick(["{0} {1}", "{1} {0}", "{0}^{1}", "{0}, {1}", "{0}", "{0} {2}."])
    name = form.format(last, first, first[0])
    if context.chance(0.3):
        name = name.upper()
    return [(name, "PERSON")]


def name(context, style=None):
    """Any person; the style narrows the form."""
    locale = context.names.locale(context)
    if style == "text":
        return [(full_name(context, locale), "PERSON")]
    if style == "native":
        return native(context)
    draw = context.random.random()
    if draw < 0.28 or style == "dicom":
        return dicom_name(context, locale)
    if draw < 0.48:
        return [(comma_name(context, locale), "PERSON")]
    if draw < 0.78:
        return [(full_name(context, locale), "PERSON")]
    if draw < 0.86:
        return [(upper_family(context, locale), "PERSON")]
    if draw < 0.90:
        return [(joined(context, locale), "PERSON")]
    if draw < 0.93:
        return [(newborn(context), "PERSON")]
    if draw < 0.96:
        return native(context)
    return [(surname(context, locale), "PERSON")]


def labelled(function, label="PERSON"):
    return lambda context, *argument: [(function(context, *argument), label)]


SLOTS = {
    "name": name,
    "surname": labelled(surname),
    "given": labelled(given),
    "initials": staff,
    "login": labelled(login),
    "person": lambda c: name(c, "text"),
    "native": native,
    "bare_surname": lambda c: surname(c),
}
