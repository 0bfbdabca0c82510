"""python -m frameset.score SET OUT --report R.json [--sheet PNG] [--json JSON]

What a cleaner did to a set. A glyph pixel counts as hidden when it lies in a flat
patch as large as half a letter, or nothing of the contrast around it is left; a
segment is hidden when 99 % of its glyph pixels are, on every frame that shows it,
and kept when 95 % of them and of their rim are as before (up to coding error).
"""
import argparse
import collections
import json
import pathlib
import warnings

import numpy as np
import pydicom
from pydicom.pixels import apply_color_lut, pixel_array
from scipy import ndimage

from . import tables

HIDDEN, KEPT = 0.99, 0.95
MARGIN = 4                             # px of surroundings that are looked at
LOW = 55                               # of 255: less between ink and what is around is low contrast, whatever was meant
FAINT = 5                              # of 255: under this a glyph could not be read before either


def main():
    parser = argparse.ArgumentParser(prog="frameset.score")
    parser.add_argument("set", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--report", type=pathlib.Path, required=True)
    parser.add_argument("--sheet", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path)
    asked = parser.parse_args()
    warnings.filterwarnings("ignore")
    key = json.loads((asked.set / "key" / "key.json").read_text())
    fates = {pathlib.Path(i["input"]).name: i for i in json.loads(asked.report.read_text())["instances"]}
    results, others, quarantined, crops = [], [], [], []
    for record in key["instances"]:
        fate = fates.get(record["file"], {"outcome": "lost"})
        if fate["outcome"] != "cleaned":
            quarantined.append((record, fate))
            continue
        scored, changed, pictures = instance(record, asked, fate)
        results += scored
        others.append((record, changed))
        crops += pictures
    tables.write(key, results, others, quarantined)
    if asked.json:
        asked.json.write_text(json.dumps([r for r in results if r["verdict"] in tables.BAD], ensure_ascii=False, indent=1))
    if asked.sheet:
        tables.sheet(crops, asked.sheet)


def instance(record, asked, fate):
    """Each segment with its verdict, the share of other pixels that changed, crops of the failures."""
    before = shown(asked.set / "data" / record["file"])
    after = shown(asked.out / fate["output"])
    glyphs = np.load(asked.set / "key" / "glyphs" / (record["file"][:4] + ".npz"))
    lossy = record["lossy"]
    boxes = fate.get("report", {}).get("pixels", {}).get("boxes", [])
    results, crops = [], []
    other = np.ones(before.shape[:3], bool)
    for number, segment in enumerate(record["segments"]):
        alpha = glyphs[f"s{number}"]
        verdict, share, frame = judged(segment, alpha, before, after, lossy)
        blank(other, segment)
        result = {k: segment[k] for k in ("text", "kind", "act", "source", "px", "font", "look", "contrast", "rot", "lang", "where", "box", "line")}
        result |= dict(file=record["file"], layout=record["layout"], stored=f"{record['kind']} {record['depth']} bit", ringing=bool(record["ringing"] or lossy), frames=record["frames"], frame=frame, verdict=verdict, share=round(share, 3),
                       reasons=reasons(boxes, segment["box"], frame))
        results.append(result)
        if verdict in tables.BAD:
            crops.append((result, crop(before[frame], segment["box"]), crop(after[frame], segment["box"])))
    tolerance = 16 if lossy else 1.2
    differs = np.abs(before - after).max(-1) > tolerance
    return results, float(differs[other].mean()), crops


def shown(path):
    """Frames as displayed, 0 to 255, always three colours."""
    data_set = pydicom.dcmread(path)
    pixels = pixel_array(data_set)
    if int(data_set.get("NumberOfFrames", 1) or 1) == 1:
        pixels = pixels[None]
    if data_set.PhotometricInterpretation == "PALETTE COLOR":
        return (np.stack([apply_color_lut(p, data_set) for p in pixels]) >> 8).astype(np.float32)
    pixels = pixels.astype(np.float32)
    if pixels.ndim == 3:
        pixels *= 255 / ((1 << data_set.BitsStored) - 1)
        if data_set.PhotometricInterpretation == "MONOCHROME1":
            pixels = 255 - pixels
        pixels = np.broadcast_to(pixels[..., None], (*pixels.shape, 3))
    return pixels


def judged(segment, alpha, before, after, lossy):
    """Verdict, the share behind it and the frame where it was worst."""
    worst, at, seen = 2.0, segment["frames"][0], 0
    for frame in range(*segment["frames"]):
        ours, theirs, glyph = area(before[frame], segment["box"], alpha), area(after[frame], segment["box"], alpha), padded(alpha)
        ink, paper = glyph >= 0.5 * glyph.max(), glyph < 0.15 * glyph.max()
        ink = without_dots(ink, segment)
        step = np.abs(ours[ink].mean(0) - ours[ndimage.binary_dilation(ink, iterations=2) & paper].mean(0)).max()
        if frame == segment["frames"][0] and step < LOW:
            segment["contrast"] = "low contrast"
        if segment["act"] == "hide" and step < FAINT:
            continue
        seen += 1
        share = kept(ours, theirs, ink, lossy) if segment["act"] != "hide" else hidden(ours, theirs, ink, segment, lossy)
        if share < worst:
            worst, at = share, frame
    if not seen:
        return "illegible", 1.0, at
    if segment["act"] == "hide":
        return ("hidden" if worst >= HIDDEN else "part" if worst >= 0.5 else "missed"), worst, at
    good, bad = ("kept", "lost") if segment["act"] == "keep" else ("left", "taken")
    return (good if worst >= KEPT else bad if worst < 0.5 else bad + " in part"), worst, at


def without_dots(ink, segment):
    """The dots that show that a name was cut tell nothing."""
    if not segment["text"].endswith(("...", "…")):
        return ink
    parts, _ = ndimage.label(ink, np.ones((3, 3)))
    stem = np.zeros_like(ink)
    for number, (rows, columns) in enumerate(ndimage.find_objects(parts), 1):
        if max(rows.stop - rows.start, columns.stop - columns.start) > 0.3 * segment["px"]:
            stem |= parts == number
    return stem if stem.any() else ink


def padded(alpha):
    return np.pad(alpha.astype(np.float32) / 255, MARGIN)


def area(picture, box, alpha):
    """The box and MARGIN px around it; rows beyond the picture repeat its edge."""
    x0, y0, x1, y1 = box
    rows = np.clip(np.arange(y0 - MARGIN, y0 + alpha.shape[0] + MARGIN), 0, picture.shape[0] - 1)
    columns = np.clip(np.arange(x0 - MARGIN, x0 + alpha.shape[1] + MARGIN), 0, picture.shape[1] - 1)
    return picture[np.ix_(rows, columns)]


def spread(picture, size):
    return (ndimage.maximum_filter(picture, (size, size, 1)) - ndimage.minimum_filter(picture, (size, size, 1))).max(-1)


def hidden(ours, theirs, ink, segment, lossy):
    """Share of the glyph that cannot be read any more."""
    side = max(4, int(segment["px"] * (0.5 if segment["rot"] % 90 == 0 else 0.35)))
    side += 1 - side % 2
    flat = ndimage.binary_dilation(spread(theirs, side) <= (10 if lossy else 3), np.ones((side, side)))
    level = spread(theirs, 5) < np.maximum(3, 0.3 * spread(ours, 5))
    return float((flat | level)[ink].mean())


def kept(ours, theirs, ink, lossy):
    rim = ndimage.binary_dilation(ink)
    return float((np.abs(ours - theirs).max(-1) <= (16 if lossy else 1.2))[rim].mean())


def blank(other, segment):
    """Takes a segment and its surroundings out of the pixels that have no text."""
    x0, y0, x1, y1 = segment["box"]
    pad = max(4, segment["px"] // 2)
    other[segment["frames"][0]:segment["frames"][1], max(0, y0 - pad):y1 + pad, max(0, x0 - pad):x1 + pad] = False


def reasons(boxes, box, frame):
    """What the report says of boxes over a fifth of this one: the reason why hidden, or `kept as` one."""
    found = set()
    area_px = (box[2] - box[0]) * (box[3] - box[1])
    for b in boxes:
        x, y, width, height = b["rect_px"]
        w, h = min(x + width, box[2]) - max(x, box[0]), min(y + height, box[3]) - max(y, box[1])
        if w > 0 and h > 0 and w * h > 0.2 * area_px and b["first_frame"] <= frame < b["first_frame"] + b["frames"]:
            found.add(b["reason"] if b["hidden"] else f"kept as {b['reason']}")
    return sorted(found)


def crop(picture, box):
    x0, y0, x1, y1 = box
    return picture[max(0, y0 - 12):y1 + 12, max(0, x0 - 12):x1 + 12].clip(0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
