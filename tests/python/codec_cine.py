"""Writes a long invented cine in one coding: a banner with a name, and grain
that differs from frame to frame too little to be looked at again.

    codec_cine.py CODING FRAMES FILE     CODING as in `codec_cine.py --list`

Grey pictures are 512 x 512 with 16 bits (12 for JPEG extended), colour ones
800 x 600 with 8. Four frames are drawn and coded; the file repeats them.
Encoders as in make_codec_seeds.py. Prints the decoded bytes.
"""

import io
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import imagecodecs
import jpeg_ls
import numpy as np
import openjpeg.utils
import pydicom
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import generate_frames
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset, write_file_meta_info

TS = "1.2.840.10008.1.2."
DRAWN = 4


def drawn(colour, bits):
    """Four frames; the grain lies under what a view of 8 bits shows as a change."""
    width, height = (800, 600) if colour else (512, 512)
    picture = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(picture)
    draw.ellipse([width // 4, height // 4, width * 3 // 4, height * 3 // 4], fill=90)
    draw.text((12, 8), "INVENTED IDA  1950-06-07", fill=255, font=ImageFont.load_default(30))
    base = np.asarray(picture).astype(np.int32) << (bits - 8)
    random = np.random.default_rng(bits)
    inside = base == 90 << (bits - 8)
    frames = []
    for _ in range(DRAWN):
        grain = random.integers(0, max(1 << (bits - 8), 3), (height, width)) * inside
        frame = (base + grain).astype("<u2" if bits > 8 else "u1")
        frames.append(np.stack([frame] * 3, -1) if colour else frame)
    return frames


def rle(frame):
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = TS + "1"
    ds.set_pixel_data(frame, "RGB" if frame.ndim == 3 else "MONOCHROME2", frame.dtype.itemsize * 8)
    ds.compress(TS + "5", generate_instance_uid=False)
    return next(generate_frames(ds.PixelData, number_of_frames=1))


def deflate(frame):
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(frame.tobytes()) + packer.flush()


def by_dcmtk(*options):
    """dcmcjpeg on one frame."""

    def encode(frame):
        with tempfile.TemporaryDirectory() as folder:
            before, after = Path(folder, "in.dcm"), Path(folder, "out.dcm")
            bits = 12 if "+ee" in options else frame.dtype.itemsize * 8
            meta, data = head("1", frame, bits, 1)
            before.write_bytes(meta + data + native_head(frame, 1) + frame.tobytes())
            subprocess.run(["dcmcjpeg", "-q", *options, before, after], check=True)
            return next(generate_frames(pydicom.dcmread(after).PixelData, number_of_frames=1))

    return encode


# Coding: end of the transfer syntax, colour, bits stored, encoder of a frame.
CODINGS = {
    "native": ("1", False, 16, None),
    "big-endian": ("2", False, 16, None),
    "deflated": ("1.99", False, 16, None),
    "encapsulated": ("1.98", False, 16, lambda frame: frame.tobytes()),
    "deflated-frame": ("8.1", False, 16, deflate),
    "native-rgb": ("1", True, 8, None),
    "rle": ("5", False, 16, rle),
    "rle-rgb": ("5", True, 8, rle),
    "jpeg-baseline": ("4.50", True, 8, lambda frame: imagecodecs.jpeg8_encode(frame, level=90, subsampling="422")),
    "jpeg-extended": ("4.51", False, 12, by_dcmtk("+ee")),
    "jpeg-lossless": ("4.70", False, 16, by_dcmtk("+e1")),
    "jpeg-lossless-rgb": ("4.70", True, 8, by_dcmtk("+e1")),
    "jpeg-ls": ("4.80", False, 16, lambda frame: bytes(jpeg_ls.encode_array(frame))),
    "jpeg-ls-rgb": ("4.80", True, 8, lambda frame: bytes(jpeg_ls.encode_array(frame, interleave_mode=2))),
    "jpeg-2000": ("4.90", False, 16, lambda frame: openjpeg.utils.encode_array(frame, bits_stored=16)),
    "jpeg-2000-rgb": (
        "4.90",
        True,
        8,
        lambda frame: openjpeg.utils.encode_array(frame, bits_stored=8, photometric_interpretation=1),
    ),
    "htj2k": ("4.201", False, 16, lambda frame: imagecodecs.htj2k_encode(frame, reversible=True)),
}
PHOTOMETRIC = {"jpeg-baseline": "YBR_FULL_422", "jpeg-2000-rgb": "YBR_RCT"}


def head(syntax, frame, bits, frames, photometric=None):
    """File meta, and the data set before Pixel Data in explicit VR."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = TS + syntax
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = "2.25.20260202.1"
    ds.Modality = "OT"
    ds.PatientName, ds.PatientID, ds.PatientBirthDate = "Invented^Ida", "PID-000201", "19500607"
    ds.StudyDate, ds.StudyInstanceUID, ds.SeriesInstanceUID = "20260102", "2.25.20260202.2", "2.25.20260202.3"
    ds.SamplesPerPixel = 3 if frame.ndim == 3 else 1
    ds.PhotometricInterpretation = photometric or ("RGB" if frame.ndim == 3 else "MONOCHROME2")
    if frame.ndim == 3:
        ds.PlanarConfiguration = 0
    ds.NumberOfFrames = frames
    ds.Rows, ds.Columns = frame.shape[:2]
    ds.BitsAllocated = frame.dtype.itemsize * 8
    ds.BitsStored, ds.HighBit, ds.PixelRepresentation = bits, bits - 1, 0
    meta = io.BytesIO()
    write_file_meta_info(meta, ds.file_meta, enforce_standard=False)
    data = DicomBytesIO()
    data.is_little_endian, data.is_implicit_VR = syntax != "2", False
    write_dataset(data, ds)
    return bytes(128) + b"DICM" + meta.getvalue(), data.getvalue()


def native_head(frame, frames, order="<"):
    vr = b"OW" if frame.dtype.itemsize > 1 else b"OB"
    return struct.pack(f"{order}HH2sHI", 0x7FE0, 0x0010, vr, 0, frame.nbytes * frames)


def write_native(file, frames, count, order):
    file.write(native_head(frames[0], count, order))
    for number in range(count):
        frame = frames[number % DRAWN]
        file.write(frame.byteswap().tobytes() if order == ">" else frame.tobytes())


def write_fragments(file, coded, count):
    coded = [stream + b"\0" * (len(stream) % 2) for stream in coded]
    lengths = np.array([len(coded[number % DRAWN]) + 8 for number in range(count)], "<u8")
    offsets = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype("<u4").tobytes()
    file.write(struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF))
    for item in [offsets, *(coded[number % DRAWN] for number in range(count))]:
        file.write(struct.pack("<HHI", 0xFFFE, 0xE000, len(item)))
        file.write(item)
    file.write(struct.pack("<HHI", 0xFFFE, 0xE0DD, 0))


def write(coding, count, path, bits=None):
    """`bits` are others than the coding's."""
    syntax, colour, usual, encode = CODINGS[coding]
    bits = bits or usual
    frames = drawn(colour, bits)
    meta, data = head(syntax, frames[0], bits, count, PHOTOMETRIC.get(coding))
    with open(path, "wb") as file:
        file.write(meta)
        if coding == "deflated":
            packer = zlib.compressobj(1, zlib.DEFLATED, -15)
            file.write(packer.compress(data + native_head(frames[0], count)))
            for number in range(count):
                file.write(packer.compress(frames[number % DRAWN].tobytes()))
            file.write(packer.flush())
            return frames[0].nbytes * count
        file.write(data)
        if encode is None:
            write_native(file, frames, count, ">" if syntax == "2" else "<")
        else:
            write_fragments(file, [encode(frame) for frame in frames], count)
    return frames[0].nbytes * count


def frame_bytes(coding):
    return 800 * 600 * 3 if CODINGS[coding][1] else 512 * 512 * 2


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(CODINGS))
    else:
        print(write(sys.argv[1], int(sys.argv[2]), sys.argv[3]))


if __name__ == "__main__":
    main()
