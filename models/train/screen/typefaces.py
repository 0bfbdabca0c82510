"""Lines of text as masks: typefaces of Debian packages, many scripts, many sizes.

None of these typefaces is used by tests/python/frameset, by the development set or
by the set that measures the screen (tests/python/screenset).
"""
import gzip
import io
import string
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, PcfFontFile

PACKAGES = [
    "fonts-lato", "fonts-cantarell", "fonts-inconsolata", "fonts-linuxlibertine", "fonts-crosextra-carlito", "fonts-crosextra-caladea",
    "fonts-firacode", "fonts-droid-fallback", "fonts-unfonts-core", "fonts-thai-tlwg-ttf", "fonts-hosny-amiri", "fonts-lohit-deva",
    "fonts-jetbrains-mono", "fonts-quicksand", "fonts-spleen", "xfonts-75dpi", "fonts-3270", "fonts-paratype", "fonts-gfs-artemisia",
    "fonts-sil-ezra", "fonts-unifont", "fonts-ocr-a", "fonts-ocr-b", "fonts-oxygen", "fonts-vollkorn", "fonts-go", "fonts-mplus",
]  # fmt: skip
# A file's name begins so: the letters it is used for.
SCRIPTS = {
    "DroidSansFallback": [(0x4E00, 0x6FFF), (0x3041, 0x30FA)], "Un": [(0xAC00, 0xD7A3)], "Amiri": [(0x0627, 0x064A)],
    "Lohit": [(0x0905, 0x0939)], "PT": [(0x0410, 0x044F)], "GFS": [(0x0391, 0x03C9)], "SILEOT": [(0x05D0, 0x05EA)],
    "Loma": [(0x0E01, 0x0E2E)], "Garuda": [(0x0E01, 0x0E2E)], "Mplus1": [(0x3041, 0x30FA)],
}  # fmt: skip
SKIPPED = ("Thin", "Hairline", "ExtraLight", "AmiriQuran", "UnDinaruLight")
SYLLABLES = "an be cor da el fi gra ho is jo ka lem mi nor os pet qui ro sta tu ul vo wen xi yar zo sch th ing er son ski ova".split()
MARKS = "  ..::,--//()^+%=#_'*"


def fetch(folder):
    """The packages, unpacked in `folder`; the files of typefaces, in order."""
    root = Path(folder) / "root"
    if not root.is_dir():
        Path(folder).mkdir(parents=True, exist_ok=True)
        for package in PACKAGES:
            subprocess.run(["apt-get", "download", package], cwd=folder, check=True, capture_output=True)
        for archive in sorted(Path(folder).glob("*.deb")):
            subprocess.run(["dpkg-deb", "-x", archive, root], check=True)
    files = [path for path in root.rglob("*") if path.name.endswith((".ttf", ".otf", ".ttc", ".pcf.gz"))]
    return sorted(path for path in files if path.is_file() and not any(word in path.name for word in SKIPPED))


def bitmap(path):
    """A typeface of the X Window System, which Pillow reads after a conversion."""
    try:
        face = PcfFontFile.PcfFontFile(io.BytesIO(gzip.decompress(path.read_bytes())))
        with tempfile.TemporaryDirectory() as folder:
            face.save(f"{folder}/face")
            return ImageFont.load(f"{folder}/face.pil")
    except (SyntaxError, ValueError, OSError, IndexError, KeyError):
        return None


class Writer:
    """Draws lines; `generator` decides what and how."""

    def __init__(self, folder, generator):
        self.generator = generator
        files = fetch(folder)
        latin = [path for path in files if not path.name.startswith(tuple(SCRIPTS))]
        self.scalable = [path for path in latin if not path.name.endswith(".gz")]
        bitmaps = [path for path in latin if path.name.endswith("ISO8859-1.pcf.gz")]
        bitmaps = [path for path in bitmaps if path.name.startswith(("hel", "cou", "tim", "lu", "ncen", "char", "ter"))]
        self.bitmaps = [face for face in map(bitmap, bitmaps) if face]
        self.other = [(path, ranges) for path in files for start, ranges in SCRIPTS.items() if path.name.startswith(start)]

    def pick(self, items):
        return items[self.generator.integers(len(items))]

    def word(self):
        kind = self.generator.random()
        if kind < 0.3:
            count = self.generator.integers(1, 9)
            return "".join(self.pick(string.digits + (MARKS if self.generator.random() < 0.4 else "")) for _ in range(count))
        if kind < 0.4:
            return "".join(self.pick(string.ascii_letters + string.digits) for _ in range(self.generator.integers(1, 8)))
        word = "".join(self.pick(SYLLABLES) for _ in range(self.generator.integers(1, 5)))
        case = self.generator.random()
        return word.upper() if case < 0.5 else word.title() if case < 0.8 else word

    def text(self, ranges=None):
        if ranges:
            start, end = self.pick(ranges)
            words = ["".join(chr(self.generator.integers(start, end)) for _ in range(self.generator.integers(2, 6)))]
            words += [self.word() for _ in range(self.generator.integers(0, 2))]
            return " ".join(words)
        size = self.generator.random()
        if size < 0.06:
            return self.pick(["R", "L", "RT", "LT", "A", "P", "H", "F", "AP", "PA", "cm", "III", "M", "F 45Y", "#1"])
        words = [self.word() for _ in range(1 if size < 0.4 else self.generator.integers(2, 6))]
        return self.pick([" ", " ", " ", ", ", "^", "/"]).join(words)

    def line(self):
        """A mask of the line's ink, 0 to 255, cut to the ink; its height in pixels follows 1/h between 6 and 130."""
        for _ in range(20):
            drawn = self.drawn()
            if drawn is not None:
                return drawn
        raise RuntimeError("no typeface draws")

    def drawn(self):
        which = self.generator.random()
        ranges = None
        if which < 0.25 and self.bitmaps:
            font, stretch = self.pick(self.bitmaps), self.pick([1, 1, 1, 2, 3])
        else:
            path = self.pick(self.scalable)
            if which > 0.85:
                path, ranges = self.pick(self.other)
            size = int(np.exp(self.generator.uniform(np.log(7), np.log(140))))
            try:
                font, stretch = ImageFont.truetype(str(path), size), 1
            except OSError:  # A typeface of few sizes.
                return None
        text = self.text(ranges)
        try:
            box = font.getbbox(text)
            if box[2] - box[0] < 2 or box[2] > 3000:
                return None
            image = Image.new("L", (box[2] + 4, box[3] + 4))
            draw = ImageDraw.Draw(image)
            draw.fontmode = "1" if self.generator.random() < 0.2 else "L"
            draw.text((1, 1), text, fill=255, font=font)
        except (OSError, UnicodeError, ValueError):
            return None
        mask = np.asarray(image)
        rows, columns = np.flatnonzero(mask.max(1) > 60), np.flatnonzero(mask.max(0) > 60)
        if rows.size < 5 or columns.size < 3:
            return None
        mask = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        if stretch > 1:
            mask = mask.repeat(stretch, 0).repeat(stretch, 1)
        if self.generator.random() < 0.15:
            width = max(3, round(mask.shape[1] * self.generator.uniform(0.6, 1.5)))
            mask = np.asarray(Image.fromarray(mask).resize((width, mask.shape[0])))
        return mask if mask.shape[0] >= 5 else None
