"""Draws tests/data/text-*.png: frames with invented text for src/clean/text.

    pip install pillow==13.0.0
    python tests/python/draw_text_frames.py

Uses the typeface that Pillow carries, so that no font of the machine matters.
The tests hold what is written here; change both together.
"""

import pathlib
import random

from PIL import Image, ImageDraw, ImageFont

DATA = pathlib.Path(__file__).parent.parent / "data"


def write(image, at, text, size, ink=255, paper=None, turn=0):
    """Draws text, turned counter-clockwise by degrees, its top left at a point."""
    font = ImageFont.load_default(size)
    left, top, right, bottom = font.getbbox(text)
    margin = 6 if paper is not None else 2
    label = Image.new("LA", (right - left + 2 * margin, bottom - top + 2 * margin), (paper or 0, 255 if paper else 0))
    ImageDraw.Draw(label).text((margin - left, margin - top), text, (ink, 255), font)
    label = label.rotate(turn, expand=True, resample=Image.Resampling.BICUBIC)
    image.paste(label, at, label)


def frame():
    """800 x 600: one line of each kind that a screen shows."""
    image = Image.new("L", (800, 600), 0)
    noise = random.Random(1)
    draw = ImageDraw.Draw(image)
    for y in range(260, 420, 3):
        for x in range(300, 560, 3):
            draw.rectangle((x, y, x + 2, y + 2), noise.randrange(10, 70))
    write(image, (10, 8), "OSTROWSKI, MAREK", 20)
    write(image, (300, 8), "DOB: 14-MAR-1967", 14)
    write(image, (560, 8), "ID 99812733", 14, ink=130)
    write(image, (10, 60), "Gn 62", 10)
    write(image, (30, 150), "LEFT KIDNEY", 18, turn=90)
    write(image, (740, 150), "RIGHT KIDNEY", 18, turn=270)
    write(image, (150, 520), "ST. MARY HOSPITAL", 18, turn=180)
    write(image, (180, 90), "DUBOIS HELENE", 20, turn=15)
    write(image, (480, 120), "NGUYEN THI LAN", 18, ink=0, paper=230)
    write(image, (350, 330), "LIVER SAG", 18)
    return image


def film():
    """2600 x 2000: text small, large, and across the borders of the tiles, which
    share columns 832 to 928 and 1664 to 1760 and rows 960 to 1056."""
    image = Image.new("L", (2600, 2000), 40)
    write(image, (12, 12), "OSTROWSKI MAREK 1967", 12)
    write(image, (640, 300), "ACROSS THE UPRIGHT BORDER 4711", 28)
    write(image, (1500, 985), "ON THE LEVEL BORDER", 40)
    write(image, (2250, 1960), "ST. MARY HOSPITAL", 16)
    write(image, (60, 950), "PORTABLE", 150)
    return image


if __name__ == "__main__":
    frame().save(DATA / "text-frame.png", optimize=True)
    film().save(DATA / "text-film.png", optimize=True)
