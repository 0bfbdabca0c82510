"""A picture under construction: a background for each frame and lines of text over it.

A line is drawn whole; what each segment covers is kept, so that the key holds
the glyphs themselves and not a rectangle around them.
"""
import dataclasses
import math

import numpy as np
from PIL import Image, ImageFilter

from . import fonts

# Look: ink, what lies under the line (None: the picture), class for the tables.
LOOKS = {
    "white": ((255, 255, 255), None, "white on dark"), "bright": ((222, 222, 222), None, "white on dark"), "grey": ((150, 150, 150), None, "grey on dark"),
    "dim": ((105, 105, 105), None, "grey on dark"), "yellow": ((255, 240, 60), None, "colour on dark"), "cyan": ((60, 225, 235), None, "colour on dark"),
    "green": ((70, 230, 90), None, "colour on dark"), "orange": ((240, 150, 40), None, "colour on dark"), "black": ((0, 0, 0), None, "dark on light"),
    "ink": ((40, 40, 90), None, "dark on light"), "inverse": ((0, 0, 0), (235, 235, 235), "dark on light"), "grey bar": ((20, 20, 20), (150, 152, 150), "on a bar"),
    "blue bar": ((255, 255, 255), (20, 50, 150), "on a bar"), "steel bar": ((235, 240, 245), (70, 85, 100), "on a bar"), "boxed": ((255, 255, 255), "frame", "boxed"),
    "outlined": ((255, 255, 255), "outline", "outlined"), "low": ("low", None, "low contrast"),
}
DARK = ["white"] * 4 + ["bright"] * 3 + ["grey"] * 2 + ["yellow", "yellow", "cyan", "green", "orange", "dim", "inverse", "blue bar", "steel bar", "boxed", "low", "low", "grey bar"]
OVER = ["white"] * 3 + ["outlined"] * 3 + ["bright", "yellow", "cyan", "green", "boxed", "inverse"]
LIGHT = ["black"] * 5 + ["ink"] * 2 + ["low", "blue bar", "boxed"]


@dataclasses.dataclass
class Segment:
    """What the key says of one run of words of one class."""

    text: str
    kind: str
    act: str
    source: str = ""


@dataclasses.dataclass
class Stroke:
    """Ink to lay over frames `first` to `last` (not included): alpha at a place, in a colour."""

    alpha: np.ndarray
    x: int
    y: int
    colour: tuple
    first: int
    last: int


class Scene:
    def __init__(self, rng, width, height, background, frames=1, colour=False):
        self.rng, self.width, self.height, self.frames, self.colour = rng, width, height, frames, colour
        self.background = background          # frame number → height × width × 3, 0 to 255
        self.strokes, self.segments, self.taken = [], [], []
        self.tilt = 0.0                       # degrees, of the whole picture
        self.style, self.sizes = rng.choice(["screen", "screen", "screen", "bitmap", "bitmap", "mono", "narrow", "stroke"]), (12, 20)
        self.noise, self.blur, self.jpeg = 0.0, 0.0, None
        self.lines = 0

    def fill(self, x, y, width, height, colour):
        self.strokes.append(Stroke(np.ones((height, width), np.float32), x, y, colour, 0, self.frames))

    def line(self, x, y, segments, look=None, rot=0, sizes=None, style=None, frames=None, where="banner", looks=DARK, right=False, lang="", free=False, gap=1):
        """Draws the segments beside each other, top left (or top right) at x, y; its height in px, 0 where there is no room."""
        text = " ".join(s.text for s in segments)
        face = fonts.pick(self.rng, text, sizes or self.sizes, style or self.style)
        if not face.can(text):
            face = fonts.pick(self.rng, text, sizes or self.sizes, "screen")
        look = look or self.rng.choice(looks)
        layers = laid(face, segments, gap)
        turned = [rotate(layer, rot + self.tilt) for layer in layers]
        height, width = turned[0].shape
        if right:
            x -= width
        if self.tilt:
            x, y = self.tilted(x, y, *layers[0].shape)
        x, y = round(x), round(y)
        box = (x, y, x + width, y + height)
        if x < 1 or y < 1 or x + width >= self.width or y + height >= self.height or (not free and any(meets(box, t) for t in self.taken)):
            return 0
        self.taken.append(box)
        first, last = frames or (0, self.frames)
        contrast = self.ink(turned, layers[0].shape, rot, x, y, look, first, last)
        for segment, layer in zip(segments, turned):
            self.note(segment, layer, x, y, dict(line=self.lines, px=face.size, font=face.name, smooth=face.smooth, look=look, contrast=contrast, rot=rot + self.tilt, frames=[first, last], lang=lang, where=where))
        self.lines += 1
        return height

    def ink(self, turned, flat, rot, x, y, look, first, last):
        """The class of contrast; lays what is under the line, then the line."""
        colour, under, contrast = LOOKS[look]
        alpha = np.max(turned, axis=0)
        if colour == "low":
            local = float(self.behind(x, y, alpha.shape, first).mean())
            step = self.rng.uniform(26, 52)
            level = local + step if local < 128 else local - step
            colour = (level,) * 3
        if isinstance(under, tuple):
            plate = rotate(np.pad(np.ones((flat[0] - 2, flat[1] - 2), np.float32), 1), rot + self.tilt)
            self.strokes.append(Stroke(plate, x, y, under, first, last))
        elif under == "outline":
            wide = np.asarray(Image.fromarray((np.pad(alpha, 1) * 255).astype(np.uint8)).filter(ImageFilter.MaxFilter(3)), np.float32) / 255
            self.strokes.append(Stroke(wide, x - 1, y - 1, (0, 0, 0), first, last))
        elif under == "frame":
            plate = np.zeros(flat, np.float32)
            plate[[0, -1]] = 1
            plate[:, [0, -1]] = 1
            colour = colour if not self.light(x, y, alpha.shape, first) else (0, 0, 0)
            self.strokes.append(Stroke(rotate(plate, rot + self.tilt), x, y, colour, first, last))
        self.strokes.append(Stroke(alpha, x, y, colour, first, last))
        return contrast

    def behind(self, x, y, shape, frame):
        return self.render(frame)[y:y + shape[0], x:x + shape[1]].mean(-1)

    def light(self, x, y, shape, frame):
        return self.behind(x, y, shape, frame).mean() > 128

    def note(self, segment, layer, x, y, facts):
        rows, columns = np.flatnonzero(layer.max(1) > 0.1), np.flatnonzero(layer.max(0) > 0.1)
        if not len(rows):
            return
        y0, y1, x0, x1 = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
        self.segments.append((dataclasses.asdict(segment) | facts | dict(box=[int(x + x0), int(y + y0), int(x + x1), int(y + y1)]), (layer[y0:y1, x0:x1].clip(0, 1) * 255).astype(np.uint8)))

    def tilted(self, x, y, height, width):
        """Top left of a tilted line whose centre turned with the picture."""
        a = math.radians(self.tilt)
        cx, cy = x + width / 2 - self.width / 2, y + height / 2 - self.height / 2
        mx, my = cx * math.cos(a) + cy * math.sin(a), -cx * math.sin(a) + cy * math.cos(a)
        w = abs(width * math.cos(a)) + abs(height * math.sin(a))
        h = abs(width * math.sin(a)) + abs(height * math.cos(a))
        return mx + self.width / 2 - w / 2, my + self.height / 2 - h / 2

    def render(self, frame):
        picture = np.array(self.background(frame), np.float32)
        for s in self.strokes:
            if s.first <= frame < s.last:
                h, w = s.alpha.shape
                y0, x0 = max(0, s.y), max(0, s.x)
                y1, x1 = min(self.height, s.y + h), min(self.width, s.x + w)
                alpha = s.alpha[y0 - s.y:y1 - s.y, x0 - s.x:x1 - s.x, None]
                area = picture[y0:y1, x0:x1]
                area += (np.array(s.colour, np.float32) - area) * alpha
        return picture


def laid(face, segments, gap):
    """A coverage for each segment, all as large as the line."""
    space = face.advance(" ") * gap
    rasters, at = [], []
    x = 2.0
    for segment in segments:
        rasters.append(face.raster(segment.text))
        at.append(int(x))
        x += face.advance(segment.text) + space
    height, width = face.height + 4, at[-1] + rasters[-1].shape[1] + 3
    layers = []
    for raster, left in zip(rasters, at):
        layer = np.zeros((height, width), np.float32)
        layer[2:2 + raster.shape[0], left:left + raster.shape[1]] = raster
        layers.append(layer)
    return layers


def rotate(layer, degrees):
    if degrees % 90 == 0:
        return np.rot90(layer, int(degrees // 90) % 4)
    image = Image.fromarray((layer * 255).astype(np.uint8)).rotate(degrees, expand=True, resample=Image.Resampling.BICUBIC)
    return np.asarray(image, np.float32) / 255


def meets(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
