"""Times the codecs of others on the files that benches/codecs.rs reads, and
prints both as one table in Markdown.

    bench_codecs.py write FOLDER      the files: N frames of each coding
    bench_codecs.py table FOLDER CRITERION
                                      after the bench: CRITERION is its folder of results

Milliseconds a frame. pylibjpeg (for JPEG-LS pyjpegls) and imagecodecs are called
on a frame in this process; dcmtk's time is that of its program with all frames
less that with one, so it includes reading and writing the file. Our "code" is
hiding less looking twice: painting a box and coding. "Hide" is the whole job: two
decodings, views, comparing, painting, coding; beside it stands what decoding,
setting a box to zero and coding takes with pylibjpeg, or imagecodecs where it has
no encoder.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import codec_cine
import imagecodecs
import jpeg_ls
import libjpeg
import numpy as np
import openjpeg.utils
import pydicom
import rle.rle
from pydicom.encaps import generate_frames

FRAMES = 16
BUDGET_S = 1.0
CODINGS = [
    "native", "native-rgb", "rle", "rle-rgb", "jpeg-baseline", "jpeg-extended", "jpeg-lossless",
    "jpeg-lossless-rgb", "jpeg-ls", "jpeg-ls-rgb", "jpeg-2000", "jpeg-2000-rgb", "htj2k", "deflated-frame",
]  # fmt: skip


def milliseconds(work, arguments):
    """Median time of a call, one call for each argument in turn."""
    work(arguments[0])
    times, end, number = [], time.perf_counter() + BUDGET_S, 0
    while time.perf_counter() < end or len(times) < 3:
        begun = time.perf_counter()
        work(arguments[number % len(arguments)])
        times.append((time.perf_counter() - begun) * 1000)
        number += 1
    return statistics.median(times)


def j2k(frame):
    return openjpeg.utils.encode_array(
        frame, bits_stored=frame.dtype.itemsize * 8, photometric_interpretation=int(frame.ndim == 3)
    )


def jls(frame):
    return jpeg_ls.encode_array(frame, interleave_mode=2 if frame.ndim == 3 else None)


def rle_codec(frame):
    pixels, bits = frame.shape[0] * frame.shape[1], frame.dtype.itemsize * 8
    samples = frame.shape[2] if frame.ndim == 3 else 1

    def decode(stream):
        return rle.rle.decode_frame(stream, pixels, bits, "<")

    def encode(one):
        return rle.rle.encode_frame(one.tobytes(), *frame.shape[:2], samples, bits, "<")

    return decode, encode


def peer(coding, frame):
    """Name, decoder and encoder of one frame; None where there is none."""
    if coding.startswith("rle"):
        return "pylibjpeg-rle", *rle_codec(frame)
    if coding.startswith("jpeg-2000"):
        return "pylibjpeg-openjpeg", openjpeg.utils.decode, j2k
    if coding.startswith("htj2k"):
        encode = lambda one: imagecodecs.htj2k_encode(one, reversible=True)  # noqa: E731
        return "pylibjpeg-openjpeg, imagecodecs", openjpeg.utils.decode, encode
    if coding.startswith("jpeg-ls"):
        return "pyjpegls", lambda stream: jpeg_ls.decode_buffer(stream)[0], jls
    if coding.startswith("jpeg-lossless"):
        encode = lambda one: imagecodecs.ljpeg_encode(one) if one.ndim == 2 else None  # noqa: E731
        return "pylibjpeg-libjpeg, imagecodecs", libjpeg.decode, encode if frame.ndim == 2 else None
    if coding == "jpeg-baseline":
        encode = lambda one: imagecodecs.jpeg8_encode(one, level=90, subsampling="422")  # noqa: E731
        return "pylibjpeg-libjpeg, imagecodecs", libjpeg.decode, encode
    if coding == "jpeg-extended":
        encode = lambda one: imagecodecs.jpeg_encode(one, level=90, bitspersample=12)  # noqa: E731
        return "pylibjpeg-libjpeg, imagecodecs", libjpeg.decode, encode
    return None


def measured_peer(coding, streams, frames):
    """Milliseconds of decoding, encoding, and decoding, painting and encoding."""
    found = peer(coding, frames[0])
    if found is None:
        return "–", None, None, None
    name, decode, encode = found
    decoding = milliseconds(lambda stream: decode(stream), streams)
    if encode is None:
        return name, decoding, None, None
    shape, dtype = frames[0].shape, frames[0].dtype

    def hide(stream):
        pixels = decode(stream)
        if isinstance(pixels, (bytes, bytearray)) or pixels.ndim == 1:
            pixels = np.frombuffer(pixels, dtype)
        pixels = pixels.reshape(shape).astype(dtype)
        pixels[5:43, 9 : shape[1] // 2 + 3] = 0
        return encode(pixels)

    return name, decoding, milliseconds(encode, frames), milliseconds(hide, streams)


# Decoder and encoder of dcmtk for a coding.
DCMTK = {
    "rle": (["dcmdrle"], ["dcmcrle"]),
    "jpeg-baseline": (["dcmdjpeg"], ["dcmcjpeg", "-q", "+eb"]),
    "jpeg-extended": (["dcmdjpeg"], ["dcmcjpeg", "-q", "+ee"]),
    "jpeg-lossless": (["dcmdjpeg"], ["dcmcjpeg", "-q", "+e1"]),
    "jpeg-ls": (["dcmdjpls"], ["dcmcjpls"]),
}


def process_milliseconds(command):
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        times.append((time.perf_counter() - begun) * 1000)
    return min(times)


def measured_dcmtk(coding):
    """Milliseconds a frame of its programs: all frames less one."""
    programs = DCMTK.get(coding.removesuffix("-rgb"))
    if programs is None:
        return None, None
    times = []
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out.dcm")
        native = "native-rgb" if codec_cine.CODINGS[coding][1] else "native"
        for program, source in zip(programs, (coding, native), strict=True):
            seconds = []
            for count in (1, FRAMES):
                file = Path(folder, f"{source}.dcm")
                bits = codec_cine.CODINGS[coding][2] if source == native else None
                codec_cine.write(source, count, file, bits)
                seconds.append(process_milliseconds([*program, file, out]))
            times.append((seconds[1] - seconds[0]) / (FRAMES - 1))
    return times


def ours(criterion, coding, work, frames):
    path = Path(criterion, coding, work, "new", "estimates.json")
    if not path.exists():
        return None
    return json.loads(path.read_text())["median"]["point_estimate"] / 1e6 / frames


def cell(value, reference=None):
    if value is None:
        return "–"
    ratio = f" ({value / reference:.1f}×)" if reference else ""
    return f"{value:.1f}{ratio}"


def table(folder, criterion):
    print("| coding | decode | peer's | dcmtk's | code | peer's | dcmtk's | hide | peer's | peer |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for coding in CODINGS:
        ds = pydicom.dcmread(folder / f"{coding}.dcm")
        frames = codec_cine.drawn(*codec_cine.CODINGS[coding][1:3])
        streams = []
        if codec_cine.CODINGS[coding][3]:
            streams = list(generate_frames(ds.PixelData, number_of_frames=FRAMES))[: codec_cine.DRAWN]
        name, *peers = measured_peer(coding, streams, frames)
        dcmtk = measured_dcmtk(coding)
        works = (("decode", 1), ("look", FRAMES), ("hide", FRAMES))
        decode, look, hide = (ours(criterion, coding, work, count) for work, count in works)
        own = [decode, None if hide is None else max(hide - 2 * look, 0), hide]
        cells = [coding]
        for number in range(3):
            cells.append(cell(own[number]))
            cells.append(cell(peers[number], own[number]))
            if number < 2:
                cells.append(cell(dcmtk[number], own[number]))
        print("| " + " | ".join([*cells, name]) + " |", flush=True)


def main():
    folder = Path(sys.argv[2])
    if sys.argv[1] == "write":
        folder.mkdir(parents=True, exist_ok=True)
        for coding in CODINGS:
            codec_cine.write(coding, FRAMES, folder / f"{coding}.dcm")
    else:
        table(folder, Path(sys.argv[3]))


main()
