"""Typefaces of Debian packages, and text drawn with them as coverage from 0 to 1.

Neither the machine's own fonts nor Pillow's: the packages are fetched once with
apt-get into the cache and unpacked there, so that one seed gives one set.
"""
import os
import pathlib
import subprocess

import numpy as np
from PIL import Image, ImageDraw, ImageFont

PACKAGES = ["fonts-liberation2", "fonts-terminus-otb", "hershey-fonts-data", "fonts-noto-mono", "fonts-noto-extra", "fonts-noto-core",
            "fonts-roboto-unhinted", "fonts-open-sans", "xfonts-base", "fonts-urw-base35", "fonts-wqy-microhei", "fonts-hack",
            "fonts-freefont-ttf", "fonts-dejavu-core", "fonts-dejavu-extra"]
CACHE = pathlib.Path(os.environ.get("AIRLOCK_CACHE") or pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "airlock") / "fonts"
TTF, OTF, X11 = "usr/share/fonts/truetype/", "usr/share/fonts/opentype/", "usr/share/fonts/X11/misc/"

# Name: file, and for bitmap faces the sizes they have.
SCALABLE = {
    "Liberation Sans": TTF + "liberation2/LiberationSans-Regular.ttf", "Liberation Sans Bold": TTF + "liberation2/LiberationSans-Bold.ttf",
    "Liberation Mono": TTF + "liberation2/LiberationMono-Regular.ttf", "Liberation Serif": TTF + "liberation2/LiberationSerif-Regular.ttf",
    "Noto Sans": TTF + "noto/NotoSans-Regular.ttf", "Noto Sans Condensed": TTF + "noto/NotoSans-Condensed.ttf",
    "Noto Sans ExtraCondensed": TTF + "noto/NotoSans-ExtraCondensed.ttf", "Noto Sans Light": TTF + "noto/NotoSans-Light.ttf",
    "Noto Mono": TTF + "noto/NotoMono-Regular.ttf", "Noto Serif": TTF + "noto/NotoSerif-Regular.ttf",
    "Roboto": TTF + "roboto/unhinted/RobotoTTF/Roboto-Regular.ttf", "Roboto Condensed": TTF + "roboto/unhinted/RobotoCondensed-Regular.ttf",
    "Open Sans": TTF + "open-sans/OpenSans-Regular.ttf", "Open Sans Cond Light": TTF + "open-sans/OpenSans-CondLight.ttf",
    "Nimbus Sans": OTF + "urw-base35/NimbusSans-Regular.otf", "Nimbus Sans Narrow": OTF + "urw-base35/NimbusSansNarrow-Bold.otf",
    "Nimbus Mono": OTF + "urw-base35/NimbusMonoPS-Bold.otf", "Gothic Book": OTF + "urw-base35/URWGothic-Book.otf",
    "Hack": TTF + "hack/Hack-Regular.ttf", "Free Sans Bold": TTF + "freefont/FreeSansBold.ttf", "Free Mono": TTF + "freefont/FreeMono.ttf",
    "DejaVu Sans": TTF + "dejavu/DejaVuSans.ttf", "DejaVu Sans Mono Bold": TTF + "dejavu/DejaVuSansMono-Bold.ttf",
    "DejaVu Sans Condensed": TTF + "dejavu/DejaVuSansCondensed.ttf",
}
BITMAP = {"Terminus": (OTF + "terminus/terminus-normal.otb", [12, 14, 16, 18, 20, 22, 24, 28, 32]),
          "Terminus Bold": (OTF + "terminus/terminus-bold.otb", [14, 16, 18, 20, 22, 24, 28, 32])}
PCF = {8: "5x8", 9: "6x9", 10: "6x10", 12: "6x12", 13: "7x13", 14: "7x14B", 15: "9x15B", 18: "9x18", 20: "10x20"}
STROKE = {"Hershey Simplex": "futural", "Hershey Roman": "rowmans", "Hershey Duplex": "rowmand"}
CJK = TTF + "wqy/wqy-microhei.ttc"
CYRILLIC = ["Noto Sans", "Liberation Sans", "DejaVu Sans"]


def fetch():
    """Each package unpacked under the cache; done once."""
    root = CACHE / "root"
    if (CACHE / "complete").is_file():
        return root
    root.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        subprocess.run(["apt-get", "download", package], cwd=CACHE, check=True, capture_output=True)
    for archive in sorted(CACHE.glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", archive, root], check=True)
        archive.unlink()
    (CACHE / "complete").write_text("\n".join(PACKAGES))
    return root


class Face:
    """One typeface at one size: `raster(text)` is coverage, `advance(text)` its width in px."""

    def __init__(self, name, size, smooth):
        self.name, self.size, self.smooth = name, size, smooth
        root = fetch()
        self.strokes = None
        if name in STROKE:
            self.strokes = strokes(root / "usr/share/hershey-fonts" / (STROKE[name] + ".jhf"))
            self.smooth = True
            self.scale = size / 30
            return
        if name == "X11 misc":
            path = root / X11 / (PCF[size] + ".pcf.gz")
        elif name == "WenQuanYi":
            path = root / CJK
        else:
            path = root / (BITMAP[name][0] if name in BITMAP else SCALABLE[name])
        self.font = ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)
        if name in BITMAP or name == "X11 misc":
            self.smooth = False

    @property
    def height(self):
        return int(self.size * 1.35) + 2 if self.strokes else sum(self.font.getmetrics())

    def advance(self, text):
        if self.strokes:
            return sum(self.strokes.get(c, self.strokes["-"])[0] for c in text) * self.scale
        return self.font.getlength(text)

    def can(self, text):
        """Stroke faces have ASCII alone; X11's here have Latin-1 or, most, all of Europe."""
        return all(ord(c) < (127 if self.strokes else 0x250) for c in text)

    def raster(self, text):
        width = int(self.advance(text)) + 3
        if self.strokes:
            return self.raster_strokes(text, width)
        image = Image.new("L", (width, self.height))
        draw = ImageDraw.Draw(image)
        draw.fontmode = "L" if self.smooth else "1"
        draw.text((1, 0), text, 255, self.font)
        return np.asarray(image, np.float32) / 255

    def raster_strokes(self, text, width):
        over = 4
        image = Image.new("L", (width * over, self.height * over))
        draw, x = ImageDraw.Draw(image), 0.0
        thick = max(over, round(self.size / 14 * over))
        for c in text:
            step, left, lines = self.strokes.get(c, self.strokes["-"])
            for line in lines:
                points = [((x + (px - left) * self.scale + 1) * over, ((py + 16) * self.scale + 1) * over) for px, py in line]
                if len(points) > 1:
                    draw.line(points, 255, thick, joint="curve")
            x += step * self.scale
        return np.asarray(image.resize((width, self.height), Image.Resampling.BOX), np.float32) / 255


def strokes(path):
    """Hershey's JHF: character → (advance, left side, polylines). 96 lines of ASCII from space."""
    table = {}
    for number, line in enumerate(path.read_text("latin-1").splitlines()):
        left, right = ord(line[8]) - 82, ord(line[9]) - 82
        lines, current = [], []
        for pair in (line[i:i + 2] for i in range(10, len(line) - 1, 2)):
            if pair == " R":
                lines.append(current)
                current = []
            else:
                current.append((ord(pair[0]) - 82, ord(pair[1]) - 82))
        table[chr(32 + number)] = (right - left, left, [*lines, current])
    return table


def pick(rng, text, sizes, style):
    """A face of a style ("screen", "bitmap", "stroke", "mono", "narrow") that has all characters of the text."""
    if any(0x2E80 <= ord(c) for c in text):
        return Face("WenQuanYi", rng.randint(max(12, sizes[0]), max(14, sizes[1])), True)
    if any(0x400 <= ord(c) < 0x530 for c in text):
        return Face(rng.choice(CYRILLIC), rng.randint(*sizes), True)
    plain = all(ord(c) < 127 for c in text)
    if style == "stroke" and plain:
        return Face(rng.choice(list(STROKE)), rng.randint(max(10, sizes[0]), max(12, sizes[1])), True)
    if style == "bitmap":
        fits = [(n, s) for n, (_, all_sizes) in BITMAP.items() for s in all_sizes if sizes[0] <= s <= sizes[1]]
        if all(ord(c) < 0x180 for c in text):
            fits += [("X11 misc", s) for s in PCF if sizes[0] <= s <= sizes[1]]
        if fits and all(ord(c) < 0x180 for c in text):
            return Face(*rng.choice(fits), False)
    names = {"mono": [n for n in SCALABLE if "Mono" in n or n == "Hack"], "narrow": [n for n in SCALABLE if "Cond" in n or "Narrow" in n]}
    return Face(rng.choice(names.get(style, list(SCALABLE))), rng.randint(*sizes), rng.random() < 0.75)
