"""Turns the hand-written lines of tests/data/names into JSON lines.

    names_lines.py           checks lines.txt, lines-2.txt and lines-3.txt, writes their .jsonl, prints counts
    names_lines.py --check   writes nothing; fails if a .jsonl is not that of its .txt

In: `kind<TAB>text` a line, what identifies as `{LABEL|text}`, under headings
`# clinical LANGUAGE` or `# identity LANGUAGE`. Out: one object a line with
text, kind and spans as [start, end, label] in Unicode code points. Invariant:
a span is where its author put the braces; nothing here searches or guesses.
"""

import collections
import json
import pathlib
import sys

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "data" / "names"
SOURCES = [FOLDER / name for name in ("lines.txt", "lines-2.txt", "lines-3.txt")]
TRAINING = FOLDER.parents[2] / "models" / "train" / "data"

KEYS = ["text", "kind", "spans"]
KINDS = ["burned-in", "description", "comment", "report", "protocol"]
LABELS = ["PERSON", "ORG", "LOCATION", "DATE", "ID", "CONTACT", "AGE"]
SIDES = ["clinical", "identity"]
LINES_MIN = 260  # on each side


def main(arguments):
    if arguments not in ([], ["--check"]):
        sys.exit(__doc__)
    for source in SOURCES:
        convert(source, arguments == ["--check"])


def convert(source, is_check):
    """One file: checked, written or compared, counted."""
    faults = []
    records = read(source.read_text(encoding="utf-8"), faults)
    faults += complaints(records)
    target = "".join(
        json.dumps({key: record[key] for key in KEYS}, ensure_ascii=False) + "\n"
        for record in records
    )
    faults += taught(records)
    written = source.with_suffix(".jsonl")
    if is_check and (not written.exists() or written.read_text(encoding="utf-8") != target):
        faults.append(f"{written.name} is not that of {source.name}: run names_lines.py")
    if faults:
        sys.exit("\n".join(f"{source.name}: {fault}" for fault in faults))
    if not is_check:
        written.write_text(target, encoding="utf-8")
    print(f"{source.name}:")
    print_counts(records)


def read(source, faults):
    """Records of the source; a line that cannot be read becomes a fault."""
    records = []
    side = language = None
    for number, line in enumerate(source.split("\n"), 1):
        if not line:
            continue
        if line.startswith("# "):
            side, language = line[2:].split(" ")
            continue
        kind, _, marked = line.partition("\t")
        try:
            text, spans = unmark(marked)
            # Written back and compared: an escape or brace misread shows here.
            if mark(text, spans) != marked:
                raise ValueError("does not survive the way there and back")
        except ValueError as error:
            faults.append(f"line {number}: {error}")
            continue
        place = {"number": number, "side": side, "language": language}
        records.append({**place, "kind": kind, "text": text, "spans": spans})
    return records


def unmark(marked):
    """Text and spans of a marked line; `\\` before a brace or itself escapes it."""
    text, spans, start, label = [], [], None, None
    at = 0
    while at < len(marked):
        character = marked[at]
        if character == "\\":
            at += 1
            if marked[at : at + 1] not in ("{", "}", "\\"):
                raise ValueError("a backslash escapes nothing")
            text.append(marked[at])
        elif character == "{":
            if label is not None:
                raise ValueError("a span inside a span")
            bar = marked.find("|", at)
            label = marked[at + 1 : bar] if bar > 0 else ""
            if label not in LABELS:
                raise ValueError(f"no such label: {label!r}")
            start, at = len(text), bar
        elif character == "}":
            if label is None:
                raise ValueError("a brace closes nothing")
            spans.append([start, len(text), label])
            label = None
        else:
            text.append(character)
        at += 1
    if label is not None:
        raise ValueError("a span does not end")
    return "".join(text), spans


def mark(text, spans):
    """The marked line of a text and its spans."""
    escape = str.maketrans({"{": "\\{", "}": "\\}", "\\": "\\\\"})
    parts, done = [], 0
    for start, end, label in spans:
        before, inside = text[done:start].translate(escape), text[start:end].translate(escape)
        parts.append(f"{before}{{{label}|{inside}}}")
        done = end
    parts.append(text[done:].translate(escape))
    return "".join(parts)


def complaints(records):
    """What breaks the rules of README.md."""
    faults = []
    first = {}
    for record in records:
        where, text, spans = f"line {record['number']}", record["text"], record["spans"]
        if record["kind"] not in KINDS:
            faults.append(f"{where}: no such kind: {record['kind']!r}")
        if record["side"] not in SIDES or bool(spans) != (record["side"] == "identity"):
            faults.append(f"{where}: a clinical line has no span, another has one")
        if not text or text != text.strip() or any(c in text for c in "\t\r"):
            faults.append(f"{where}: empty, or space at an end, or a tab")
        for start, end, label in spans:
            if start == end or text[start:end] != text[start:end].strip():
                faults.append(f"{where}: {label} is empty or has space at an end")
        if text in first:
            faults.append(f"{where}: as line {first[text]}")
        first.setdefault(text, record["number"])
    for side in SIDES:
        lines = sum(record["side"] == side for record in records)
        if lines < LINES_MIN:
            faults.append(f"{lines} {side} lines, at least {LINES_MIN} are asked")
    return faults


def taught(records):
    """Lines that a training template is, letter for letter (`generate.py --exclude` keeps out those that one makes)."""
    lines = {fold(record["text"]): record["number"] for record in records}
    faults = []
    for path in sorted(TRAINING.glob("l*.txt")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for entry in line.split(";") if path.name.startswith("lexicon") else [line]:
                if len(entry.split()) > 2 and fold(entry) in lines:
                    faults.append(f"{path.name} line {number} is test line {lines[fold(entry)]}")
    for path in sorted(TRAINING.glob("written.*.txt")):
        for record in read(path.read_text(encoding="utf-8"), faults):
            if len(record["text"].split()) > 2 and fold(record["text"]) in lines:
                faults.append(f"{path.name} line {record['number']} is test line {lines[fold(record['text'])]}")
    return faults


def fold(text):
    return " ".join(text.casefold().split())


def print_counts(records):
    print(f"lines {len(records)}")
    for key in ("side", "kind", "language"):
        tally = collections.Counter((record["side"], record[key]) for record in records)
        shown = [f"{b if key == 'side' else f'{a} {b}'} {n}" for (a, b), n in tally.items()]
        print(f"by {key}:", ", ".join(shown))
    labels = collections.Counter(label for record in records for _, _, label in record["spans"])
    print("spans:", ", ".join(f"{label} {labels[label]}" for label in LABELS), f"= {sum(labels.values())}")


if __name__ == "__main__":
    main(sys.argv[1:])
