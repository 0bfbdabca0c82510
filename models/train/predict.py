"""Probabilities for each character of a line, by the exported models.

Long lines are read in windows that overlap; a place takes its numbers from the
window in whose middle it lies. Lines of one length go together, so a batch has
next to no padding and a line's numbers do not hang on its neighbours.
"""

import encode
import numpy as np
import onnxruntime
from encode import CLASSES

OVERLAP = {"character": 64, "encoder": 32}


class Model:
    """One ONNX file on one core."""

    def __init__(self, kind, path, tokenizer=None):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.kind = kind
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.tokenizer = encode.load_tokenizer(tokenizer) if kind == "encoder" else None

    def rows(self, text):
        """Windows of a line: first row, second row, places of each."""
        if self.kind == "character":
            points = list(range(len(text)))
            step = encode.CHARACTERS_MAX - OVERLAP["character"]
            for start in range(0, max(1, len(text) - OVERLAP["character"]), step):
                piece = text[start : start + encode.CHARACTERS_MAX]
                first, second = encode.character_ids(piece)
                yield first, second, [(start + at, start + at + 1) for at in points[: len(piece)]]
            return
        encoding = self.tokenizer.encode(text)
        inner = list(zip(encoding.ids, encoding.offsets))[1:-1]
        size, step = encode.TOKENS_MAX - 2, encode.TOKENS_MAX - 2 - OVERLAP["encoder"]
        for start in range(0, max(1, len(inner) - OVERLAP["encoder"]), step):
            taken = inner[start : start + size]
            shapes, before = [], inner[start - 1][1][1] if start else -1
            for _, (begin, end) in taken:
                shapes.append(encode.shape(text[begin:end], begin == before))
                before = end
            yield [101, *[i for i, _ in taken], 102], [0, *shapes, 0], [None, *[place for _, place in taken], None]

    def run(self, texts, batch=32):
        """An array [characters, classes] for each text."""
        windows = [(at, *window) for at, text in enumerate(texts) for window in self.rows(text)]
        out = [np.zeros((len(text), len(CLASSES)), np.float32) for text in texts]
        best = [np.full(len(text), -1) for text in texts]
        for found in out:
            found[:, 0] = 1
        windows.sort(key=lambda window: len(window[1]))
        for start in range(0, len(windows), batch):
            group = windows[start : start + batch]
            for (at, _, _, places), probabilities in zip(group, self.infer(group)):
                spread(out[at], best[at], places, probabilities)
        return out

    def infer(self, group):
        longest = max(max(len(window[1]) for window in group), 1)
        inputs = np.zeros((2, len(group), longest), np.int64)
        for row, (_, first, second, _) in enumerate(group):
            inputs[0, row, : len(first)], inputs[1, row, : len(second)] = first, second
        logits = self.session.run(None, {"first": inputs[0], "second": inputs[1]})[0]
        exponents = np.exp(logits - logits.max(-1, keepdims=True))
        return exponents / exponents.sum(-1, keepdims=True)


def spread(out, best, places, probabilities):
    """Writes a window's numbers where no window has the place nearer its middle."""
    for row, place in enumerate(places):
        if place is None:
            continue
        depth = min(row, len(places) - 1 - row)
        for at in range(*place):
            if depth > best[at]:
                out[at], best[at] = probabilities[row], depth


def together(models, texts, weights):
    """The weighted mean of the models."""
    runs = [model.run(texts) for model in models]
    total = sum(weights)
    return [sum(w * run[at] for w, run in zip(weights, runs)) / total for at in range(len(texts))]


def spans(text, probabilities, threshold):
    """Runs of characters to hide, grown to whole words, with their likeliest class."""
    hidden = 1 - probabilities[:, 0] >= threshold
    found, at = [], 0
    while at < len(text):
        if not hidden[at] or not text[at].isalnum():
            at += 1
            continue
        start, end = at, at + 1
        while start > 0 and is_word(text[start - 1]):
            start -= 1
        while end < len(text) and (hidden[end] or is_word(text[end])):
            end += 1
        while not is_word(text[end - 1]):
            end -= 1
        label = CLASSES[1 + int(probabilities[start:end, 1:].sum(0).argmax())]
        found.append([start, end, label])
        at = end
    return found


def is_word(character):
    return character.isalnum() or character == "_" or 0x300 <= ord(character) < 0x370
