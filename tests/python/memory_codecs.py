"""Cleans a long cine in every coding and prints the peaks of memory.

    memory_codecs.py AIRLOCK FOLDER [--mb N] [CODING...]

Writes each cine (codec_cine.py) of N MB decoded (default 300) into FOLDER, runs
`AIRLOCK deid` on it, looks at VmHWM (proc(5)) of the front and its workers every
20 ms, and prints a table in Markdown. Fails when a cine does not come out, when
the front takes more than 100 MB or a worker more than 512 MB.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import codec_cine
import pydicom

FRONT_MAX, WORKER_MAX = 100 << 20, 512 << 20
MIB = 1 << 20


def status(process):
    try:
        lines = Path("/proc", process, "status").read_text().splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)
    except OSError:
        return {}


def peak(process):
    return int(status(process).get("VmHWM", "0 kB").split()[0]) * 1024


def roles(front):
    """Worker processes of a front: id and role."""
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and status(process.name).get("PPid", "").strip() == str(front):
            arguments = (process / "cmdline").read_bytes().split(b"\0")
            yield process.name, "verify" if b"verify" in arguments else "clean"


def measured(command):
    """Runs it; gives exit code, seconds and the peaks by role."""
    peaks, known, begun, looked = {"front": 0, "clean": 0, "verify": 0}, {}, time.monotonic(), 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as front:
        while front.poll() is None:
            peaks["front"] = max(peaks["front"], peak(str(front.pid)))
            if time.monotonic() - looked > 0.5:
                known, looked = dict(roles(front.pid)), time.monotonic()
            for process, role in known.items():
                peaks[role] = max(peaks[role], peak(process))
            time.sleep(0.02)
        error = front.stderr.read().decode(errors="replace")
    return front.returncode, time.monotonic() - begun, peaks, error


def clean(airlock, folder, coding, megabytes):
    cine, out = folder / "in" / f"{coding}.dcm", folder / "out"
    cine.parent.mkdir(parents=True, exist_ok=True)
    frames = -(-megabytes * 1_000_000 // codec_cine.frame_bytes(coding))
    decoded = codec_cine.write(coding, frames, cine)
    report = folder / "report.json"
    command = [airlock, "deid", cine, out, "--data", folder / "data", "--report", report]
    code, seconds, peaks, error = measured(command)
    faults = []
    instance = json.loads(report.read_text())["instances"][0] if report.exists() else {}
    boxes = instance.get("report", {}).get("pixels", {}).get("boxes", [])
    if code == 0 and not any(box["hidden"] for box in boxes):
        faults.append("the banner was not hidden")
    if code != 0 or instance.get("outcome") != "cleaned":
        faults.append(f"exit {code}, {instance.get('reason')} {instance.get('detail')} {error[-300:]}")
        syntax = str(instance.get("reason"))
    else:
        meta = pydicom.filereader.read_file_meta_info(out / instance["output"])
        syntax = meta.TransferSyntaxUID.removeprefix("1.2.840.10008.1.2")
        (out / instance["output"]).unlink()
    if peaks["front"] > FRONT_MAX:
        faults.append(f"front {peaks['front']} B")
    if max(peaks["clean"], peaks["verify"]) > WORKER_MAX:
        faults.append(f"worker {peaks['clean']}, {peaks['verify']} B")
    sizes = f"{frames} | {decoded / 1e6:.0f} | {cine.stat().st_size / 1e6:.0f}"
    worker = f"{peaks['front'] / MIB:.0f} | {peaks['clean'] / MIB:.0f} | {peaks['verify'] / MIB:.0f}"
    print(f"| {coding} | {sizes} | {worker} | {seconds:.0f} | {syntax or '.0'} |", flush=True)
    cine.unlink()
    return [f"{coding}: {fault}" for fault in faults]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("airlock", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mb", type=int, default=300)
    parser.add_argument("codings", nargs="*")
    options = parser.parse_intermixed_args()
    print("| coding | frames | MB decoded | MB file | front MiB | cleaner MiB | checker MiB | s | comes out as 1.2.840.10008.1.2… |")
    print("|---|---|---|---|---|---|---|---|---|")
    faults = []
    for coding in options.codings or codec_cine.CODINGS:
        faults += clean(options.airlock, options.folder, coding, options.mb)
    sys.exit("\n".join(faults))


main()
