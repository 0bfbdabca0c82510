"""python -m frameset SEED OUT [--count N]: draws the set and prints what is in it."""
import argparse
import collections
import json
import pathlib
import random
import warnings

import numpy as np

from . import layouts, layouts_more, store
from .case import Case

# How many of each layout in a set of 360; slow ones few.
SHARES = [(layouts.us_top, 40), (layouts.us_left, 36), (layouts.us_right, 32), (layouts.us_bar, 32), (layouts.us_sheet, 16), (layouts.moving, 22), (layouts.xa, 28), (layouts.fluoroscopy, 12),
          (layouts.film, 26), (layouts.large_film, 6), (layouts.breast, 18), (layouts_more.endoscopy, 20), (layouts_more.eye, 16), (layouts_more.slice_capture, 20), (layouts_more.report, 18),
          (layouts_more.photograph, 8), (layouts_more.specimen, 8), (layouts_more.turned, 12)]


def main():
    parser = argparse.ArgumentParser(prog="frameset")
    parser.add_argument("seed", type=int)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=sum(n for _, n in SHARES))
    asked = parser.parse_args()
    warnings.filterwarnings("ignore")
    (asked.out / "data").mkdir(parents=True)
    (asked.out / "key" / "glyphs").mkdir(parents=True)
    order = [layout for layout, n in SHARES for _ in range(n)]
    random.Random(asked.seed).shuffle(order)
    deck, records = [], []
    for number in range(1, asked.count + 1):
        records.append(drawn(number, order[(number - 1) % len(order)], asked, deck))
    key = {"seed": asked.seed, "instances": records}
    (asked.out / "key" / "key.json").write_text(json.dumps(key, ensure_ascii=False, indent=1))
    tell(records)


def drawn(number, layout, asked, deck):
    """One instance, its file and its part of the key."""
    rng = random.Random(f"{asked.seed}/{number}")
    case = Case(number, rng, deck)
    case.layout = layout.__name__
    frames = rng.randint(6, 10) if layout in (layouts.us_top, layouts.us_left, layouts.us_bar) and rng.random() < layouts.CINE else None
    layout(case, *([frames] if frames else []))
    name = f"{number:04}.dcm"
    stored = store.write(case, asked.out / "data" / name)
    glyphs = {f"s{i}": alpha for i, (_, alpha) in enumerate(case.scene.segments)}
    np.savez_compressed(asked.out / "key" / "glyphs" / f"{number:04}.npz", **glyphs)
    size = [case.scene.width, case.scene.height]
    return {"file": name, "layout": case.layout, "locale": case.who.locale, "size": size, **stored, "segments": [facts for facts, _ in case.scene.segments]}


def tell(records):
    """Counts by class and by what makes a line hard."""
    segments = [s for r in records for s in r["segments"]]
    print(f"instances {len(records)}, frames {sum(r['frames'] for r in records)}, segments {len(segments)}: " + ", ".join(f"{k} {n}" for k, n in collections.Counter(s["act"] for s in segments).items()))
    for what in ("kind", "contrast", "source", "font"):
        print(f"{what}: " + ", ".join(f"{k or '-'} {n}" for k, n in collections.Counter(s[what] for s in segments).most_common()))
    print("stored: " + ", ".join(f"{k} {n}" for k, n in collections.Counter(f"{r['kind']}{r['depth']}" for r in records).most_common()))
    print("syntax: " + ", ".join(f"{k} {n}" for k, n in collections.Counter(r["syntax"] for r in records).most_common()))


if __name__ == "__main__":
    main()
