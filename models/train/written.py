"""Lines that were written whole, with what identifies between braces.

`data/written.*.txt` has the format of tests/data/names: `# side language`, then
`kind<TAB>text` with `{LABEL|text}`. Their words stay as written; now and then
people get other names, and numbers other digits, so that no single name or
number is learnt. Invariant: a span is where the author put the braces.
"""

import re
from pathlib import Path

import people

MARK = re.compile(r"\{([A-Z]+)\|((?:[^{}\\]|\\.)+)\}")
ESCAPE = re.compile(r"\\(.)")
NAME_WORD = re.compile(r"[^\W\d_]{3,}")
# Words inside a name that are nobody's.
NO_NAMES = {"van", "der", "den", "von", "del", "dos", "das", "los", "ibn", "bin", "abu", "baby", "boy", "girl", "twin", "jnr", "snr", "iii", "and", "the", "mac"}
OTHER_NAME, OTHER_DIGITS = 0.55, 0.6


def read(folder):
    """Records by side, kind and language: lists of `(text, label)`."""
    lines = {}
    for path in sorted(Path(folder).glob("written.*.txt")):
        side = language = None
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("# "):
                side, language = line[2:].split(" ")
            elif line:
                kind, _, marked = line.partition("\t")
                lines.setdefault(side, []).append((kind, language, parts(marked)))
    return lines


def parts(marked):
    out, at = [], 0
    for match in MARK.finditer(marked):
        out += [(marked[at : match.start()], None), (match.group(2), match.group(1))]
        at = match.end()
    return [(ESCAPE.sub(r"\1", text), label) for text, label in [*out, (marked[at:], None)] if text]


def vary(context, line):
    """The same line about somebody else."""
    other_name, other_digits = context.chance(OTHER_NAME), context.chance(OTHER_DIGITS)
    out = []
    for text, label in line:
        if label == "PERSON" and other_name:
            text = renamed(context, text)
        elif label in ("ID", "CONTACT") and other_digits:
            text = "".join(context.pick("0123456789") if c.isdecimal() and c.isascii() else c for c in text)
        out.append((text, label))
    return out


def renamed(context, text):
    """Each word of a name another name in the same case, of one locale."""
    locale = context.names.locale(context)

    def other(match):
        word = match.group()
        if word.lower() in NO_NAMES or not people.is_latin(word):
            return word
        new = people.given(context, locale) if context.chance(0.5) else context.names.family(context, locale)
        if word.isupper():
            return new.upper()
        return new.lower() if word.islower() else new

    return NAME_WORD.sub(other, text)
