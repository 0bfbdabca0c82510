"""Receives, cleans and forwards over the network: airlock beside Orthanc, with dcmtk
at both ends.

    bench_net.py AIRLOCK [--quick] [--json FILE] [--rounds N]

200 CT slices of 0.5 MB of 20 studies (bench_header.py draws them) go from dcmtk
`storescu` to the node and from there to dcmtk `storescp`, which writes them; over
one association and over four at once, with Nagle's algorithm on and off at the
sender. Each run has a new data directory and a node that has cleaned one study
before. Systems take turns, so that a busy machine hits all of them; medians.
Orthanc and the sink run with TCP_NODELAY=1, which they do not by default: without
it Orthanc acknowledges a tenth.

acknowledged/s: by the time until the last `storescu` ended. forwarded/s: by the time
until all files stand at the sink, or in quarantine. CPU: user + system time of the node and its
children, by /proc, from the first instance to the last at the sink.
Orthanc syncs its storage; a Lua script anonymises and sends each stable study.

Then, for airlock alone: 10,000 instances over one association from a client
that times each answer, and the front's memory with a cine of 288 MB.
"""

import argparse
import json
import os
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import bench_header
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

INSTANCES, OF_A_STUDY, ASSOCIATIONS = 200, 10, 4
BURST = 10_000
WAIT_S = 300
SLOW_WAIT_S = 900
CINE_FRAMES = 550
SCREEN = f"[project.default]\nscreened = ['{CTImageStorage}']\n"
HEADER = f"[project.default]\nheader_only = ['{CTImageStorage}', '1.2.840.10008.5.1.4.1.1.2.1']\n"
LUA = """
function OnStableStudy(study, tags, metadata)
  if metadata['AnonymizedFrom'] == nil then
    local made = ParseJson(RestApiPost('/studies/' .. study .. '/anonymize', '{}'))
    RestApiPost('/modalities/sink/store', made['ID'])
  end
end
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(what, found, seconds=WAIT_S, pause=0.02):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = found()
        if answer:
            return answer
        time.sleep(pause)
    raise SystemExit(f"no {what} within {seconds} s")


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def processes(root):
    """A process and all below it."""
    found = [root]
    for task in Path(f"/proc/{root}/task").glob("*/children"):
        for child in task.read_text().split():
            found += processes(int(child))
    return found


def cpu_s(root):
    """User + system seconds of a process, its children, and those it has buried."""
    ticks = 0
    for process in processes(root):
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            continue
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_mib(process, key):
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) / 1024
    return 0.0


class Program:
    """A program that ends with the run."""

    def __init__(self, command, folder, environment=None):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.log = folder, folder / "log"
        bare = {key: value for key, value in os.environ.items() if not key.startswith("AIRLOCK")}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(part) for part in command], cwd=folder,
                env={**bare, "TCP_NODELAY": "1", **(environment or {})},
                stdout=log, stderr=log,
            )  # fmt: skip

    def set_aside(self):
        """Instances that it will never forward."""
        return 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Sink(Program):
    """dcmtk storescp; `keep` says whether it writes what comes."""

    def __init__(self, folder, keep=True):
        self.port, self.files = free_port(), folder / "files"
        self.files.mkdir(parents=True)
        how = ["-od", self.files] if keep else ["--ignore"]
        super().__init__(["storescp", "--fork", "-aet", "SINK", *how, self.port], folder)
        wait_for("sink", lambda: listens(self.port))

    def count(self):
        return sum(1 for entry in os.scandir(self.files) if not entry.name.startswith("."))


class Airlock(Program):
    called = "AIRLOCK"

    def __init__(self, program, folder, sink_port, configuration):
        folder.mkdir(parents=True)
        config = folder / "airlock.toml"
        destination = f"[destination.sink]\nae_title = 'SINK'\nhost = '127.0.0.1'\nport = {sink_port}\n"
        config.write_text(configuration + (destination if sink_port else ""))
        self.data = data = folder / "data"
        environment = {"AIRLOCK__DATA__DIR": str(data), "AIRLOCK__DICOM__PORT": "0"}
        super().__init__([program, "serve", "--config", config], folder, environment)
        endpoints = data / "run" / "endpoints.json"
        wait_for("node", endpoints.is_file)
        self.port = int(json.loads(endpoints.read_text())["dicom"].rpartition(":")[2])

    def set_aside(self):
        return len(os.listdir(self.data / "spool" / "quarantine"))


class Orthanc(Program):
    called = "ORTHANC"

    def __init__(self, folder, sink_port, forwards):
        folder.mkdir(parents=True)
        self.port, http = free_port(), free_port()
        (folder / "forward.lua").write_text(LUA)
        storage = str(folder / "storage")
        configuration = {
            "StorageDirectory": storage, "IndexDirectory": storage, "Plugins": [], "HttpPort": http,
            "RemoteAccessAllowed": False, "AuthenticationEnabled": False, "DicomAet": self.called,
            "DicomPort": self.port, "DicomAlwaysAllowStore": True, "SyncStorageArea": True, "StableAge": 1,
            "LuaScripts": [str(folder / "forward.lua")] if forwards else [],
            "DicomModalities": {"sink": ["SINK", "127.0.0.1", sink_port]}, "SaveJobs": False,
        }  # fmt: skip
        file = folder / "orthanc.json"
        file.write_text(json.dumps(configuration))
        super().__init__(["Orthanc", file], folder)
        wait_for("Orthanc", lambda: self.answers(http))

    @staticmethod
    def answers(port):
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{port}/system", timeout=2).status == 200
        except OSError:
            return False


def send(node, folders, nagle):
    """All folders at once, an association each; seconds until the last one ended."""
    environment = {**os.environ, "TCP_NODELAY": "0" if nagle else "1"}
    begun = time.perf_counter()
    senders = [
        subprocess.Popen(
            ["storescu", "-aec", node.called, "+sd", "127.0.0.1", str(node.port), str(folder)],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )
        for folder in folders
    ]  # fmt: skip
    for sender in senders:
        complaint = sender.communicate()[1].decode(errors="replace")
        if sender.returncode or "E:" in complaint:
            raise SystemExit(f"storescu: {complaint[:500]}")
    return time.perf_counter() - begun


def one_run(make, sink, folders, nagle, forwards):
    warm, folders = folders
    with make() as node:
        send(node, [warm], nagle=False)
        if forwards:
            wait_for("first study", lambda: sink.count() + node.set_aside() >= OF_A_STUDY)
        before, expected = sink.count() + node.set_aside(), INSTANCES
        cpu, begun = cpu_s(node.process.pid), time.perf_counter()
        acknowledged = send(node, folders, nagle)
        figures = {"acknowledged_s": INSTANCES / acknowledged}
        if forwards:
            wait_for("files", lambda: sink.count() + node.set_aside() - before >= expected, SLOW_WAIT_S)
            figures["forwarded_s"] = INSTANCES / (time.perf_counter() - begun)
        figures["set_aside"] = node.set_aside()
        figures["cpu_ms"] = (cpu_s(node.process.pid) - cpu) * 1000 / INSTANCES
    for entry in os.scandir(sink.files):
        os.unlink(entry.path)
    return figures


def draw(home):
    """The study that warms up; all in one folder; the same in four."""
    source, warm = home / "all", home / "warm"
    source.mkdir(), warm.mkdir()
    quarters = [home / f"quarter{number}" for number in range(ASSOCIATIONS)]
    for quarter in quarters:
        quarter.mkdir()
    for number in range(INSTANCES + OF_A_STUDY):
        slice_ = bench_header.slice_of(number)
        if number >= INSTANCES:
            slice_.save_as(warm / f"{number:05}.dcm", enforce_file_format=True)
            continue
        slice_.save_as(source / f"{number:05}.dcm", enforce_file_format=True)
        share = number // (INSTANCES // ASSOCIATIONS)
        os.link(source / f"{number:05}.dcm", quarters[share] / f"{number:05}.dcm")
    return warm, [source], quarters


# --- a client that times each answer ---


def item(kind, body):
    return struct.pack(">BBH", kind, 0, len(body)) + body


def associate(stream, called):
    context = b"\x01\x00\x00\x00" + item(0x30, CTImageStorage.encode()) + item(0x40, ExplicitVRLittleEndian.encode())
    user = item(0x51, struct.pack(">I", 1 << 17)) + item(0x52, b"2.25.20260101.7")
    body = struct.pack(">HH", 1, 0) + called.ljust(16).encode() + b"BENCH".ljust(16) + bytes(32)
    body += item(0x10, b"1.2.840.10008.3.1.1.1") + item(0x20, context) + item(0x50, user)
    stream.sendall(struct.pack(">BBI", 1, 0, len(body)) + body)
    kind, answer = read_pdu(stream)
    if kind != 2:
        raise SystemExit(f"association refused: PDU type {kind}")
    at = answer.index(b"\x51\x00\x00\x04")
    return struct.unpack(">I", answer[at + 4 : at + 8])[0] or 1 << 17


def read_exactly(stream, count):
    pieces = b""
    while len(pieces) < count:
        piece = stream.recv(count - len(pieces))
        if not piece:
            raise SystemExit("the node closed the connection")
        pieces += piece
    return pieces


def read_pdu(stream):
    kind, _, length = struct.unpack(">BBI", read_exactly(stream, 6))
    return kind, read_exactly(stream, length)


def command(instance, message):
    def element(number, value):
        value += b"\0" * (len(value) % 2)
        return struct.pack("<HHI", 0, number, len(value)) + value

    rest = element(0x0002, CTImageStorage.encode()) + element(0x0100, struct.pack("<H", 1))
    rest += element(0x0110, struct.pack("<H", message)) + element(0x0700, b"\0\0")
    rest += element(0x0800, b"\1\0") + element(0x1000, instance)
    return element(0x0000, struct.pack("<I", len(rest))) + rest


def pdata(flags, payload):
    return struct.pack(">BBI", 4, 0, len(payload) + 6) + struct.pack(">IBB", len(payload) + 2, 1, flags) + payload


def status_of(answer):
    """Status (0000,0900) of a response that is one presentation data value."""
    at = 6
    while at < len(answer):
        _, element, length = struct.unpack("<HHI", answer[at : at + 8])
        if element == 0x0900:
            return struct.unpack("<H", answer[at + 8 : at + 10])[0]
        at += 8 + length
    raise SystemExit("a response without status")


def burst(node, template, count):
    """Milliseconds of each answer after its last byte was sent; seconds in all."""
    placeholder = b"2.25.20260101.1.1000000"
    if template.count(placeholder) != 1:
        raise SystemExit("the template does not hold its instance UID once")
    head, tail = template.split(placeholder)
    answers = []
    with socket.create_connection(("127.0.0.1", node.port)) as stream:
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        size = min(associate(stream, node.called), 1 << 17) - 6
        begun = time.perf_counter()
        for number in range(count):
            instance = b"2.25.20260101.1.%d" % (1_000_000 + number)
            data = head + instance + tail
            pieces = [data[at : at + size] for at in range(0, len(data), size)]
            pdus = pdata(3, command(instance, number % 65535 + 1))
            pdus += b"".join(pdata(2 if at == len(pieces) - 1 else 0, piece) for at, piece in enumerate(pieces))
            stream.sendall(pdus)
            sent = time.perf_counter()
            kind, answer = read_pdu(stream)
            answers.append((time.perf_counter() - sent) * 1000)
            if kind != 4 or status_of(answer) != 0:
                raise SystemExit(f"instance {number} was not stored")
        seconds = time.perf_counter() - begun
        stream.sendall(struct.pack(">BBI", 5, 0, 4) + bytes(4))
        read_pdu(stream)
    return answers, seconds


def run_burst(program, home, count):
    slice_ = bench_header.slice_of(0)
    slice_.SOPInstanceUID = "2.25.20260101.1.1000000"
    whole = home / "burst.dcm"
    slice_.file_meta.MediaStorageSOPInstanceUID = "2.25.20260101.1.1"
    slice_.save_as(whole, enforce_file_format=True)
    data = whole.read_bytes()
    meta = 144 + struct.unpack("<I", data[140:144])[0]
    levels, over = [], threading.Event()
    with Sink(home / "sink", keep=False) as sink, Airlock(program, home / "node", sink.port, HEADER) as node:
        pid = node.process.pid

        def watch():
            while not over.wait(1):
                levels.append(memory_mib(pid, "VmRSS"))

        watching = threading.Thread(target=watch)
        watching.start()
        answers, seconds = burst(node, data[meta:], count)
        over.set()
        watching.join()
        peak = memory_mib(pid, "VmHWM")
        outbox = home / "node" / "data" / "spool"
        left = lambda: not any(os.scandir(outbox / "received")) and not any(os.scandir(outbox / "held"))
        begun = time.perf_counter()
        wait_for("end of the burst", left, SLOW_WAIT_S, 0.2)
        drained = time.perf_counter() - begun
    answers.sort()
    third = max(1, len(levels) // 3)
    return {
        "instances": count, "acknowledged_s": count / seconds,
        "p50_ms": answers[len(answers) // 2], "p99_ms": answers[len(answers) * 99 // 100], "most_ms": answers[-1],
        "front_mib_first_third": statistics.mean(levels[:third] or [peak]),
        "front_mib_last_third": statistics.mean(levels[-third:] or [peak]),
        "front_mib_peak": peak, "forwarded_s": count / (seconds + drained),
    }  # fmt: skip


def run_cine(program, home):
    cine = bench_header.slice_of(0)
    cine.SOPClassUID = cine.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2.1"
    cine.NumberOfFrames = str(CINE_FRAMES)
    cine.PixelData = cine.PixelData * CINE_FRAMES
    folder = home / "cine"
    folder.mkdir()
    cine.save_as(folder / "cine.dcm", enforce_file_format=True)
    size = (folder / "cine.dcm").stat().st_size
    with Sink(home / "sink-cine") as sink, Airlock(program, home / "node-cine", sink.port, HEADER) as node:
        send(node, [folder], nagle=False)
        wait_for("the cine", lambda: sink.count() == 1)
        return {"cine_mb": size / 1e6, "cine_front_mib_peak": memory_mib(node.process.pid, "VmHWM")}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("airlock", type=Path)
    arguments.add_argument("--quick", action="store_true", help="one round, 500 instances in the burst, no slow rows")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--json", type=Path, help="all figures")
    given = arguments.parse_args()
    for tool in ["storescu", "storescp", "Orthanc"]:
        if not shutil.which(tool):
            sys.exit(f"{tool} is missing: scripts/setup --dev")
    program, rounds = given.airlock.resolve(), 1 if given.quick else given.rounds
    home = Path(tempfile.mkdtemp(prefix="airlock-net."))
    try:
        run(program, rounds, given, home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def run(program, rounds, given, home):
    warm, whole, quarters = draw(home)
    figures, number = {}, 0
    with Sink(home / "sink-of-all") as sink:
        systems = {
            "Orthanc, store": (lambda at: Orthanc(at, sink.port, False), False, rounds),
            "Orthanc, anonymise and forward": (lambda at: Orthanc(at, sink.port, True), True, rounds),
            "airlock, header only": (lambda at: Airlock(program, at, sink.port, HEADER), True, rounds),
            "airlock, screened": (lambda at: Airlock(program, at, sink.port, SCREEN), True, rounds),
            "airlock, default": (lambda at: Airlock(program, at, sink.port, ""), True, 0 if given.quick else 1),
        }  # fmt: skip
        for turn in range(rounds):
            for name, (make, forwards, turns) in systems.items():
                slow = name.endswith(("screened", "default"))
                for count, nagle in [(1, False), (1, True), (ASSOCIATIONS, False), (ASSOCIATIONS, True)]:
                    if turn >= turns or slow and (nagle or count > 1):
                        continue
                    number += 1
                    at = home / f"node{number}"
                    folders = (warm, whole if count == 1 else quarters)
                    found = one_run(lambda at=at, make=make: make(at), sink, folders, nagle, forwards)
                    figures.setdefault((name, count, nagle), []).append(found)
                    print(name, count, "Nagle" if nagle else "", found, file=sys.stderr, flush=True)
    many = run_burst(program, home, 500 if given.quick else BURST)
    cine = run_cine(program, home)
    medians = {
        key: {what: statistics.median(one[what] for one in all_) for what in all_[0]} for key, all_ in figures.items()
    }
    table(medians)
    print()
    print("| burst of one association | |\n|---|---|")
    for what, value in {**many, **cine}.items():
        print(f"| {what} | {value:.1f} |")
    if given.json:
        rows = [{"system": key[0], "associations": key[1], "nagle": key[2], "runs": runs} for key, runs in figures.items()]
        given.json.write_text(json.dumps({"rows": rows, "burst": many, "cine": cine}))


def figure(value, whole):
    """With as many digits as it deserves: small ones have two."""
    if not value:
        return "–"
    text = f"{value:.2g}" if value < whole else f"{value:.0f}" if whole > 1 else f"{value:.1f}"
    return text if whole > 1 else f"{text} ×"


def table(medians):
    print("| node | associations | Nagle | acknowledged/s | forwarded/s | CPU ms an instance | acknowledged by Orthanc's store | forwarded by Orthanc's |")
    print("|---|---|---|---|---|---|---|---|")
    for (name, count, nagle), row in medians.items():
        store = medians[("Orthanc, store", count, nagle)]["acknowledged_s"]
        other = medians[("Orthanc, anonymise and forward", count, nagle)]["forwarded_s"]
        out = row.get("forwarded_s")
        print(
            f"| {name} | {count} | {'on' if nagle else 'off'} | {row['acknowledged_s']:.0f} | {figure(out, 10)} "
            f"| {row['cpu_ms']:.1f} | {row['acknowledged_s'] / store:.1f} × | {figure(out and out / other, 1)} |"
        )


if __name__ == "__main__":
    main()
