"""Before and after of a folder that airlock cleaned, as one HTML page.

    gallery.py IN REPORT.json CLEAN REASONS.md PAGE.html LIMIT

In: what was given to `airlock deid`, its report with input paths, the clean
copies. Out: a page without links to anywhere; pictures stand in it as data.
It shows ORIGINAL pictures: made with mode 0600, and it says so on top.
"""

import base64
import html
import io
import json
import os
import sys
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut, pixel_array

# Longest side of a picture on the page; larger ones are made smaller.
SIDE_PX_MAX = 1280
# Frames shown of one instance: the first, and those on which a box first appears.
FRAMES_MAX = 12
# PNG up to here, JPEG above: a page of a hundred films would not open.
PNG_BYTES_MAX = 600_000

STYLE = """
:root { color-scheme: dark; }
body { margin: 0; background: #16181c; color: #dfe3e8; font: 14px/1.45 system-ui, sans-serif; }
.warning { position: sticky; top: 0; z-index: 1; background: #b3261e; color: #fff; padding: .6em 1em; font-weight: 700; }
main { padding: 0 1em 3em; }
h1 { font-size: 1.3em; } h2 { font-size: 1.05em; margin: 2em 0 .3em; overflow-wrap: anywhere; }
table { border-collapse: collapse; } td, th { text-align: left; padding: .15em 1em .15em 0; vertical-align: top; }
td.number { text-align: right; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: .6em; margin: .5em 0 1em; }
figure { margin: 0; } figcaption { color: #9aa4b0; }
svg { width: 100%; height: auto; max-height: 85vh; background: #000; display: block; }
.hidden { stroke: #ff5449; } .kept { stroke: #58c77a; } .device { stroke: #ffb340; } .trusted { stroke: #5aa9ff; }
text.hidden { fill: #ff8a80; stroke: none; } text.kept { fill: #8fe0a8; stroke: none; }
text.device { fill: #ffd08a; stroke: none; } text.trusted { fill: #9cccff; stroke: none; }
svg text { paint-order: stroke; stroke: #000 !important; stroke-width: .25em; }
rect { fill: none; pointer-events: all; vector-effect: non-scaling-stroke; stroke-width: 1.5px; }
.key span { display: inline-block; margin-right: 1.2em; } .key i { display: inline-block; width: 1em; height: .7em; margin-right: .4em; border: 2px solid; }
.held { border-left: 4px solid #ffb340; padding-left: .8em; }
.note { color: #9aa4b0; }
"""

WARNING = (
    "ORIGINAL PICTURES WITH IDENTITY. This page shows pictures before cleaning. "
    "Do not send, upload or print it; delete it when you have looked."
)


def main():
    given, report_path, clean, reasons_path, page_path, limit = sys.argv[1:]
    report = json.loads(Path(report_path).read_text())
    reasons = words(Path(reasons_path))
    rows = sorted(report["instances"], key=lambda row: row["input"])
    body = [summary(report, rows)]
    pictures = 0
    for row in rows:
        if pictures >= int(limit):
            left = sum(1 for other in rows if other["input"] > row["input"]) + 1
            body.append(f"<p>{left} more instances are not shown (--limit {escape(limit)}).</p>")
            break
        section, shown = instance(row, Path(given), Path(clean), reasons)
        pictures += shown
        body.append(section)
    write(Path(page_path), page("\n".join(body)))
    print(f"{page_path}: {len(rows)} instances, {pictures} pictures")


def write(path, text):
    """A new file that its owner alone can read, from its first byte on."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def page(body):
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta http-equiv='Content-Security-Policy' "
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
        "<meta name='robots' content='noindex'>"
        f"<title>ORIGINAL PICTURES, do not send</title><style>{STYLE}</style></head>"
        f"<body><div class='warning'>{WARNING}</div><main>{body}</main></body></html>\n"
    )


def escape(text):
    return html.escape(str(text), quote=True)


def words(path):
    """What happened and what to do, by code, as docs/REASONS.md has it."""
    found = {}
    for line in path.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split(" | ")]
        if line.startswith("| `") and len(cells) >= 3:
            found.setdefault(cells[0].strip("`"), (cells[1], cells[2].rstrip(" |")))
    return found


def boxes_of(row):
    return row.get("report", {}).get("pixels", {}).get("boxes", [])


def summary(report, rows):
    counts = Counter()
    for row in rows:
        counts.update((box["reason"], box["hidden"]) for box in boxes_of(row))
    reasons = sorted({reason for reason, _ in counts})
    lines = [
        f"<tr><td>{escape(reason)}</td><td class='number'>{counts[reason, True] or ''}</td>"
        f"<td class='number'>{counts[reason, False] or ''}</td></tr>"
        for reason in reasons
    ]
    return (
        f"<h1>Before and after</h1><p>{report['cleaned']} cleaned, {report['quarantined']} "
        f"in quarantine, {sum(report.get('left', {}).values())} files left where they are.</p>"
        "<table><tr><th>reason</th><th>hidden</th><th>kept</th></tr>"
        f"{''.join(lines)}</table><p class='key'>"
        "<span><i class='hidden' style='border-color:#ff5449'></i>hidden</span>"
        "<span><i style='border-color:#ffb340'></i>hidden by a device rule</span>"
        "<span><i style='border-color:#58c77a'></i>kept</span>"
        "<span><i style='border-color:#5aa9ff'></i>kept, trusted by a device rule</span></p>"
    )


def name_of(row, given):
    return row["input"].removeprefix(str(given)).lstrip("/") or given.name


def instance(row, given, clean, reasons):
    """One section, and the number of pictures in it."""
    title = f"<h2>{escape(name_of(row, given))}</h2>"
    if row["outcome"] != "cleaned" or not row.get("output"):
        code = row.get("reason", row["outcome"])
        what, step = reasons.get(code, ("", ""))
        text = (
            f"<div class='held'><b>{escape(code)}</b>: {escape(what)}"
            f"<br>{escape(row.get('detail', ''))}<br>What to do: {escape(step)}</div>"
        )
        pictures, shown = before_only(row)
        return title + text + pictures, shown
    pixels = row["report"]["pixels"]
    counts = Counter(("hidden" if box["hidden"] else "kept", box["reason"]) for box in boxes_of(row))
    told = "; ".join(f"{kind} {count} {reason}" for (kind, reason), count in sorted(counts.items()))
    facts = [
        f"{pixels['frames']} frame{'s' if pixels['frames'] != 1 else ''}",
        "searched" if pixels["screened"] else "not searched",
        "samples unchanged" if pixels["unchanged"] else "painted",
        told or "no text found",
    ]
    if pixels.get("devices"):
        facts.append("device rules: " + ", ".join(pixels["devices"]))
    head = title + f"<p class='note'>{escape('; '.join(facts))}</p>"
    if pixels["frames"] == 0:
        return head + "<p class='note'>no picture</p>", 0
    pictures, shown = pairs(row, clean / row["output"], pixels)
    return head + pictures, shown


def frames_of(pixels):
    """The first frame, and each on which a box first appears."""
    first = {0} | {box["first_frame"] for box in pixels["boxes"]}
    return sorted(first)


def pairs(row, after_path, pixels):
    frames = frames_of(pixels)
    parts = []
    try:
        before, after = opened(row["input"]), pydicom.dcmread(after_path)
    except Exception as error:  # whatever a damaged file does to a reader
        return f"<p class='note'>cannot be shown: {escape(type(error).__name__)}</p>", 0
    shown = 0
    for frame in frames[:FRAMES_MAX]:
        here = [
            box
            for box in pixels["boxes"]
            if box["first_frame"] <= frame < box["first_frame"] + box["frames"]
        ]
        try:
            original, scale = rendered(before, frame)
            cleaned, _ = rendered(after, frame, scale)
        except Exception as error:
            parts.append(
                f"<p class='note'>frame {frame + 1} cannot be shown: "
                f"{escape(type(error).__name__)}</p>"
            )
            continue
        shown += 2
        parts.append(
            "<div class='pair'>"
            + figure(original, here, f"before, frame {frame + 1}")
            + figure(cleaned, [], f"after, frame {frame + 1}")
            + "</div>"
        )
    if len(frames) > FRAMES_MAX:
        parts.append(f"<p class='note'>{len(frames) - FRAMES_MAX} more frames with new boxes</p>")
    return "".join(parts), shown


def before_only(row):
    try:
        picture, _ = rendered(opened(row["input"]), 0)
    except Exception:  # no picture, or one that cannot be decoded
        return "<p class='note'>no picture to show</p>", 0
    return f"<div class='pair'>{figure(picture, [], 'before, frame 1')}</div>", 1


def opened(name):
    """A file, or a member of a ZIP archive behind `!`."""
    if Path(name).is_file():
        return pydicom.dcmread(name, force=True)
    archive, member = name.split("!", 1)
    with zipfile.ZipFile(archive) as outer:
        return pydicom.dcmread(io.BytesIO(outer.read(member)), force=True)


def rendered(data_set, frame, scale=None):
    """8 bits grey or RGB; `scale` is that of the picture to compare with."""
    frames = int(data_set.get("NumberOfFrames") or 1)
    # A cine of one frame's length is decoded as a whole.
    array = pixel_array(data_set, index=frame) if frames > 1 else pixel_array(data_set)
    photometric = data_set.PhotometricInterpretation
    if photometric == "PALETTE COLOR":
        array = apply_color_lut(array, data_set)
        deep = array.dtype == np.uint16
        return (array >> 8 if deep else array).astype(np.uint8), None
    if array.ndim == 3:
        shift = max(0, int(data_set.BitsStored) - 8)
        return (array >> shift).astype(np.uint8), None
    values = apply_voi_lut(apply_modality_lut(array, data_set), data_set).astype(float)
    if scale is None:
        scale = (float(values.min()), float(values.max()))
    low, high = scale
    grey = np.clip((values - low) / max(high - low, 1e-9), 0, 1)
    if photometric == "MONOCHROME1":
        grey = 1 - grey
    return (grey * 255).astype(np.uint8), scale


def figure(pixels, boxes, caption):
    height, width = pixels.shape[:2]
    picture = Image.fromarray(pixels)
    picture.thumbnail((SIDE_PX_MAX, SIDE_PX_MAX))
    drawn = "".join(box_shape(box, width, height) for box in boxes)
    return (
        f"<figure><svg viewBox='0 0 {width} {height}' role='img' aria-label='{escape(caption)}'>"
        f"<image href='{data_uri(picture)}' width='{width}' height='{height}'/>{drawn}</svg>"
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def box_shape(box, width, height):
    x, y, w, h = box["rect_px"]
    reason, size = box["reason"], max(width / 85, 5)
    kind = {"device-rule": "device", "device-trusted": "trusted"}.get(
        reason, "hidden" if box["hidden"] else "kept"
    )
    length = len(reason) * size * 0.55
    if box["hidden"]:
        # Above the box, or below it at the upper edge.
        label_x, label_y = x, y - size * 0.25 if y > size * 1.3 else y + h + size
    else:
        # Beside it: what is kept stands line below line.
        label_x = x + w + 2 if x + w + length < width else x - length - 2
        label_y = y + h / 2 + size * 0.35
    label_x, label_y = max(0, min(label_x, width - length)), min(label_y, height - 2)
    return (
        f"<rect class='{kind}' x='{x}' y='{y}' width='{w}' height='{h}'>"
        f"<title>{escape(reason)}</title></rect>"
        f"<text class='{kind}' x='{label_x:.1f}' y='{label_y:.1f}' "
        f"font-size='{size:.1f}'>{escape(reason)}</text>"
    )


def data_uri(picture):
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    kind = "png"
    if buffer.tell() > PNG_BYTES_MAX:
        buffer, kind = io.BytesIO(), "jpeg"
        picture.save(buffer, "JPEG", quality=88)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"


if __name__ == "__main__":
    main()
