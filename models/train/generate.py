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
from noise import disturb
from parts import Context, assemble, expand

DATA = Path(__file__).resolve().parent / "data"
LANGUAGES = {"en": 0.60, "de": 0.08, "fr": 0.07, "es": 0.07, "it": 0.05, "pt": 0.045, "nl": 0.045, "other": 0.04}
KINDS = {"burned-in": 0.40, "description": 0.12, "comment": 0.24, "report": 0.16, "protocol": 0.08}
CHUNK = 5000
# One in so many templates, eponyms and terms is kept for the test.
HELD_OUT = 9
HELD_OUT_LISTS = ["epo", "concept", "icd", "drug", "tag", "device"]


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
        lists = json.loads(gzip.open(sources).read())
        lists["latin_city"] = [c for c in lists["city"] if people.is_latin(c)]
        self.lexicon = {language: read_lexicon(language) for language in LANGUAGES}
        self.split(lists)
        self.templates = {language: read_templates(language) for language in LANGUAGES}
        self.context = Context(None, lists, self.lexicon, "en", is_test)
        self.context.names = people.Names(lists, None)
        self.context.slots = {**people.SLOTS, **places.SLOTS, **numbers_and_dates.SLOTS}
        for name in ("concept", "icd", "drug", "tag"):
            self.context.slots[name] = lambda context, name=name: context.pick(lists[name])
        lines = exclude.read_text().splitlines() if exclude else []
        self.excluded = {fold(json.loads(line)["text"]) for line in lines}

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
        templates = self.templates[language].get((side, kind))
        if not templates or (language not in ("en", "other") and kind == "burned-in" and context.chance(0.3)):
            templates = self.templates["en"][side, kind]
        shares = [t for t in templates if is_held_out(t) == self.is_test]
        # Half the test's lines are of templates that training has too.
        if self.is_test and (not shares or context.chance(0.5)):
            shares = templates
        context.depth = 0
        parts = disturb(context, expand(context, context.pick(shares or templates)), kind)
        text, spans = assemble(parts)
        if len(text.strip()) < 2:
            return self.line()
        return {"text": text, "kind": kind, "language": language, "side": side, "spans": spans}


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
    """`## list`, then entries between semicolons."""
    lists, name = {}, None
    path = DATA / f"lexicon.{language}.txt"
    for line in path.read_text().splitlines():
        if line.startswith("## "):
            name = line[3:]
            lists[name] = []
        elif line:
            lists[name] += line.split(";")
    return lists


def read_templates(language):
    """`# side kind`, then one template a line."""
    templates, key = {}, None
    for line in (DATA / f"lines.{language}.txt").read_text().splitlines():
        if line.startswith("# "):
            key = tuple(line[2:].split(" "))
            templates[key] = []
        elif line:
            templates[key].append(line)
    return templates


def fold(text):
    return " ".join(text.casefold().split())


if __name__ == "__main__":
    main()
