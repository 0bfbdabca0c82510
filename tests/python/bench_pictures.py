"""Time for pictures: a still with burned-in text beside RapidOCR and tesseract, a
cine beside a still, CT slices looked at and not; and that one worker and two give
the same bytes.

    bench_pictures.py AIRLOCK MODELS [--quick] [--raw FILE]
    bench_pictures.py --rapidocr PARAMETERS FOLDER      times RapidOCR on the PNGs of a folder

AIRLOCK is the program, MODELS the folder of its models. Prints tables in Markdown.
CPU is user + system time of all processes, as in bench_header.py. Time for a
picture is that of `airlock deid` on a folder, less that on a folder with one
picture for each worker, by the pictures more: starting processes and loading models
falls out on both sides (RapidOCR reads one picture before it is measured; of
tesseract, which reads one picture a process, it counts). Programs take turns.
"""

import argparse
import ctypes
import hashlib
import json
import os
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bench_drawn
from bench_header import PR_SET_CHILD_SUBREAPER, children, measured
from pydicom.uid import CTImageStorage

WORKERS = 2
# RapidOCR's own side is 736; airlock's shorter one is 960 for these pictures.
AS_AIRLOCK_PX = 960


class Bench:
    """Runs airlock in a folder of its own; each output stays until the end."""

    def __init__(self, airlock, home):
        self.airlock, self.home, self.runs = airlock, home, 0
        self.key = home / "master"
        self.key.write_bytes(secrets.token_bytes(32))
        self.key.chmod(0o600)
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("AIRLOCK")}

    def folder(self, name, count, write):
        """A new folder with `count` files; write(path, number) draws one."""
        folder = self.home / name
        folder.mkdir()
        for number in range(count):
            write(folder / f"{number:04}.dcm", number)
        return folder

    def deid(self, folder, workers, header_only=False, data=None, screened=False):
        """CPU and wall seconds of cleaning a folder, the rows of its report, its output."""
        self.runs += 1
        config, report = self.home / f"{self.runs}.toml", self.home / f"{self.runs}.json"
        classes = {
            key: f'["{CTImageStorage}"]' if holds else "[]"
            for key, holds in [("header_only", header_only), ("screened", screened)]
        }
        config.write_text(
            f'[worker]\ncount = {workers}\n[keys]\nmaster_file = "{self.key}"\n'
            f"[project.default]\nheader_only = {classes['header_only']}\nscreened = {classes['screened']}\n"
        )
        out = self.home / f"out-{self.runs}"
        user, system, wall = measured(
            [
                str(self.airlock), "deid", str(folder), str(out), "--config", str(config),
                "--data", str(self.home / (data or "data")), "--report", str(report),
            ],
            self.environment,
        )  # fmt: skip
        rows = [row["report"] for row in json.loads(report.read_text())["instances"]]
        return (user + system) / 1000, wall / 1000, rows, out


def per_picture(bench, few, many, more, workers, **how):
    """CPU and wall seconds of each of `more` pictures that one folder has beyond the other."""
    less, all_ = bench.deid(few, workers, **how), bench.deid(many, workers, **how)
    return [(one - other) / more for one, other in zip(all_[:2], less[:2])], all_[2]


def hidden(row):
    return sum(box["hidden"] for box in row["pixels"]["boxes"])


def expect(holds, complaint):
    if not holds:
        sys.exit(f"bench-pictures: {complaint}")


def medians(figures):
    return [statistics.median(column) for column in zip(*figures)]


class Others:
    """Cores that other programs kept busy since this was made."""

    def __init__(self):
        self.before = self.now()

    @staticmethod
    def now():
        ticks = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        # Without idle and waiting for the disk (proc(5)); this process beside its children.
        busy = (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")
        return busy - sum(children()) - time.process_time(), time.perf_counter()

    def cores(self):
        used, elapsed = (one - other for one, other in zip(self.now(), self.before))
        return f"Others kept {max(used, 0) / elapsed:.1f} of {os.cpu_count()} cores busy."


def rapidocr(parameters, folder):
    """Runs in a process of its own: CPU and wall seconds a picture, and lines found."""
    import cv2
    import numpy as np
    from PIL import Image
    from rapidocr import RapidOCR

    cv2.setNumThreads(parameters["EngineConfig.onnxruntime.intra_op_num_threads"])
    engine = RapidOCR(params=parameters)
    pictures = [np.asarray(Image.open(path))[..., ::-1].copy() for path in sorted(folder.glob("*.png"))]
    engine(pictures[0])
    cpu, wall, lines = time.process_time(), time.perf_counter(), 0
    for picture in pictures:
        lines += len(engine(picture).txts or ())
    spent = [time.process_time() - cpu, time.perf_counter() - wall]
    print(json.dumps([*(value / len(pictures) for value in spent), lines / len(pictures)]))


def peer_rapidocr(models, folder, threads, side=None, turned=False):
    """RapidOCR with airlock's two model files; `turned` adds its own third one, for
    lines upside down."""
    parameters = {
        "Global.use_cls": turned,
        "Global.log_level": "error",
        "Det.model_path": str(models / "ocr" / "det.onnx"),
        "Rec.model_path": str(models / "ocr" / "rec.onnx"),
        "EngineConfig.onnxruntime.intra_op_num_threads": threads,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }
    if side:
        parameters["Det.limit_side_len"] = side
    command = [sys.executable, __file__, "--rapidocr", json.dumps(parameters), str(folder)]
    # As airlock's workers: ONNX Runtime is not to report to its maker.
    environment = os.environ | {"ORT_DISABLE_TELEMETRY": "1", "OMP_NUM_THREADS": str(threads)}
    output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout
    cpu, wall, lines = json.loads(output)
    expect(lines > bench_drawn.LINES / 2, f"RapidOCR found {lines} of {bench_drawn.LINES} lines")
    return [cpu, wall]


def peer_tesseract(folder):
    """One process a picture, sparse text, one thread."""
    pictures = sorted(folder.glob("*.png"))
    environment = os.environ | {"OMP_THREAD_LIMIT": "1"}
    used, begun = sum(children()), time.perf_counter()
    for picture in pictures:
        command = ["tesseract", str(picture), "stdout", "--psm", "11"]
        subprocess.run(command, env=environment, check=True, capture_output=True)
    return [(value / len(pictures)) for value in (sum(children()) - used, time.perf_counter() - begun)]


def stills(bench, models, quick):
    """The table of 800 × 600 stills."""
    count, rounds = (4, 1) if quick else (12, 3)
    shown = bench.home / "png"
    shown.mkdir()

    def named(path, number):
        pixels = bench_drawn.write_still(path, number)
        if path.parent.name == "named" and number >= WORKERS:
            (shown / f"{number:04}.png").write_bytes(bench_drawn.png(pixels))

    def clinical(path, number):
        bench_drawn.write_still(path, number, identity=False)

    def plain(path, number):
        bench_drawn.write_still(path, number, sop_class=CTImageStorage)

    kinds = {"named": named, "clinical": clinical, "plain": plain}
    folders = {}
    for kind, write in kinds.items():
        folders[kind] = bench.folder(kind, count + WORKERS, write)
        for few in range(1, WORKERS + 1):
            folders[kind, few] = bench.folder(f"{kind}-{few}", few, write)

    def ours(kind, workers):
        more = count + WORKERS - workers
        figure, rows = per_picture(
            bench, folders[kind, workers], folders[kind], more, workers, header_only=kind == "plain"
        )
        for row in rows:
            found, searched = hidden(row), row["pixels"]["screened"]
            least, most = {"named": (bench_drawn.IDENTIFYING, 99), "clinical": (0, 0), "plain": (0, 0)}[kind]
            expect(searched == (kind != "plain"), f"{kind} still: searched {searched}")
            expect(least <= found <= most, f"{kind} still: {found} places hidden")
        return figure

    programs = {
        ("airlock: identity hidden, looked at again", 1): lambda: ours("named", 1),
        ("airlock: nothing to hide, one look", 1): lambda: ours("clinical", 1),
        ("airlock: the same bytes not searched", 1): lambda: ours("plain", 1),
        ("RapidOCR", 1): lambda: peer_rapidocr(models, shown, 1),
        ("RapidOCR, picture enlarged as airlock does", 1): lambda: peer_rapidocr(models, shown, 1, AS_AIRLOCK_PX),
        ("RapidOCR, with its third model", 1): lambda: peer_rapidocr(models, shown, 1, None, True),
        ("tesseract", 1): lambda: peer_tesseract(shown),
        ("airlock: identity hidden, looked at again", 2): lambda: ours("named", 2),
        ("airlock: nothing to hide, one look", 2): lambda: ours("clinical", 2),
        ("RapidOCR", 2): lambda: peer_rapidocr(models, shown, 2),
    }
    figures = {name: [] for name in programs}
    print(f"\n### Still of 800 × 600, {bench_drawn.LINES} lines ({count} pictures, {rounds} rounds)\n")
    for _ in range(rounds):
        for name, program in programs.items():
            figures[name].append(program())
    figures = {name: medians(rows) for name, rows in figures.items()}
    print("| program | threads | CPU s a picture | wall s | RapidOCR's CPU by it | RapidOCR's wall by it |")
    print("|---|---|---|---|---|---|")
    for (name, threads), (cpu, wall) in sorted(figures.items(), key=lambda row: (row[0][1], row[0][0])):
        cpu_other, wall_other = figures["RapidOCR", threads]
        ratios = f"{times(cpu_other, cpu)} | {times(wall_other, wall)}"
        print(f"| {name} | {threads} | {max(cpu, 0):.3f} | {max(wall, 0):.3f} | {ratios} |")
    return {f"{name}, {threads}": row for (name, threads), row in figures.items()}


def times(one, other):
    """A ratio, unless it means nothing."""
    ratio = one / max(other, 1e-6)
    return f"{ratio:.2f} ×" if ratio < 20 else "–"


def cines(bench, quick):
    """The table of 640 × 480 cines: kinds of speckle, beside a still."""
    frames = 100
    counts = {"frozen": frames, "grain": 20 if quick else frames, "moving": 20 if quick else frames}
    still, more = bench_drawn.cine_frames(1, "frozen"), 4
    one = bench.folder("us-1", 1, lambda path, number: bench_drawn.write_cine(path, number, still))
    several = bench.folder("us-5", 1 + more, lambda path, number: bench_drawn.write_cine(path, number, still))
    base = [per_picture(bench, one, several, more, 1)[0] for _ in range(1 if quick else 3)]
    still_cpu, still_wall = medians(base)
    print("\n### Cine of 640 × 480, JPEG baseline, one worker\n")
    print("| what | frames | CPU s | wall s | decode and encode, CPU s | stills: (CPU − decode and encode) by a still's |")
    print("|---|---|---|---|---|---|")
    print(f"| one still | 1 | {still_cpu:.2f} | {still_wall:.2f} | | |")
    figures = {"still": [still_cpu, still_wall]}
    for kind, count in counts.items():
        coded = bench_drawn.cine_frames(count, kind)

        def write(path, number, coded=coded):
            bench_drawn.write_cine(path, number, still if number == 0 else coded)

        folder = bench.folder(kind, 2, write)
        (cpu, wall), rows = per_picture(bench, one, folder, 1, 1)
        found = max(hidden(row) for row in rows)
        expect(found >= bench_drawn.IDENTIFYING, f"{kind} cine: {found} places hidden")
        codec = coding_seconds(coded)
        figures[kind] = [cpu, wall, codec]
        stills_of_it = (cpu - codec) / still_cpu
        print(f"| cine, speckle {kind} | {count} | {cpu:.2f} | {wall:.2f} | {codec:.2f} | {stills_of_it:.1f} × |")
    return figures


def coding_seconds(coded):
    """CPU seconds of decoding and encoding each frame once, by libjpeg-turbo."""
    begun = time.process_time()
    for stream in coded:
        bench_drawn.encoded(bench_drawn.decoded(stream))
    return time.process_time() - begun


def slices(bench, quick):
    """The table of CT slices end to end, models loaded and processes started in it."""
    looked, heads, rounds = (40, 20, 1) if quick else (500, 100, 3)
    chest = bench.folder("chest", looked, bench_drawn.write_ct)
    head = bench.folder("head", heads, lambda path, number: bench_drawn.write_ct(path, number, bench_drawn.head_ct))
    all_ = chest if looked == 500 else bench.folder("chest-500", 500, bench_drawn.write_ct)
    print("\n### CT slices of 512 × 512, 16 bits, two workers\n")
    print("| what | slices | slices/s | CPU ms a slice | slices with something hidden |")
    print("|---|---|---|---|---|")
    figures = {}
    for name, folder, how, again in [
        ("drawn chest, looked at", chest, {}, 1),
        ("real head with noise, looked at", head, {}, 1),
        ("drawn chest, CT `screened`", all_, {"screened": True}, rounds),
        ("real head with noise, CT `screened`", head, {"screened": True}, rounds),
        ("drawn chest, header-only project", all_, {"header_only": True}, rounds),
    ]:
        runs = [bench.deid(folder, WORKERS, **how) for _ in range(again)]
        rows = runs[0][2]
        expect(
            all(row["pixels"]["screened"] == ("header_only" not in how) for row in rows),
            f"{name}: looked at or not by mistake",
        )
        cpu, wall = medians(run[:2] for run in runs)
        figures[name] = [cpu, wall, len(rows)]
        painted = sum(hidden(row) > 0 for row in rows)
        print(f"| {name} | {len(rows)} | {len(rows) / wall:.1f} | {cpu / len(rows) * 1000:.1f} | {painted} |")
    return figures


def same_bytes(bench):
    """A small set with one worker and with two, tables of pseudonyms new each time:
    paths, bytes and boxes are the same."""
    coded = bench_drawn.cine_frames(6, "grain")

    def write(path, number):
        match number % 5:
            case 0:
                bench_drawn.write_still(path, number)
            case 1:
                bench_drawn.write_still(path, number, identity=False)
            case 2:
                bench_drawn.write_ct(path, number)
            case 3:
                bench_drawn.write_ct(path, number, bench_drawn.head_ct)
            case _:
                bench_drawn.write_cine(path, number, coded)

    folder, results = bench.folder("same", 20, write), []
    for workers in (1, WORKERS):
        *_, rows, out = bench.deid(folder, workers, data=f"data-same-{workers}")
        files = {path.relative_to(out): path for path in out.rglob("*") if path.is_file()}
        digests = {str(place): hashlib.sha256(path.read_bytes()).hexdigest() for place, path in files.items()}
        results.append((digests, rows))
    (one, one_rows), (two, two_rows) = results
    differing = sorted(place for place in one.keys() | two.keys() if one.get(place) != two.get(place))
    expect(not differing, f"with one worker and with two the bytes differ: {', '.join(differing)}")
    expect(one_rows == two_rows, "with one worker and with two the reports differ, though the bytes do not")
    whole = hashlib.sha256("".join(f"{place} {one[place]}\n" for place in sorted(one)).encode()).hexdigest()
    print(f"\nSame bytes with one worker and with two: {len(one)} files, boxes too; digest of all {whole[:16]}")
    return {"files": len(one)}


def machine():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unnamed")
    return f"{os.cpu_count()} cores ({model})"


def main():
    if sys.argv[1:2] == ["--rapidocr"]:
        rapidocr(json.loads(sys.argv[2]), Path(sys.argv[3]))
        return
    arguments = argparse.ArgumentParser()
    arguments.add_argument("airlock", type=Path)
    arguments.add_argument("models", type=Path)
    arguments.add_argument("--quick", action="store_true", help="fewer pictures and one round")
    arguments.add_argument("--raw", type=Path, help="all figures, as JSON")
    given = arguments.parse_args()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        sys.exit("prctl failed: processes would be missed")
    # Lines one by one, also into a file.
    sys.stdout.reconfigure(line_buffering=True)
    home = Path(tempfile.mkdtemp(prefix="airlock-pictures."))
    print(f"{time.strftime('%Y-%m-%d')}, {machine()}{', quick' if given.quick else ''}")
    try:
        bench = Bench(given.airlock.absolute(), home)
        tables = {
            "same": lambda: same_bytes(bench),
            "stills": lambda: stills(bench, given.models.absolute(), given.quick),
            "slices": lambda: slices(bench, given.quick),
            "cines": lambda: cines(bench, given.quick),
        }
        figures = {}
        for name, table in tables.items():
            others = Others()
            figures[name] = table()
            print(f"\n{others.cores()}")
    finally:
        shutil.rmtree(home, ignore_errors=True)
    if given.raw:
        given.raw.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
