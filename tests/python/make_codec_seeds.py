"""Writes small invented pictures in every coding: what tests/mutations mutates.

    make_codec_seeds.py FOLDER

One file for each coding and kind of sample, all with data sets in Explicit VR
Little Endian (the tests write the other encodings of a data set themselves).
Encoders: imagecodecs, pylibjpeg-openjpeg, pyjpegls, pydicom's RLE, dcmtk's
dcmcjpeg where it alone writes a process. The files in tests/data/codecs were
made by it; other versions of the encoders give other bytes, so it is run by
hand only.
"""

import io
import pathlib
import subprocess
import sys
import tempfile
import zlib

import imagecodecs
import jpeg_ls
import numpy as np
import openjpeg.utils
import PIL.Image
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames
from pydicom.uid import UID

ROWS, COLUMNS = 20, 28
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
TS = "1.2.840.10008.1.2."


def grey(bits, frames=1, signed=False, rows=ROWS, columns=COLUMNS):
    """A slope with a bright bar and some grain, another one in each frame."""
    random = np.random.default_rng(bits * 10 + frames)
    top = (1 << (bits - signed)) - 1
    slope = np.add.outer(np.arange(rows) * 3, np.arange(columns) * 2) / (3 * rows + 2 * columns)
    pictures = []
    for frame in range(frames):
        picture = slope * top * 0.8 + random.integers(0, max(top // 16, 1) + 1, (rows, columns))
        picture[2:6, 3 : 12 + frame] = top
        if signed:
            picture -= top // 3
        pictures.append(np.clip(picture, -top - 1 if signed else 0, top))
    kind = {False: "u", True: "i"}[signed] + str(max(1, (bits + 7) // 8) if bits <= 16 else 4)
    return np.array(pictures).astype(kind)


def colour(frames=1, **size):
    planes = [grey(8, frames, **size), np.flip(grey(8, frames, **size), 2), 255 - grey(8, frames, **size)]
    return np.stack(planes, -1)


def data_set(syntax, array, photometric, stored, *, allocated=None, planar=0, frames=1):
    samples = array.shape[3] if array.ndim == 4 else 1
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(TS + syntax)
    ds.file_meta.MediaStorageSOPClassUID = SECONDARY_CAPTURE
    ds.file_meta.MediaStorageSOPInstanceUID = "2.25.20260201.1"
    ds.SOPClassUID = SECONDARY_CAPTURE
    ds.SOPInstanceUID = "2.25.20260201.1"
    ds.Modality = "OT"
    ds.PatientName = "Invented^Ida"
    ds.PatientID = "PID-000200"
    ds.PatientBirthDate = "19500607"
    ds.PatientSex = "O"
    ds.StudyDate = "20260102"
    ds.StudyInstanceUID = "2.25.20260201.2"
    ds.SeriesInstanceUID = "2.25.20260201.3"
    ds.InstanceNumber = 1
    ds.SamplesPerPixel = samples
    ds.PhotometricInterpretation = photometric
    if samples == 3:
        ds.PlanarConfiguration = planar
    if frames > 1:
        ds.NumberOfFrames = frames
    ds.Rows, ds.Columns = array.shape[1:3]
    ds.BitsAllocated = allocated or array.dtype.itemsize * 8
    ds.BitsStored = stored
    ds.HighBit = stored - 1
    ds.PixelRepresentation = int(array.dtype.kind == "i")
    return ds


def native(array, photometric, stored, **more):
    pixels = more.pop("pixels", None) or array.astype(array.dtype.newbyteorder("<")).tobytes()
    ds = data_set("1", array, photometric, stored, **more)
    ds.add_new("PixelData", "OW" if ds.BitsAllocated > 8 else "OB", pixels + b"\0" * (len(pixels) % 2))
    return ds


def coded(syntax, frames, array, photometric, stored, *, split=1, extended=False, bot=True, **more):
    ds = data_set(syntax, array, photometric, stored, frames=len(frames), **more)
    if extended:
        ds.PixelData, ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths = encapsulate_extended(frames)
    else:
        ds.PixelData = encapsulate(frames, fragments_per_frame=split, has_bot=bot)
    ds["PixelData"].is_undefined_length = True
    ds["PixelData"].VR = "OB"
    return ds


def jpeg(array, **options):
    return [imagecodecs.jpeg8_encode(frame, **options) for frame in array]


def pillow(array, **options):
    streams = []
    for frame in array:
        stream = io.BytesIO()
        PIL.Image.fromarray(frame).save(stream, "JPEG", quality=85, **options)
        streams.append(stream.getvalue())
    return streams


def j2k(array, stored, **options):
    return [openjpeg.utils.encode_array(frame, bits_stored=stored, **options) for frame in array]


def jls(array, **options):
    return [bytes(jpeg_ls.encode_array(frame, **options)) for frame in array]


def rle(array):
    frames = []
    for frame in array:
        ds = native(frame[None], "RGB" if frame.ndim == 3 else "MONOCHROME2", frame.dtype.itemsize * 8)
        ds.compress(TS + "5")
        frames.append(next(generate_frames(ds.PixelData, number_of_frames=1)))
    return frames


def rle_of_four_bytes(frame):
    """32 bits as four segments, which pydicom does not write: planes from the highest byte down."""
    planes = [np.ascontiguousarray(plane) for plane in np.moveaxis(frame.view("u1").reshape(*frame.shape, 4), 2, 0)]
    segments = [rle(plane[None])[0][64:] for plane in reversed(planes)]
    starts = 64 + np.cumsum([0] + [len(segment) for segment in segments[:-1]])
    header = np.zeros(16, "<u4")
    header[0], header[1:5] = 4, starts
    return header.tobytes() + b"".join(segments)


def by_dcmtk(ds, *options):
    """The processes that only dcmcjpeg writes here."""
    with tempfile.TemporaryDirectory() as folder:
        before, after = pathlib.Path(folder, "in.dcm"), pathlib.Path(folder, "out.dcm")
        ds.save_as(before, enforce_file_format=True)
        subprocess.run(["dcmcjpeg", "-q", *options, before, after], check=True)
        made = pydicom.dcmread(after)
        made.remove_private_tags()
        for keyword in ("DerivationDescription", "DerivationCodeSequence", "SourceImageSequence"):
            if keyword in made:
                delattr(made, keyword)
        made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = "2.25.20260201.1"
        return made


def palette():
    ds = native(grey(8), "PALETTE COLOR", 8)
    ramp = np.arange(256, dtype="<u2") * 257
    for name, table in (("Red", ramp), ("Green", ramp[::-1]), ("Blue", ramp // 2)):
        setattr(ds, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(ds, f"{name}PaletteColorLookupTableData", table.tobytes())
    return ds


def segmented_palette():
    ds = palette()
    for name in ("Red", "Green", "Blue"):
        delattr(ds, f"{name}PaletteColorLookupTableData")
        # A discrete segment of one entry, then a linear one over the other 255.
        segments = np.array([0, 1, 0, 1, 255, 65535], dtype="<u2").tobytes()
        setattr(ds, f"Segmented{name}PaletteColorLookupTableData", segments)
    return ds


def with_icon_and_overlay():
    ds = native(grey(12), "MONOCHROME2", 12)
    icon = native(grey(8, rows=8, columns=8), "MONOCHROME2", 8)
    item = Dataset()
    for keyword in ("SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns", "BitsAllocated",
                    "BitsStored", "HighBit", "PixelRepresentation", "PixelData"):
        setattr(item, keyword, getattr(icon, keyword))
    item["PixelData"].VR = "OB"
    ds.IconImageSequence = [item]
    for element, vr, value in ((0x0010, "US", ROWS), (0x0011, "US", COLUMNS), (0x0040, "CS", "G"),
                               (0x0050, "SS", [1, 1]), (0x0100, "US", 1), (0x0102, "US", 0),
                               (0x3000, "OW", bytes(ROWS * COLUMNS // 8))):
        ds.add_new((0x6000, element), vr, value)
    return ds


def single_bits():
    array = (grey(8, 3, rows=5, columns=5) > 100).astype("u1")
    packed = np.packbits(array.ravel(), bitorder="little").tobytes()
    return native(array, "MONOCHROME2", 1, allocated=1, frames=3, pixels=packed)


def subsampled_native():
    array = colour()
    pairs = array[0].reshape(-1, 2, 3)
    mixed = np.stack([pairs[:, 0, 0], pairs[:, 1, 0], pairs[:, 0, 1], pairs[:, 0, 2]], -1)
    return native(array, "YBR_FULL_422", 8, pixels=mixed.astype("u1").tobytes())


def deflated(frame):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    stream = packer.compress(frame.tobytes()) + packer.flush()
    return stream + b"\0" * (len(stream) % 2)


def seeds():
    yield "native-grey8", native(grey(8), "MONOCHROME2", 8)
    yield "native-grey16s", native(grey(16, 2, signed=True), "MONOCHROME2", 16, frames=2)
    yield "native-grey12-inverse", native(grey(12), "MONOCHROME1", 12)
    yield "native-grey32", native(grey(32).astype("u4"), "MONOCHROME2", 32)
    yield "native-rgb", native(colour(), "RGB", 8)
    yield "native-rgb-planar", native(colour(), "RGB", 8, planar=1, pixels=np.moveaxis(colour(), 3, 1).tobytes())
    yield "native-ybr422", subsampled_native()
    yield "native-bits", single_bits()
    yield "native-palette", palette()
    yield "native-palette-segmented", segmented_palette()
    yield "native-icon-overlay", with_icon_and_overlay()
    two = grey(16, 2)
    yield "encapsulated-grey16", coded("1.98", [f.tobytes() for f in two], two, "MONOCHROME2", 16)
    yield "deflated-frame-grey16", coded("8.1", [deflated(f) for f in two], two, "MONOCHROME2", 16)
    three = grey(8, 3)
    yield "rle-grey8", coded("5", rle(three), three, "MONOCHROME2", 8)
    yield "rle-grey16s", coded("5", rle(grey(16, 2, signed=True)), grey(16, 2, signed=True), "MONOCHROME2", 16, bot=False)
    yield "rle-rgb", coded("5", rle(colour()), colour(), "RGB", 8)
    yield "rle-grey32", coded("5", [rle_of_four_bytes(grey(32)[0])], grey(32), "MONOCHROME2", 32)
    yield "jpeg-grey8", coded("4.50", jpeg(three, level=85), three, "MONOCHROME2", 8)
    yield "jpeg-grey8-fragments", coded("4.50", jpeg(three, level=85), three, "MONOCHROME2", 8, split=2)
    yield "jpeg-grey8-extended-table", coded("4.50", jpeg(three, level=85), three, "MONOCHROME2", 8, extended=True)
    ycc = colour()
    yield "jpeg-ybr422", coded("4.50", jpeg(ycc, level=85, subsampling="422"), ycc, "YBR_FULL_422", 8)
    yield "jpeg-ybr420", coded("4.50", jpeg(colour(2), level=85, subsampling="420"), colour(2), "YBR_FULL_422", 8)
    yield "jpeg-rgb", coded("4.50", jpeg(ycc, level=85, colorspace="RGB", outcolorspace="RGB"), ycc, "RGB", 8)
    yield "jpeg-restarts", coded("4.50", pillow(three[:1], restart_marker_blocks=2), three[:1], "MONOCHROME2", 8)
    odd = grey(8, rows=17, columns=19)
    yield "jpeg-grey8-odd", coded("4.50", jpeg(odd, level=60), odd, "MONOCHROME2", 8)
    yield "jpeg-progressive", coded("4.51", pillow(ycc, progressive=True), ycc, "YBR_FULL_422", 8)
    yield "jpeg-grey12", by_dcmtk(native(grey(12), "MONOCHROME2", 12), "+ee")
    yield "jpeg-lossless-grey16", by_dcmtk(native(grey(16), "MONOCHROME2", 16), "+e1")
    yield "jpeg-lossless-grey12s", by_dcmtk(native(grey(12, 2, signed=True), "MONOCHROME2", 12, frames=2), "+e1")
    yield "jpeg-lossless-predictor6", by_dcmtk(native(grey(8), "MONOCHROME2", 8), "+el", "+sv", "6")
    yield "jpeg-lossless-rgb", by_dcmtk(native(colour(), "RGB", 8), "+e1")
    yield "jpegls-grey8", coded("4.80", jls(three), three, "MONOCHROME2", 8)
    yield "jpegls-grey12", coded("4.80", jls(grey(12)), grey(12), "MONOCHROME2", 12)
    yield "jpegls-grey16-near", coded("4.81", jls(grey(16), lossy_error=3), grey(16), "MONOCHROME2", 16)
    planes = np.ascontiguousarray(np.moveaxis(ycc, 3, 1))
    for number, name, pixels in ((0, "none", planes), (1, "line", ycc), (2, "sample", ycc)):
        yield f"jpegls-rgb-{name}", coded("4.80", jls(pixels, interleave_mode=number), ycc, "RGB", 8)
    # OpenJPEG's five reductions want 32 pixels each way.
    large = {"rows": 33, "columns": 37}
    two = grey(16, 2, **large)
    yield "j2k-grey16", coded("4.90", j2k(two, 16), two, "MONOCHROME2", 16)
    signed = grey(12, signed=True, **large)
    yield "j2k-grey12s", coded("4.90", j2k(signed, 12), signed, "MONOCHROME2", 12)
    rgb = colour(**large)
    as_rgb = {"photometric_interpretation": 1, "use_mct": True}
    yield "j2k-rct", coded("4.90", j2k(rgb, 8, **as_rgb), rgb, "YBR_RCT", 8)
    lossy = j2k(rgb, 8, compression_ratios=[4], **as_rgb)
    yield "j2k-ict", coded("4.91", lossy, rgb, "YBR_ICT", 8)
    boxed = j2k(two[:1], 16, codec_format=1)
    yield "j2k-boxes", coded("4.90", boxed, two[:1], "MONOCHROME2", 16)
    high = [imagecodecs.htj2k_encode(frame, reversible=True) for frame in two[:1]]
    yield "htj2k-grey16", coded("4.201", high, two[:1], "MONOCHROME2", 16)
    high = [imagecodecs.htj2k_encode(frame, reversible=True) for frame in rgb]
    yield "htj2k-rgb", coded("4.203", high, rgb, "YBR_RCT", 8)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, ds in seeds():
        path = folder / f"{name}.dcm"
        options = {"implicit_vr": False, "little_endian": True, "force_encoding": True}
        ds.preamble = bytes(128)
        pydicom.dcmwrite(path, ds, **options)


main()
