"""Writes lines with and without people in them, as JSON lines.

    generate.py SOURCES.json.gz OUT.jsonl.gz --count N --seed S [--side train|test] [--workers W]
                [--exclude LINES.jsonl]

In: the lists of sources.py and the templates under data/. Out: `text`, `kind`,
`language`, `side`, `spans` as tests/data/names has them. Invariants: the same
arguments give the same lines, whatever the number of workers; half the lines
are clinical; `--side test` draws people, places, eponyms and terms that no
training line is made of, and half its lines from templates held out.
"""

import argparse
import functools
import gzip
import json
import multiprocessing
import random
import zlib
from pathlib import Path

import numbers_and_dates
import people
import places
import written
from noise import disturb
from parts import Context, assemble, expand

DATA = Path(__file__).resolve().parent / "data"
LANGUAGES = {"en": 0.60, "de": 0.08, "fr": 0.07, "es": 0.07, "it": 0.05, "pt": 0.045, "nl": 0.045, "other": 0.04}
KINDS = {"burned-in": 0.40, "description": 0.12, "comment": 0.24, "report": 0.14, "protocol": 0.10}
JOINTS = {"burned-in": [" ", "  ", " ", " | ", " - ", ", "], "description": [" ", " - ", ", ", " / ", " + "], "comment": [", ", "; ", ". ", " ", " - ", "\n"],
          "report": [" ", " ", "\n", ". "], "protocol": ["_", " ", "_", "-", "^"]}
FUNCTION_WORDS = {
    "en": "of the in on at by for with from to and or not no is was were has had been are be this that as if then than after before during under over into per via new old same other both each all any some more less very also only still now today soon again first second last next due until while since within without about between against can will would should could may please see note done seen given taken sent made used known called told asked wants needs left right small large good poor default user custom test temp copy final draft auto manual routine standard fast quick high low",
    "de": "der die das des dem den ein eine und oder nicht kein keine ist war wurde wird hat im in am an auf bei mit von vom zum zur nach vor seit bis durch für ohne unter über als auch nur noch schon dann wegen gegen zwischen bitte siehe heute morgen gestern neu alt gleich beide alle rechts links oben unten",
    "fr": "le la les un une des du de et ou ne pas est était a été au aux en dans sur sous par pour avec sans vers chez dès depuis avant après entre pendant selon très plus moins aussi encore déjà voir fait vu donné nouveau ancien même ce cette son sa ses il elle on lors adressé adressée connu connue",
    "es": "el la los las un una de del y o no es era fue ha en con por para sin sobre bajo desde hasta entre según muy más menos también ya todavía ver hecho visto dado nuevo mismo este esta su se al antes después durante trasladado remitido conocido",
    "it": "il lo la i gli le un una di del della e o non è era stato ha in con per da dal su senza sotto tra fra secondo molto più meno anche già ancora vedi fatto visto nuovo stesso questo questa suo al alla prima dopo durante inviato noto",
    "pt": "o a os as um uma de do da e ou não é era foi tem em no na com por para sem sobre sob desde até entre segundo muito mais menos também já ainda ver feito visto novo mesmo este esta seu ao antes depois durante transferido encaminhado conhecido",
    "nl": "de het een en of niet geen is was werd heeft in op aan bij met van voor naar door zonder onder over sinds tot tussen volgens zeer meer minder ook al nog zie gedaan gezien nieuw zelfde deze dit zijn haar te na tijdens ingelicht bekend gebeld wegens",
}
CHUNK = 5000
# Share of training lines that somebody wrote whole; a test has none of them.
WRITTEN = 0.5
# One in so many templates, eponyms and terms is kept for the test.
HELD_OUT = 9
HELD_OUT_LISTS = ["epo", "concept", "icd", "drug", "tag", "device", "common"]


def main():
    options = arguments()
    chunks = [(options, at, min(CHUNK, options.count - at)) for at in range(0, options.count, CHUNK)]
    with multiprocessing.Pool(options.workers) as pool, gzip.GzipFile(options.out, "wb", mtime=0) as out:
        for lines in pool.imap(chunk, chunks):
            out.write("".join(lines).encode())


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sources", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--side", choices=["train", "test"], default="train")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--exclude", type=Path)
    return parser.parse_args()


def chunk(task):
    """One worker's share; its randomness hangs on seed and place alone."""
    options, at, count = task
    world = load(options.sources, options.side == "test", options.exclude)
    world.random = random.Random(f"{options.side} {options.seed} {at}")
    world.context_random()
    lines = []
    while len(lines) < count:
        record = world.line()
        if fold(record["text"]) not in world.excluded:
            lines.append(json.dumps(record, ensure_ascii=False) + "\n")
    return lines


@functools.lru_cache(maxsize=2)
def load(sources, is_test, exclude):
    return World(sources, is_test, exclude)


class World:
    """Lists, lexicons and templates, read once a process."""

    def __init__(self, sources, is_test, exclude):
        self.is_test = is_test
        self.split_templates = {}
        lists = json.loads(gzip.open(sources).read())
        lists["latin_city"] = [c for c in lists["city"] if people.is_latin(c)]
        self.lexicon = {language: read_lexicon(language) for language in LANGUAGES}
        self.words = ordinary_words(lists, self.lexicon)
        self.split(lists)
        self.templates = {language: read_templates(language) for language in LANGUAGES}
        self.written = {} if is_test else written.read(DATA)
        self.context = Context(None, lists, self.lexicon, "en", is_test)
        self.context.names = people.Names(lists, None)
        self.context.slots = {**people.SLOTS, **places.SLOTS, **numbers_and_dates.SLOTS}
        for name in ("concept", "icd", "drug", "tag"):
            self.context.slots[name] = lambda context, name=name: context.pick(lists[name])
        self.context.slots["dx"] = lambda context: context.pick(lists["dx"].get(context.language) or lists["dx"]["en"])
        self.context.slots["word"] = self.word
        self.context.slots["cap_word"] = lambda context: self.word(context).capitalize()
        lines = exclude.read_text().splitlines() if exclude else []
        self.excluded = {fold(json.loads(line)["text"]) for line in lines}

    def word(self, context):
        """An ordinary word of the language; of English half come from WordNet."""
        words = self.words.get(context.language) or self.words["en"]
        if context.language in ("en", "other") and context.chance(0.5):
            words = context.lists["common"]
        return context.pick(words)

    def split(self, lists):
        """Keeps of each list the share of this side."""
        for table in (lists, *self.lexicon.values()):
            for name in HELD_OUT_LISTS:
                if name in table:
                    table[name] = [e for e in table[name] if is_held_out(e) == self.is_test] or table[name]

    def context_random(self):
        self.context.random = self.random

    def line(self):
        context = self.context
        language = weighted(self.random, LANGUAGES)
        side = "clinical" if self.random.random() < 0.5 else "identity"
        kind = weighted(self.random, KINDS)
        context.language = language
        if self.written and context.chance(WRITTEN):
            return self.written_line(side)
        templates = self.templates[language].get((side, kind))
        if not templates or (language not in ("en", "other") and kind == "burned-in" and context.chance(0.3)):
            templates = self.templates["en"][side, kind]
        shares = self.shares(templates, self.is_test)
        # Half the test's lines are of templates that training has too.
        if self.is_test and (not shares or context.chance(0.5)):
            shares = templates
        context.depth = 0
        parts = expand(context, drawn(context, shares or templates))
        if context.chance(0.25):
            parts = self.beside_clinical(parts, language, kind)
        if context.chance(0.2):
            parts = self.with_word(parts)
        parts = disturb(context, parts, kind)
        text, spans = assemble(parts)
        if len(text.strip()) < 2:
            return self.line()
        return {"text": text, "kind": kind, "language": language, "side": side, "spans": spans}


    def written_line(self, side):
        """A line that somebody wrote, about somebody else, as a machine would have it."""
        kind, language, parts = self.context.pick(self.written[side])
        self.context.language = language
        text, spans = assemble(disturb(self.context, written.vary(self.context, parts), kind, written=True))
        return {"text": text, "kind": kind, "language": language, "side": side, "spans": spans}

    def shares(self, templates, held_out):
        """The templates of one side of the split."""
        key = id(templates), held_out
        if key not in self.split_templates:
            parts = [[t for t in part if is_held_out(t) == held_out] for part in templates]
            self.split_templates[key] = [part for part in parts if part]
        return self.split_templates[key]

    def beside_clinical(self, parts, language, kind):
        """A second, clinical line before or after, so that no caption stands alone."""
        context = self.context
        templates = self.templates[language].get(("clinical", kind)) or self.templates["en"]["clinical", kind]
        other = expand(context, drawn(context, self.shares(templates, False) or templates))
        between = [(context.pick(JOINTS[kind]), None)]
        return [*other, *between, *parts] if context.chance(0.5) else [*parts, *between, *other]

    def with_word(self, parts):
        """An ordinary word between two parts: what is unknown is not at once a name."""
        context = self.context
        words = self.words["en"] if context.chance(0.4) else self.words.get(context.language, self.words["en"])
        if words is self.words["en"] and context.chance(0.5):
            words = context.lists["common"]
        word = " ".join(context.pick(words) for _ in range(context.pick([1, 1, 2])))
        at = context.between(0, len(parts))
        inside = 0 < at < len(parts) and parts[at - 1][1] and parts[at - 1][1] == parts[at][1]
        if inside or (at and parts[at - 1][0][-1:].isalnum()) or (at < len(parts) and parts[at][0][:1].isalnum()):
            word = f" {word} "
        return [*parts[:at], (word, None), *parts[at:]]


def ordinary_words(lists, lexicon):
    """Lower-case words of the clinical terms of each language."""
    words = {}
    for language, table in lexicon.items():
        texts = [e for name, entries in table.items() if name not in ("epo", "eponym", "device", "probe", "maker") for e in entries]
        texts += lists["dx"].get(language, []) + FUNCTION_WORDS.get(language, "").split()
        if language == "en":
            texts += lists["concept"] + lists["icd"] + lists["tag"]
        # A capital inside a title may be a person's; these are words that occur in small letters.
        found = {w for t in texts for w in t.replace("/", " ").split() if w.isalpha() and w.islower() and len(w) > 1}
        words[language] = sorted(found | set(FUNCTION_WORDS.get(language, "").split()))
    return words


def is_held_out(entry):
    return zlib.crc32(entry.lower().encode()) % HELD_OUT == 0


def weighted(random_source, weights):
    draw = random_source.random()
    for name, weight in weights.items():
        draw -= weight
        if draw < 0:
            return name
    return name


def read_lexicon(language):
    """`## list`, then entries between semicolons; a list of several files is one."""
    lists, name = {}, None
    for path in files("lexicon", language):
        for line in path.read_text().splitlines():
            if line.startswith("## "):
                name = line[3:]
                lists.setdefault(name, [])
            elif line:
                lists[name] += [entry for entry in line.split(";") if entry]
    return lists


def files(what, language):
    """The language's files of a kind, the oldest first: `lines.en.txt`, `lines.en.burned.txt`."""
    return [DATA / f"{what}.{language}.txt", *sorted(DATA.glob(f"{what}.{language}.*.txt"))]


def read_templates(language):
    """`# side kind`, then one template a line: a list of templates for each file."""
    templates, key = {}, None
    for path in files("lines", language):
        for lists in templates.values():
            lists.append([])
        for line in path.read_text().splitlines():
            if line.startswith("# "):
                key = tuple(line[2:].split(" "))
                templates.setdefault(key, [[]])
            elif line:
                templates[key][-1].append(line)
    return {key: [part for part in lists if part] for key, lists in templates.items()}


def drawn(context, lists):
    """A template: of a file by the root of its length, so that few general ones are not lost among many single ones."""
    weights = [len(part) ** 0.5 for part in lists]
    draw = context.random.random() * sum(weights)
    for part, weight in zip(lists, weights):
        draw -= weight
        if draw < 0:
            break
    return context.pick(part)


def fold(text):
    return " ".join(text.casefold().split())


if __name__ == "__main__":
    main()
