"""Plants a name in each place beside the picture, and looks for it afterwards.

    hiding.py plant FOLDER            writes one file a place
    hiding.py look FOLDER OUT REPORT  what of it is in OUT, as JSON, one line a place

Each line: place, outcome, why (of a quarantine), `found` (the name stands in a
file, in an inflated or decoded part of it, or in bits beside the samples),
`same` (the picture is the one that was sent). Paths in REPORT tell which output
is whose.
"""

import io
import json
import struct
import sys
import warnings
import zlib
from pathlib import Path

import jpeg_ls
import numpy as np
from canary import uid
from openjpeg.utils import encode_array
from PIL import Image, ImageCms
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_fragments
from pydicom.pixels import get_encoder
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

warnings.filterwarnings("ignore")

NAME = b"ZQXJV^CANARY^"
CT = "1.2.840.10008.5.1.4.1.1.2"
DEFLATED_FRAME = UID("1.2.840.10008.1.2.8.1")
UNCOMPRESSED = UID("1.2.840.10008.1.2.1.98")
SIDE = 64


def picture(bits=8):
    """A slope without text."""
    across, down = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    slope = (across * 2 + down) * (1 if bits == 8 else 16)
    return slope.astype("<u1" if bits == 8 else "<u2")


def header(bits=8, frames=1):
    data_set = Dataset()
    data_set.SOPClassUID, data_set.SOPInstanceUID = CT, uid()
    data_set.StudyInstanceUID, data_set.SeriesInstanceUID = uid(), uid()
    data_set.PatientID, data_set.PatientName = "HIDE-1", "Someone^Else"
    data_set.Modality = "CT"
    data_set.SamplesPerPixel, data_set.PhotometricInterpretation = 1, "MONOCHROME2"
    data_set.Rows = data_set.Columns = SIDE
    data_set.BitsAllocated, data_set.BitsStored = (8, 8) if bits == 8 else (16, bits)
    data_set.HighBit, data_set.PixelRepresentation = data_set.BitsStored - 1, 0
    if frames > 1:
        data_set.NumberOfFrames = frames
    return data_set


def coded(stream, bits=8):
    data_set = header(bits)
    streams = stream if isinstance(stream, list) else [stream]
    if len(streams) > 1:
        # Fragments as they are: encapsulate would take them for frames.
        item = lambda part: b"\xfe\xff\x00\xe0" + struct.pack("<L", len(part)) + part
        data_set.PixelData = b"".join(map(item, [b"", *map(even, streams)]))
    else:
        data_set.PixelData = encapsulate(streams)
    data_set["PixelData"].VR = "OB"
    data_set["PixelData"].is_undefined_length = True
    return data_set


def even(part):
    return part + b"\0" * (len(part) % 2)


def native(samples, bits=8):
    data_set = header(bits)
    data_set.PixelData = samples if isinstance(samples, bytes) else samples.tobytes()
    data_set["PixelData"].VR = "OB" if bits == 8 else "OW"
    return data_set


def segment(marker, content):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(content) + 2) + content


# JPEG


def jpeg(**options):
    stream = io.BytesIO()
    Image.fromarray(picture()).save(stream, "JPEG", quality=90, **options)
    return stream.getvalue()


def after_start(stream, *segments):
    return stream[:2] + b"".join(segments) + stream[2:]


def before_end(stream, tail):
    return stream[:-2] + tail + stream[-2:]


def thumbnail():
    """The JFIF segment with a thumbnail of 4 x 4 colours."""
    stream = jpeg()
    rgb = (NAME * 4)[:48]
    content = stream[6:18] + b"\x04\x04" + rgb
    return stream[:2] + segment(0xE0, content) + stream[20:]


def profile():
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    table = struct.unpack(">L", made[128:132])[0]
    changed = bytearray(made)
    for entry in range(132, 132 + 12 * table, 12):
        name, start, size = struct.unpack(">4sLL", made[entry : entry + 12])
        if name in (b"desc", b"cprt"):
            text = (NAME * 20)[: size - 28]
            changed[start + 28 : start + size] = text
    changed[48:56] = NAME[:8]
    assert NAME in changed
    return bytes(changed)


def restarts():
    """A stream whose every interval ends with a name of three letters."""
    stream = bytearray(jpeg(restart_marker_blocks=1))
    for code in range(0xD0, 0xD8):
        stream = stream.replace(bytes([0xFF, code]), NAME + bytes([0xFF, code]))
    return bytes(stream)


def jpeg_places():
    table = bytes([0x13]) + bytes([0] * 7 + [len(set(NAME))] + [0] * 8) + bytes(dict.fromkeys(NAME))
    yield "jpeg-plain", jpeg()
    yield "jpeg-comment", jpeg(comment=NAME)
    yield "jpeg-jfif-thumbnail", thumbnail()
    yield "jpeg-jfxx", after_start(jpeg(), segment(0xE0, b"JFXX\0\x10" + NAME))
    yield "jpeg-exif", after_start(jpeg(), segment(0xE1, b"Exif\0\0" + NAME))
    yield "jpeg-xmp", after_start(jpeg(), segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + NAME))
    yield "jpeg-photoshop", after_start(jpeg(), segment(0xED, b"Photoshop 3.0\0" + NAME))
    for number in (3, 5, 8, 10, 14, 15):
        yield f"jpeg-app{number}", after_start(jpeg(), segment(0xE0 + number, NAME))
    yield "jpeg-reserved", after_start(jpeg(), segment(0xF0, NAME))
    yield "jpeg-arithmetic", after_start(jpeg(), segment(0xCC, NAME))
    yield "jpeg-restart-interval", after_start(jpeg(), segment(0xDD, b"\0\0" + NAME))
    yield "jpeg-huffman", after_start(jpeg(), segment(0xC4, table))
    yield "jpeg-quantisation", after_start(jpeg(), segment(0xDB, b"\x03" + (NAME * 5)[:64]))
    yield "jpeg-replaced", after_start(jpeg(), segment(0xDB, b"\x00" + (NAME * 5)[:64]))
    yield "jpeg-profile", jpeg(icc_profile=profile())
    yield "jpeg-no-profile", after_start(jpeg(), segment(0xE2, b"ICC_PROFILE\0\x01\x01" + NAME))
    yield "jpeg-fill", after_start(jpeg(), b"\xff" * 9)
    yield "jpeg-tail", before_end(jpeg(), NAME)
    yield "jpeg-tail-stuffed", before_end(jpeg(), b"\xff\0" + NAME)
    yield "jpeg-tail-restart", before_end(jpeg(), b"\xff\xd0" + NAME)
    yield "jpeg-restart-tails", restarts()
    yield "jpeg-after-end", jpeg() + NAME
    yield "jpeg-second-picture", jpeg() + jpeg(comment=NAME)
    yield "jpeg-before-start", NAME + jpeg()
    yield "jpeg-padding", jpeg() + b"\0" * 40 + NAME
    yield "jpeg-fragment-after", [jpeg(), NAME]
    yield "jpeg-fragment-before", [NAME, jpeg()]
    yield "jpeg-fragment-between", [jpeg()[:20], segment(0xFE, NAME + b"^"), jpeg()[20:]]


# JPEG-LS


def jls(samples=None):
    return bytes(jpeg_ls.encode_array(picture() if samples is None else samples))


def jpeg_ls_places():
    yield "jls-plain", jls()
    yield "jls-comment", after_start(jls(), segment(0xFE, NAME))
    yield "jls-app8", after_start(jls(), segment(0xE8, NAME))
    yield "jls-app8-mrfx", after_start(jls(), segment(0xE8, b"mrfx\0" + NAME))
    yield "jls-lse-parameters", after_start(
        jls(), segment(0xF8, struct.pack(">BHHHHH", 1, 255, 3, 7, 21, 64) + NAME)
    )
    yield "jls-lse-table", after_start(jls(), segment(0xF8, b"\x02\x05\x01" + NAME))
    yield "jls-huffman", after_start(jls(), segment(0xC4, NAME))
    yield "jls-tail", before_end(jls(), NAME)
    yield "jls-after-end", jls() + NAME


# JPEG 2000


def j2k():
    return bytes(encode_array(picture(), photometric_interpretation=2, codec_format=0))


def main_header(*segments):
    stream = j2k()
    size = struct.unpack(">H", stream[4:6])[0]
    return stream[: 4 + size] + b"".join(segments) + stream[4 + size :]


def tile_part(*segments):
    stream, added = bytearray(j2k()), b"".join(segments)
    at = stream.index(b"\xff\x90")
    length = struct.unpack(">L", stream[at + 6 : at + 10])[0]
    if length:
        stream[at + 6 : at + 10] = struct.pack(">L", length + len(added))
    return bytes(stream[: at + 12]) + added + bytes(stream[at + 12 :])


def box(kind, content):
    return struct.pack(">L", len(content) + 8) + kind + content


def jp2(*boxes, brand=b"jp2 "):
    image = struct.pack(">LLHBBBB", SIDE, SIDE, 1, 7, 7, 0, 0)
    colour = box(b"colr", b"\x01\0\0" + struct.pack(">L", 17))
    start = box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", brand + b"\0\0\0\0jp2 ")
    header = box(b"jp2h", box(b"ihdr", image) + colour)
    return start + header + b"".join(boxes) + box(b"jp2c", j2k())


def j2k_places():
    yield "j2k-plain", j2k()
    yield "j2k-comment", main_header(segment(0x64, b"\0\x01" + NAME))
    yield "j2k-comment-binary", main_header(segment(0x64, b"\0\0" + NAME))
    yield "j2k-encoder", main_header(segment(0x64, b"\0\x01Created by OpenJPEG version " + NAME))
    yield "j2k-registration", main_header(segment(0x63, (NAME * 2)[:4]))
    yield "j2k-packet-lengths", main_header(segment(0x57, b"\0" + NAME))
    yield "j2k-lengths", main_header(segment(0x55, b"\0\x40" + (NAME * 4)[:40]))
    yield "j2k-coding", main_header(segment(0x53, b"\0\0" + NAME))
    yield "j2k-unknown", main_header(segment(0x7A, NAME))
    yield "j2k-tile-comment", tile_part(segment(0x64, b"\0\x01" + NAME))
    yield "j2k-tile-lengths", tile_part(segment(0x58, b"\0" + NAME))
    yield "j2k-tile-packed", tile_part(segment(0x61, b"\0" + NAME))
    yield "j2k-after-end", j2k() + NAME
    yield "jp2-xml", jp2(box(b"xml ", NAME))
    yield "jp2-uuid", jp2(box(b"uuid", NAME * 2))
    yield "jp2-brand", jp2(brand=NAME[:4])
    yield "jp2-after", jp2() + box(b"free", NAME)


# RLE


def rle(samples=None, bits=8):
    samples = picture(bits) if samples is None else samples
    allocated = 8 if bits == 8 else 16
    return get_encoder(RLELossless).encode(
        samples,
        rows=SIDE,
        columns=SIDE,
        samples_per_pixel=1,
        number_of_frames=1,
        bits_allocated=allocated,
        # All of them: what stands beside the values is coded too.
        bits_stored=allocated,
        pixel_representation=0,
        photometric_interpretation="MONOCHROME2",
    )


def shifted(fragment, start, gap):
    fields = list(struct.unpack("<16L", fragment[:64]))
    fields = [fields[0]] + [field + (len(gap) if field >= start else 0) if field else 0 for field in fields[1:]]
    return struct.pack("<16L", *fields) + fragment[64:start] + gap + fragment[start:]


def rle_places():
    two = rle(bits=12)
    second = struct.unpack("<L", two[8:12])[0]
    yield "rle-plain", rle(), 8
    yield "rle-plain-12", two, 12
    yield "rle-tail", rle() + NAME, 8
    yield "rle-gap-12", shifted(two, second, NAME + b"\0"), 12
    yield "rle-before-12", shifted(two, 64, NAME + b"\0"), 12
    yield "rle-unused-fields", rle()[:40] + (NAME * 2)[:24] + rle()[64:], 8
    flat = struct.pack("<16L", 1, 64, *[0] * 14) + b"".join(
        bytes([127]) + row[:64].tobytes() + row[64:].tobytes()
        for row in picture().reshape(-1, 128)[:-1]
    )
    last = picture().reshape(-1, 128)[-1].tobytes()
    yield "rle-literal", flat + bytes([126]) + last[:127] + bytes([20]) + last[127:] + (NAME * 2)[:20], 8


# Bits, tails, tables


def beside(samples):
    """The name in the four bits above the value, four at a time."""
    nibbles = [nibble for byte in NAME for nibble in (byte >> 4, byte & 15)]
    planted = samples.copy().reshape(-1)
    planted[: len(nibbles)] |= np.array(nibbles, "<u2") << 12
    return planted.reshape(samples.shape)


def overlay(data_set):
    data_set.add_new(0x60000010, "US", SIDE)
    data_set.add_new(0x60000011, "US", SIDE)
    data_set.add_new(0x60000040, "CS", "G")
    data_set.add_new(0x60000050, "SS", [1, 1])
    data_set.add_new(0x60000100, "US", 16)
    data_set.add_new(0x60000102, "US", 12)
    return data_set


def bit_places():
    planted = beside(picture(12))
    yield "bits-native", overlay(native(planted, 12)), ExplicitVRLittleEndian
    yield "bits-deflated-data-set", overlay(native(planted, 12)), DeflatedExplicitVRLittleEndian
    yield "bits-uncompressed", overlay(coded(planted.tobytes(), 12)), UNCOMPRESSED
    yield "bits-jls", overlay(coded(jls(planted), 12)), JPEGLSLossless
    yield "bits-rle", overlay(coded(rle(planted, 12), 12)), RLELossless
    yield "bits-deflated-frame", overlay(coded(deflated(planted.tobytes()), 12)), DEFLATED_FRAME


def deflated(frame):
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    return deflater.compress(frame) + deflater.flush()


def tables():
    """Two frames, and tables that say something else than where they are."""
    for place in ("offsets-basic", "offsets-extended", "offsets-lengths"):
        data_set = header(frames=2)
        offsets, lengths = NAME + b"\0" * 3, struct.pack("<QQ", *[len(even(jpeg()))] * 2)
        if place == "offsets-lengths":
            offsets, lengths = struct.pack("<QQ", 0, len(even(jpeg())) + 8), offsets
        basic = NAME[:8] if place == "offsets-basic" else b""
        item = lambda part: b"\xfe\xff\x00\xe0" + struct.pack("<L", len(part)) + part
        data_set.PixelData = b"".join(map(item, [basic, even(jpeg()), even(jpeg())]))
        data_set["PixelData"].VR = "OB"
        data_set["PixelData"].is_undefined_length = True
        if place != "offsets-basic":
            data_set.add_new(0x7FE00001, "OV", offsets)
            data_set.add_new(0x7FE00002, "OV", lengths)
        yield place, data_set, JPEGBaseline8Bit


def icon(stream):
    item = header()
    for keyword in ("SOPClassUID", "SOPInstanceUID", "PatientID", "PatientName"):
        delattr(item, keyword)
    item.PixelData = stream
    item["PixelData"].VR = "OB"
    return item


def set_places():
    yield "native-plain", native(picture()), ExplicitVRLittleEndian
    yield "native-plain-12", native(picture(12), 12), ExplicitVRLittleEndian
    yield "native-tail", native(picture().tobytes() + even(NAME)), ExplicitVRLittleEndian
    yield "uncompressed-tail", coded(picture().tobytes() + NAME), UNCOMPRESSED
    yield "deflated-frame", coded(deflated(picture().tobytes())), DEFLATED_FRAME
    yield "deflated-frame-tail", coded(deflated(picture().tobytes()) + NAME), DEFLATED_FRAME
    yield "deflated-frame-longer", coded(deflated(picture().tobytes() + NAME)), DEFLATED_FRAME
    yield "deflated-data-set", native(picture()), DeflatedExplicitVRLittleEndian

    padded = native(picture())
    padded.DataSetTrailingPadding = NAME * 4
    yield "trailing-padding", padded, ExplicitVRLittleEndian
    drawn = native(picture())
    overlay(drawn)
    drawn.add_new(0x60003000, "OW", (NAME * 40)[:512])
    drawn.add_new(0x50003000, "OW", even(NAME))
    yield "overlay", drawn, ExplicitVRLittleEndian
    small = native(picture())
    small.IconImageSequence = Sequence([icon((NAME * 400)[: SIDE * SIDE])])
    yield "icon", small, ExplicitVRLittleEndian
    within = coded(jpeg())
    stream = jpeg(comment=NAME)
    within.IconImageSequence = Sequence([icon(encapsulate([stream]))])
    within.IconImageSequence[0]["PixelData"].is_undefined_length = True
    yield "icon-codestream", within, JPEGBaseline8Bit
    for place, tag in (("in-private", None), ("in-item", "AnatomicRegionSequence")):
        nested = native(picture())
        item = icon((NAME * 400)[: SIDE * SIDE])
        overlay(item)
        item.add_new(0x60003000, "OW", (NAME * 40)[:512])
        item.IconImageSequence = Sequence([icon((NAME * 400)[: SIDE * SIDE])])
        if tag:
            setattr(nested, tag, Sequence([item]))
        else:
            nested.private_block(0x0029, "MAKER", create=True).add_new(1, "SQ", Sequence([item]))
        yield place, nested, ExplicitVRLittleEndian


def places():
    for name, stream in jpeg_places():
        yield name, coded(stream), JPEGBaseline8Bit
    for name, stream in jpeg_ls_places():
        yield name, coded(stream), JPEGLSLossless
    for name, stream in j2k_places():
        yield name, coded(stream), JPEG2000Lossless
    for name, stream, bits in rle_places():
        yield name, coded(stream, bits), RLELossless
    yield from bit_places()
    yield from tables()
    yield from set_places()


def plant(folder):
    folder.mkdir(parents=True)
    for name, data_set, syntax in places():
        data_set.file_meta = FileMetaDataset()
        data_set.file_meta.MediaStorageSOPClassUID = data_set.SOPClassUID
        data_set.file_meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID
        # Two syntaxes that pydicom cannot write: under another name of their length.
        stranger = syntax in (DEFLATED_FRAME, UNCOMPRESSED)
        data_set.file_meta.TransferSyntaxUID = JPEGBaseline8Bit if stranger else syntax
        data_set.preamble = (NAME * 10)[:128]
        path = folder / f"{name}.dcm"
        data_set.save_as(path, enforce_file_format=True)
        if stranger:
            written = path.read_bytes()
            path.write_bytes(written.replace(JPEGBaseline8Bit.encode(), even(syntax.encode()), 1))
        if name == "deflated-data-set":
            path.write_bytes(path.read_bytes() + even(NAME))


def sent(place):
    """The picture that a file of this name shows."""
    return picture(12 if place.startswith("bits-") or place.endswith("12") else 8)


def parts(data_set):
    """All that a file holds, decoded as far as it goes."""
    for element in data_set.iterall():
        if element.VR != "SQ":
            yield element.value if isinstance(element.value, bytes) else str(element.value).encode()
    syntax = data_set.file_meta.TransferSyntaxUID
    if syntax == DEFLATED_FRAME:
        for fragment in generate_fragments(data_set.PixelData):
            inflater = zlib.decompressobj(-15)
            yield inflater.decompress(fragment) + inflater.unused_data


def shown(data_set):
    """Its pixels, as they are stored."""
    syntax = data_set.file_meta.TransferSyntaxUID
    if syntax in (DEFLATED_FRAME, UNCOMPRESSED):
        fragment = list(generate_fragments(data_set.PixelData))[-1]
        raw = zlib.decompressobj(-15).decompress(fragment) if syntax == DEFLATED_FRAME else fragment
        kind = "<u1" if data_set.BitsAllocated == 8 else "<u2"
        return np.frombuffer(raw[: SIDE * SIDE * data_set.BitsAllocated // 8], kind).reshape(SIDE, SIDE)
    return data_set.pixel_array


def looked_at(place, path):
    written = path.read_bytes()
    data_set = dcmread(path)
    pixels = shown(data_set)
    expected = sent(place)
    stored = pixels[0] if pixels.ndim == 3 else pixels
    near = 6 if data_set.file_meta.TransferSyntaxUID == JPEGBaseline8Bit else 0
    same = np.abs(stored.astype(int) - expected.astype(int)).max() <= near
    held = [written, pixels.tobytes(), *parts(data_set)]
    # Pieces of the name too: four letters stand by chance once in a thousand files.
    pieces = [NAME[start : start + 5] for start in range(len(NAME) - 4)]
    found = any(piece in part for part in held for piece in pieces)
    return {"found": found, "same": bool(same)}


def look(folder, out, report):
    for entry in json.loads(report.read_text())["instances"]:
        place = Path(entry["input"]).stem
        line = {"place": place, "outcome": entry["outcome"], "why": entry.get("detail", "")}
        if entry["outcome"] == "cleaned":
            line |= looked_at(place, out / entry["output"])
        print(json.dumps(line))


if __name__ == "__main__":
    if sys.argv[1] == "plant":
        plant(Path(sys.argv[2]))
    else:
        look(*map(Path, sys.argv[2:5]))
