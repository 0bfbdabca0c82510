"""What happens to a line between its author and us: case, marks, reading errors, cuts."""

from parts import unaccent

# What the recogniser of burned-in text confuses; both directions are drawn.
CONFUSIONS = {
    "O": "0DQ", "0": "O", "I": "1l|", "1": "Il", "l": "1I", "S": "5", "5": "S", "B": "8", "8": "B", "Z": "2", "2": "Z", "G": "6C", "6": "G", "E": "F", "e": "c", "c": "e", "o": "0",
    "n": "h", "h": "b", "u": "v", "v": "u", "i": "l", "a": "o", "g": "q", "D": "O", "M": "N", "R": "P", "T": "7", "q": "9", "t": "f", "Y": "V", "U": "V", "A": "4", ",": ".", ".": ",", ":": ";", "^": "'",
}
UPPER = {"burned-in": 0.38, "description": 0.4, "comment": 0.14, "report": 0.07, "protocol": 0.12}
LOWER = {"burned-in": 0.05, "description": 0.06, "comment": 0.16, "report": 0.03, "protocol": 0.15}
GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "AE", "Ö": "OE", "Ü": "UE", "ß": "ss"})


def disturb(context, parts, kind, written=False):
    """The parts as a machine or a hurried person would have them; of whole lines half keep the case they were written in."""
    draw = context.random.random() * (2 if written else 1)
    if draw < UPPER[kind]:
        parts = [(text.upper(), label) for text, label in parts]
    elif draw < UPPER[kind] + LOWER[kind]:
        parts = [(text.lower(), label) for text, label in parts]
    if context.chance(0.12):
        parts = [(text.translate(GERMAN), label) for text, label in parts]
    if context.chance(0.5 if kind in ("burned-in", "protocol") else 0.2):
        parts = [(unaccent(text), label) for text, label in parts]
    if kind == "protocol" and context.chance(0.3):
        parts = [(text.replace(" ", "_"), label) for text, label in parts]
    if kind == "burned-in" and context.chance(0.22):
        rate = context.pick([0.02, 0.05, 0.1])
        parts = [(misread(context, text, rate), label) for text, label in parts]
    elif context.chance(0.06):
        parts = [(mistyped(context, text), label) for text, label in parts]
    if kind in ("burned-in", "description") and context.chance(0.07):
        parts = cut(context, parts)
    if kind == "burned-in" and context.chance(0.04):
        parts = [(context.pick(["- ", "* ", "| ", "> ", "(", ". ", "["]), None), *parts]
    if context.chance(0.04):
        parts = [*parts, (context.pick([" ", ".", " .", ")", " |", ":", "...", " -", ";"]), None)]
    return parts


def misread(context, text, rate):
    out = []
    for character in text:
        if context.chance(rate):
            if character == " ":
                character = context.pick(["", "", "  "])
            elif character == "m":
                character = "rn"
            else:
                character = context.pick(CONFUSIONS.get(character, character))
        out.append(character)
    return "".join(out)


def mistyped(context, text):
    """One slip of the finger in a part of four letters or more."""
    if len(text) < 4 or not context.chance(0.4):
        return text
    at = context.between(1, len(text) - 2)
    slip = context.pick(["swap", "drop", "double"])
    if slip == "swap":
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + (text[at + 1 :] if slip == "drop" else text[at] + text[at:])


def cut(context, parts):
    """The end of the line is missing, or its beginning; two letters of a span stay."""
    length = sum(len(text) for text, _ in parts)
    keep = context.between(max(4, length // 2), max(4, length - 1))
    out = []
    for text, label in parts:
        taken = text[:keep]
        keep -= len(taken)
        if taken:
            out.append((taken, label if len(taken.strip()) > 1 else None))
    return out
