"""How many frames with text the screen would let pass, and how many without it stops.

    screen_figures.py [--windows] SEED PLANTED EMPTY [CARGO BENCH OPTIONS]

Draws frames (screenset.py) in batches, has `cargo bench --bench screen` screen them and
search those that it would let pass, and prints tables in Markdown. A frame is missed
when no cell of any view is marked and the detector finds the planted line in it. With
--windows each frame is searched, whole and in windows around what is marked, and what
the windows miss is counted: the whole finds the line, and no find of a window touches it.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

BATCH = 500
# Least part that a find and a planted line have in common, of both together.
SAME_LINE = 0.25


def screened(folder, options):
    """The rows that the bench says of a folder."""
    environment = os.environ | {"SCREEN_FILES": str(folder), "ORT_DISABLE_TELEMETRY": "1"}
    command = ["cargo", "bench", "--locked", "--quiet", "--bench", "screen", *options]
    output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def is_line(corners, box):
    """A find is the planted line, which the detector takes a little larger."""
    x0, y0, x1, y1 = (place + more for place, more in zip(box, (-3, -3, 3, 3)))
    left, top = (min(corner[axis] for corner in corners) for axis in (0, 1))
    right, bottom = (max(corner[axis] for corner in corners) for axis in (0, 1))
    common = max(0, min(x1, right) - max(x0, left)) * max(0, min(y1, bottom) - max(y0, top))
    both = (x1 - x0) * (y1 - y0) + (right - left) * (bottom - top) - common
    return common >= SAME_LINE * both


def batches(what, seed, count, options):
    script = Path(__file__).with_name("screenset.py")
    for number in range(-(-count // BATCH)):
        with tempfile.TemporaryDirectory() as folder:
            size = min(BATCH, count - number * BATCH)
            subprocess.run([sys.executable, script, what, folder, f"{seed + number}", f"{size}"], check=True)
            told = json.loads((Path(folder) / f"{what}.json").read_text())
            rows = screened(folder, options)
            if len(rows) != size:
                sys.exit(f"screen-figures: {size} frames drawn, {len(rows)} screened")
            yield from ((told[row["file"]], row) for row in rows)


def table(head, rows):
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |")
    print()


def touches(corners, box):
    """A find lies over some of the line."""
    return all(
        min(corner[axis] for corner in corners) < box[axis + 2] and box[axis] < max(corner[axis] for corner in corners)
        for axis in (0, 1)
    )


def windows(seed, count, options):
    classes, missed = defaultdict(Counter), []
    for told, row in batches("planted", seed, count, options):
        box, inside = told["box"], row["in_windows"]
        found = any(is_line(corners, box) for corners in row["found"])
        in_windows = any(row["marked"]) and inside is not None
        miss = in_windows and found and not any(touches(corners, box) for corners in inside)
        for name in (told["contrast"], told["ground"], "all"):
            classes[name].update(frames=1, found=found and in_windows, missed=miss, whole=any(row["marked"]) and inside is None)
        if miss:
            missed.append((row["file"], told["ground"], told["contrast"], told["height"], told["letters"], told["face"]))
    keys = ("frames", "whole", "found", "missed")
    table(["frames with a line", "frames", "searched whole", "in windows, line found by the whole", "missed"],
          [(name, *(count[key] for key in keys)) for name, count in sorted(classes.items())])  # fmt: skip
    if missed:
        table(["missed", "ground", "contrast", "height, px", "letters", "typeface"], missed)


def planted(seed, count, options):
    classes, missed = defaultdict(Counter), []
    for told, row in batches("planted", seed, count, options):
        found = not any(row["marked"]) and any(is_line(corners, told["box"]) for corners in row["found"])
        height = next(f"up to {limit} px" for limit in (8, 14, 22, 36, 999) if told["height"] <= limit).replace("up to 999", "above 36")
        for name in (told["contrast"], height, "all"):
            classes[name].update(frames=1, marked=any(row["marked"]), missed=found)
        if found:
            missed.append((row["file"], told["ground"], told["contrast"], told["height"], told["letters"], told["face"]))
    rows = [(name, *(count[key] for key in ("frames", "marked", "missed"))) for name, count in sorted(classes.items())]
    table(["frames with a line", "frames", "to the detector", "missed"], rows)
    if missed:
        table(["missed", "ground", "contrast", "height, px", "letters", "typeface"], missed)


def empty(seed, count, options):
    grounds, views, screens = defaultdict(Counter), [], []
    for told, row in batches("empty", seed, count, options):
        for name in (told["ground"], "all"):
            grounds[name].update(frames=1, marked=any(row["marked"]))
        views.append(row["view_us"] / len(row["marked"]))
        screens.append(row["screen_us"] / len(row["marked"]))
    rows = [(name, n["frames"], n["marked"], f"{100 * n['marked'] / n['frames']:.1f} %") for name, n in sorted(grounds.items())]
    table(["frames without text", "frames", "to the detector", "share"], rows)
    print(f"Median of a view: made in {statistics.median(views) / 1000:.2f} ms, screened in {statistics.median(screens) / 1000:.2f} ms.")


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--windows"]
    seed, with_text, without = map(int, arguments[:3])
    print(f"seed {seed}\n")
    if len(arguments) < len(sys.argv) - 1:
        os.environ["SCREEN_WINDOWS"] = "1"
        return windows(seed, with_text, arguments[3:])
    planted(seed, with_text, arguments[3:])
    empty(seed + 1_000_000, without, arguments[3:])


if __name__ == "__main__":
    main()
