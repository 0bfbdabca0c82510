"""Words that training lines use in small letters and that nobody is called by.

    familiar.py SOURCES.json.gz OUT.txt

In: the lists of sources.py (names and places of both sides), lines, templates and
lexicons under data/, the node's own lists of words. Out: one word a line, folded,
sorted, none that those lists have. A word that stands inside `{PERSON|…}`,
`{ORG|…}` or `{LOCATION|…}` in a written line, or is of a list of names, is left out; so
are those of data/names.familiar.txt, picked by reading.
"""

import gzip
import json
import re
import sys
import unicodedata
from pathlib import Path

import written
from parts import TOKEN

DATA = Path(__file__).resolve().parent / "data"
# Names among them that no list of the packages has.
PICKED = DATA / "names.familiar.txt"
STANDARD = DATA.parents[2] / "config" / "standard"
WORD = re.compile(r"[^\W\d_]{3,}")
BARE = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i"})
# German writes nouns with a capital.
CAPITALISED = "de"
NAMED = ("PERSON", "ORG", "LOCATION")
NO_WORDS = ("epo", "eponym", "device", "probe", "maker", "epo_bare", "brand")
HEAD = """# Words of the lines that the recogniser was trained on, in small letters there (German ones in any), and nobody's name that a list
# knows. They count for one thing alone: whether enough of a picture's line is known. Made by models/train/familiar.py; why: docs/decisions/0017.
"""


def main(sources, out):
    lists = json.loads(gzip.open(sources).read())
    left_out = known_words() | names(lists) | set(PICKED.read_text(encoding="utf-8").splitlines())
    found = set()
    for language, text, inside in texts():
        left_out |= {fold(word) for word in WORD.findall(inside)}
        found |= {fold(word) for word in WORD.findall(text) if word.islower() or language == CAPITALISED}
    words = sorted(word for word in found - left_out if word.isalpha() and all(c < "\u0250" for c in word))
    Path(out).write_text(HEAD + "".join(f"{word}\n" for word in words), encoding="utf-8")
    print(f"{len(words)} words")


def texts():
    """Language, what names nobody, and what does, of every line, template and entry."""
    for lines in written.read(DATA).values():
        for _, language, parts in lines:
            outside = " ".join(text if label is None else " " for text, label in parts)
            yield language, outside, " ".join(text for text, label in parts if label in NAMED)
    for path in sorted(DATA.glob("lines.*.txt")):
        language = path.name.split(".")[1]
        for line in path.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("# "):
                yield language, TOKEN.sub(lambda m: f" {m.group(3) or ''} ".replace("|", " "), line), ""
    for path in sorted(DATA.glob("lexicon.*.txt")):
        language, name = path.name.split(".")[1], ""
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("## "):
                name = line[3:]
            elif name not in NO_WORDS:
                yield language, line, ""


def names(lists):
    people = [name for table in ("first", "last") for names in lists[table].values() for name in names]
    people += [name for key in ("test_first", "test_last", "town", "city", "test_city") for name in lists[key]]
    return {fold(word) for name in people for word in re.findall(r"[^\W\d_]+", name)}


def known_words():
    files = ("clinical-words", "text-words", "vocabulary")
    return {word for name in files for word in re.findall(r"[^\W\d_]+", (STANDARD / f"{name}.txt").read_text(encoding="utf-8"))}


def fold(word):
    """As the node folds (`judge::words::fold`): small letters without marks."""
    marked = unicodedata.normalize("NFKD", word)
    return "".join(c for c in marked if not unicodedata.combining(c)).lower().translate(BARE)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
