"""Invented pictures: kind, size and number of frames in, stored values out.

A gradient with noise, a disc and a bright box with dark strokes like a line of
text, the place that is painted. Nothing is random: the noise has a fixed seed.
"""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Kind:
    """How the samples of a picture are stored."""

    photometric: str
    allocated: int
    stored: int
    signed: bool = False
    planar: int = 0
    # Red, green and blue tables as (entries, bits of an entry, segmented).
    palette: tuple = ()

    @property
    def samples(self):
        return 1 if self.photometric in ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR") else 3

    @property
    def dtype(self):
        width = {1: 1, 8: 1, 16: 2, 32: 4}[self.allocated]
        return np.dtype(f"<{'i' if self.signed else 'u'}{width}")

    @property
    def name(self):
        short = {"MONOCHROME1": "mono1", "MONOCHROME2": "mono2", "PALETTE COLOR": "palette"}
        words = [short.get(self.photometric, self.photometric.lower().replace("_", ""))]
        words.append(f"{self.allocated}-{self.stored}{'s' if self.signed else ''}")
        if self.planar:
            words.append("planar")
        if self.palette:
            words.append(f"{self.palette[1]}bit{'seg' if self.palette[2] else ''}")
        return "-".join(words)

    def with_(self, **changes):
        return replace(self, **changes)


def grey(allocated, stored, signed=False, photometric="MONOCHROME2"):
    return Kind(photometric, allocated, stored, signed)


def colour(photometric="RGB", bits=8, planar=0):
    return Kind(photometric, bits, bits, planar=planar)


def palette(allocated=8, entries=256, entry_bits=16, segmented=False):
    stored = 8 if allocated == 8 else max(1, (entries - 1).bit_length())
    return Kind("PALETTE COLOR", allocated, stored, palette=(entries, entry_bits, segmented))


def text_box(rows, columns):
    """Left, top, right, bottom of what looks like text; never empty."""
    left, top = columns // 3, rows // 3
    right, bottom = left + max(1, columns // 4), top + max(1, rows // 7)
    return [left, top, min(right, columns), min(bottom, rows)]


def brightness(rows, columns, frames, planes):
    """Values from 0 to 1 in (frames, rows, columns, planes)."""
    noise = np.random.default_rng(20260102)
    y, x = np.mgrid[0:rows, 0:columns]
    made = np.empty((frames, rows, columns, planes))
    left, top, right, bottom = text_box(rows, columns)
    strokes = ((x - left) % 5 < 2) & ((y - top) % 4 < 3)
    for frame in range(frames):
        centre = (columns * (3 + frame) / (5 + frames), rows * 0.7)
        disc = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 < (min(rows, columns) / 5) ** 2
        for plane in range(planes):
            ramp = (x * (plane + 1) / (planes + 1) + y) / (rows + columns)
            values = 0.1 + 0.55 * ramp + 0.05 * noise.random((rows, columns))
            values = np.where(disc, 0.8 - 0.2 * plane, values)
            box = np.where(strokes, 0.15, 0.95)[top:bottom, left:right]
            values[top:bottom, left:right] = box
            made[frame, :, :, plane] = values
    return made


def draw(kind, rows, columns, frames):
    """Stored values in (frames, rows, columns) or (frames, rows, columns, 3)."""
    values = brightness(rows, columns, frames, kind.samples)
    if kind.photometric.startswith("YBR"):
        values = ybr(values)
    if kind.photometric == "MONOCHROME1":
        values = 1 - values
    bits = 1 if kind.allocated == 1 else kind.stored
    if kind.palette:
        values = np.round(values * (kind.palette[0] - 1))
    elif bits == 1:
        values = values > 0.5
    else:
        values = np.floor(values * (2.0**bits - 1))
        if kind.signed:
            # Not the whole range, as in CT: what is darkest is not the least that fits.
            values = np.floor(values * 0.75) - 2 ** (bits - 2)
    made = values.astype(np.int64).astype(kind.dtype)
    if kind.photometric == "YBR_FULL_422":
        # A pair of columns shares its colour, as it is stored.
        made[:, :, 1::2, 1:] = made[:, :, 0::2, 1:][:, :, : made[:, :, 1::2, 1:].shape[2]]
    return made[..., 0] if kind.samples == 1 else made


def ybr(rgb):
    """PS3.3 §C.7.6.3.1.2, YBR_FULL, in parts of the range."""
    matrix = np.array(
        [[0.2990, 0.5870, 0.1140], [-0.1687, -0.3313, 0.5000], [0.5000, -0.4187, -0.0813]]
    )
    values = rgb @ matrix.T
    values[..., 1:] += 0.5
    return np.clip(values, 0, 1)
