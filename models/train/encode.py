"""Lines to the numbers that the models read, and back to places in the line.

The same rules stand in the node; models/README.md states them. Places are in
Unicode code points. Invariant: a line is never normalised before its places
are known, so a span found is a span of the line as it came.
"""

import numpy as np
from parts import LABELS, UNSURE

CLASSES = ["O", *LABELS]
IGNORED = -100
# Character model: code points below this have an id of their own.
DIRECT = 0x530
BUCKETS = 512
CHARACTERS = 2 + DIRECT + BUCKETS
BLOCKS = 256
CHARACTERS_MAX = 256
TOKENS_MAX = 128
SHAPES = 16


def character_ids(text):
    """Two rows: which character, which block of 256; 0 is padding."""
    points = [ord(character) for character in text[:CHARACTERS_MAX]]
    return (
        [1 + point if point < DIRECT else 2 + DIRECT + point % BUCKETS for point in points],
        [min(point >> 8, BLOCKS - 1) for point in points],
    )


def character_labels(text, spans):
    labels = [0] * min(len(text), CHARACTERS_MAX)
    for start, end, label in spans:
        for at in range(start, min(end, len(labels))):
            labels[at] = class_of(label)
    return labels


def class_of(label):
    return IGNORED if label == UNSURE else CLASSES.index(label)


def shape(piece, is_glued):
    """What a token looks like; the encoder's vocabulary knows no case."""
    letters = [c for c in piece if c.isalpha()]
    if not piece:
        kind = 0
    elif not letters:
        kind = 4 if piece[0].isdigit() else 6
    elif any(ord(c) >= 0x250 for c in letters):
        kind = 7
    elif len(letters) < len(piece):
        kind = 5
    elif piece.islower():
        kind = 1
    elif piece[0].isupper() and (len(piece) == 1 or piece[1:].islower()):
        kind = 2
    else:
        kind = 3 if piece.isupper() else 5
    return kind + (8 if is_glued else 0)


def token_rows(encoding, text):
    """Ids, shapes and places of one encoded line, special tokens included."""
    ids, places = encoding.ids[:TOKENS_MAX], encoding.offsets[:TOKENS_MAX]
    shapes, before = [], -1
    for start, end in places:
        shapes.append(shape(text[start:end], start == before and end > start))
        before = end if end > start else before
    return ids, shapes, places


def token_labels(places, spans):
    """A token has the label of the first span it touches."""
    labels = []
    for start, end in places:
        label = IGNORED if start == end else 0
        for span_start, span_end, name in spans:
            if start < span_end and end > span_start:
                label = class_of(name)
                break
        labels.append(label)
    return labels


def load_tokenizer(path):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


class Ragged:
    """Rows of different lengths in one array."""

    def __init__(self, rows, dtype):
        self.lengths = np.array([len(row) for row in rows], np.int64)
        self.flat = np.fromiter((v for row in rows for v in row), dtype, int(self.lengths.sum()))

    @staticmethod
    def join(parts):
        whole = Ragged([], np.int16)
        whole.lengths = np.concatenate([p.lengths for p in parts])
        whole.flat = np.concatenate([p.flat for p in parts])
        return whole
