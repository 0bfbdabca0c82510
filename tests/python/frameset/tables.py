"""The score as Markdown, and the failures as one picture."""
import collections

import numpy as np
from PIL import Image, ImageDraw, ImageFont

BAD = {"part", "missed", "lost", "lost in part"}
SHEET = dict(columns=4, width=360, height=96)


def write(key, results, others, quarantined):
    hide = [r for r in results if r["act"] == "hide" and r["verdict"] != "illegible"]
    keep = [r for r in results if r["act"] == "keep"]
    either = [r for r in results if r["act"] == "either"]
    frames = sum(r["frames"] for r in key["instances"])
    print(f"Seed {key['seed']}: {len(key['instances'])} instances, {frames} frames; came out {len(others)}, in quarantine {len(quarantined)}.\n")
    for (layout, reason), n in collections.Counter((r["layout"], str(f.get("reason", f.get("detail", f["outcome"])))) for r, f in quarantined).items():
        print(f"- quarantined: {n} × {layout}, {reason}")
    changed = np.array([c for _, c in others])
    print(f"\n| | share | of |\n|---|---|---|\n| must go, hidden | {share(hide, 'hidden')} | {len(hide)} |\n| … not at all | {share(hide, 'missed')} | |\n| … in part | {share(hide, 'part')} | |")
    print(f"| must stay, kept | {share(keep, 'kept')} | {len(keep)} |\n| … gone | {share(keep, 'lost')} | |\n| … in part | {share(keep, 'lost in part')} | |\n| either: left as it was | {share(either, 'left')} | {len(either)} |")
    if len(changed):
        print(f"| other pixels changed, mean | {100 * changed.mean():.3f} % | {len(changed)} instances |\n| … 95th percentile | {100 * np.percentile(changed, 95):.3f} % | |\n| … instances over 0.1 % | {100 * (changed > 0.001).mean():.1f} % | |")
    elsewhere(others)
    for title, of in AXES:
        table(title, of, hide, keep)
    sources(hide)
    why("missed or in part", hide)
    why("lost or in part", keep)


def share(results, verdict):
    return f"{100 * np.mean([r['verdict'] == verdict for r in results]):.2f} %" if results else "–"


def size(r):
    return next(name for top, name in ((9, "8–9 px"), (11, "10–11 px"), (14, "12–14 px"), (18, "15–18 px"), (24, "19–24 px"), (99, "25–40 px")) if r["px"] <= top)


def turn(r):
    a = (r["rot"] + 180) % 360 - 180
    return {0: "level", 90: "90°", -90: "270°", -180: "180°", 180: "180°"}.get(a) or ("tilted under 6°" if abs(a) < 6 else "tilted 6° to 24°")


def face(r):
    name = r["font"]
    for part, style in (("X11", "bitmap"), ("Terminus", "bitmap"), ("Hershey", "strokes"), ("Mono", "monospaced"), ("Hack", "monospaced"), ("Cond", "condensed"), ("Narrow", "condensed"), ("WenQuan", "CJK")):
        if part in name:
            return style
    return "serif" if "Serif" in name else "sans"


AXES = [("class", lambda r: r["kind"]), ("contrast", lambda r: r["contrast"]), ("size", size), ("rotation", turn), ("typeface", face), ("layout", lambda r: r["layout"]), ("place", lambda r: r["where"]),
        ("stored as", lambda r: r["stored"]), ("JPEG ringing", lambda r: "yes" if r["ringing"] else "no"), ("frames", lambda r: "cine" if r["frames"] > 1 else "still"), ("locale", lambda r: r["lang"]),
        ("line", lambda r: "mixed or labelled" if r["mixed"] else "alone")]


def table(title, of, hide, keep):
    mark_mixed(hide + keep)
    groups = collections.defaultdict(lambda: ([], []))
    for k, results in enumerate((hide, keep)):
        for r in results:
            groups[of(r)][k].append(r)
    print(f"\n| {title} | must go | hidden | missed | in part | must stay | kept |\n|---|---|---|---|---|---|---|")
    for name in sorted(groups):
        h, k = groups[name]
        print(f"| {name} | {len(h) or ''} | {share(h, 'hidden')} | {count(h, 'missed')} | {count(h, 'part')} | {len(k) or ''} | {share(k, 'kept')} |")


def count(results, verdict):
    return sum(r["verdict"] == verdict for r in results) or ""


def mark_mixed(results):
    if results and "mixed" in results[0]:
        return
    lines = collections.Counter((r["file"], r["line"]) for r in results)
    for r in results:
        r["mixed"] = lines[(r["file"], r["line"])] > 1


def elsewhere(others):
    """Where pixels without text changed: paint over what is no text, or wider than the line."""
    print("\n| layout | instances | other pixels changed, mean | most |\n|---|---|---|---|")
    for layout in sorted({r["layout"] for r, _ in others}):
        changed = np.array([c for r, c in others if r["layout"] == layout])
        print(f"| {layout} | {len(changed)} | {100 * changed.mean():.2f} % | {100 * changed.max():.2f} % |")


def sources(hide):
    print("\n| text is | must go | hidden |\n|---|---|---|")
    for name in sorted({r["source"] for r in hide}):
        h = [r for r in hide if r["source"] == name]
        print(f"| {name} | {len(h)} | {share(h, 'hidden')} |")


def why(title, results):
    """What the report says of the boxes over the failures, and the words that fail most."""
    bad = [r for r in results if r["verdict"] in BAD]
    print(f"\n| {title} | report | segments |\n|---|---|---|")
    for (kind, reason), n in collections.Counter((r["kind"], ", ".join(r["reasons"]) or "no box there") for r in bad).most_common(40):
        print(f"| {kind} | {reason} | {n} |")
    every = collections.Counter(r["text"] for r in results)
    print(f"\n{title}, most often: " + ", ".join(f"`{t}` {n} of {every[t]}" for t, n in collections.Counter(r["text"] for r in bad).most_common(40)))


def sheet(crops, path, most=480):
    """Before (above) and after (below) of each failure, what must go first."""
    crops = sorted(crops, key=lambda c: (c[0]["act"] != "hide", c[0]["kind"], c[0]["file"]))[:most]
    columns, width, height = SHEET["columns"], SHEET["width"], SHEET["height"]
    rows = -(-max(1, len(crops)) // columns)
    page = Image.new("RGB", (columns * width, rows * (2 * height + 16)), (70, 0, 70))
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(10)
    for n, (result, before, after) in enumerate(crops):
        x, y = n % columns * width, n // columns * (2 * height + 16)
        draw.text((x + 2, y + 2), f"{result['file'][:4]} f{result['frame']} {result['kind']} {result['verdict']} {result['px']}px {result['contrast']} {result['rot']:.0f}°"[: width // 6], (255, 255, 255), font)
        for k, picture in enumerate((before, after)):
            image = Image.fromarray(picture)
            if image.width < width // 2:
                image = image.resize((image.width * 2, image.height * 2), Image.Resampling.NEAREST)
            image.thumbnail((width - 6, height - 4))
            page.paste(image, (x + 2, y + 16 + k * height))
    page.save(path, optimize=True)
