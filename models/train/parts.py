"""Parts of a line, and the template language that makes them.

A line is a list of parts `(text, label)`; label is None for what may stay. In a
template `{slot}` calls a slot function, `{slot:argument}` passes it a word,
`[a|b|]` picks one of the choices. Invariant: a span is the place of a labelled
part; nothing here searches a finished line for what it should hide.
"""

import re
import unicodedata

LABELS = ["PERSON", "ORG", "LOCATION", "DATE", "ID", "CONTACT", "AGE"]
# Of what is labelled so training asks nothing.
UNSURE = "UNSURE"
DEPTH_MAX = 12
TOKEN = re.compile(r"\{([a-z_0-9]+)(?::([^{}]+))?\}|\[([^\[\]]*)\]")


class Context:
    """What a line's slots share: randomness, language, sources, side."""

    def __init__(self, random, lists, lexicon, language, is_test=False):
        self.random, self.lists, self.lexicon = random, lists, lexicon
        self.language, self.is_test = language, is_test
        self.slots = {}
        self.depth = 0

    def pick(self, entries):
        return entries[int(self.random.random() * len(entries))]

    def chance(self, probability):
        return self.random.random() < probability

    def digits(self, count):
        return "".join(self.pick("0123456789") for _ in range(count))

    def between(self, low, high):
        return low + int(self.random.random() * (high - low + 1))


def expand(context, template):
    """Parts of a template; unknown slots are entries of the language's lexicon."""
    context.depth += 1
    if context.depth > DEPTH_MAX:
        raise ValueError(f"template calls itself: {template!r}")
    parts, at = [], 0
    for match in TOKEN.finditer(template):
        if match.start() > at:
            parts.append((template[at : match.start()], None))
        at = match.end()
        slot, argument, choices = match.groups()
        if choices is not None:
            parts += expand(context, context.pick(choices.split("|")))
        else:
            parts += call(context, slot, argument)
    if at < len(template):
        parts.append((template[at:], None))
    context.depth -= 1
    return parts


def call(context, slot, argument):
    function = context.slots.get(slot)
    if function is None:
        return expand(context, context.pick(entries(context, slot)))
    result = function(context, argument) if argument else function(context)
    return [(result, None)] if isinstance(result, str) else result


def entries(context, slot):
    """Lexicon entries of a slot; English stands in where a language has none."""
    own = context.lexicon[context.language].get(slot)
    if own and (context.language == "en" or not context.chance(0.04)):
        return own
    try:
        return own or context.lexicon["en"][slot]
    except KeyError as error:
        raise ValueError(f"no slot or list {slot!r} in {context.language}") from error


def plain(context, template):
    """The text of a template whose labels do not matter."""
    return "".join(text for text, _ in expand(context, template))


def assemble(parts):
    """Text and spans; a labelled part's outer spaces are no part of its span."""
    text, spans = "", []
    for piece, label in parts:
        inner = piece.strip()
        if label and inner:
            start = len(text) + piece.index(inner)
            if spans and spans[-1][2] == label and not text[spans[-1][1] : start + piece.index(inner)].strip():
                spans[-1][1] = start + len(inner)
            else:
                spans.append([start, start + len(inner), label])
        text += piece
    return text, spans


def unaccent(text):
    """Latin letters without their marks; other scripts stay."""
    out = []
    for character in unicodedata.normalize("NFC", text):
        base = unicodedata.normalize("NFD", character)
        out.append(base[0] if base[0].isascii() and base[0].isalpha() else character)
    return "".join(out)
