"""Invented pictures that bench_pictures.py measures with: an ultrasound still and
cine with burned-in text, and CT slices without any.

Persons, places and anatomy are made up; the typeface is the one that Pillow
carries. Each number gives another picture, the same in every run. Only `head_ct`
takes a real slice: 693_UNCR of PyPI `pydicom-data`.
"""

import functools
import io
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
from bench_header import slice_of
from frameset.backgrounds import sector
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, JPEGBaseline8Bit
from pydicom.uid import UltrasoundImageStorage, UltrasoundMultiFrameImageStorage
from scipy import ndimage

# Where a line stands in parts of width and height, its size, and what it says:
# with identity, and with as many letters of clinical words.
BANNER = [
    (0.01, 0.010, 16, "ST. MARY HOSPITAL", "GALLBLADDER LONG"),
    (0.35, 0.010, 16, "OSTROWSKI, MAREK", "PORTAL VEIN TRANS"),
    (0.74, 0.010, 14, "02.01.2026 10:15:32", "RIGHT LOBE LIVER"),
    (0.35, 0.050, 14, "DOB: 14-MAR-1967", "COMMON BILE DUCT"),
    (0.74, 0.050, 14, "ID 998127{:02}", "Depth 14.{:02} cm"),
    (0.01, 0.050, 14, "Dr. Beispiel", "LONG AXIS"),
]
SETTINGS = ["C5-1 Abd Gen", "FR 31Hz", "Gn 62", "DR 60", "Map 3", "2D 60%", "MI 0.8 TIS 0.4"]
OVER_SCAN = [(0.42, 0.55, 18, "LIVER SAG"), (0.78, 0.88, 14, "Dist 1.43 cm"), (0.78, 0.92, 14, "Vel 45.2 cm/s")]
LINES = len(BANNER) + len(SETTINGS) + len(OVER_SCAN)
IDENTIFYING = len(BANNER)

# Colour: mean HU and how wide across the body, of a chest that nobody has.
AIR, FAT, SOFT, LUNG, BONE, CORTEX, TABLE = -1000, -95, 45, -840, 320, 780, -180
PADDING = -2000
SIDE_PX = 512


@functools.cache
def fan(width, height):
    """Speckle in a fan: a frame's number in, the picture out."""
    box = (round(0.2 * width), round(0.15 * height), round(0.88 * width), round(0.93 * height))
    return sector(np.random.default_rng(width), width, height, box), box


def screen(width, height, number, moved, identity=True):
    """A screen with its lines; `moved` is the place of the speckle."""
    pixels = fan(width, height)[0](moved).astype(np.uint8)
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    lines = [(x, y, size, named if identity else clinical) for x, y, size, named, clinical in BANNER]
    lines += [(0.01, 0.2 + 0.07 * row, 13, text) for row, text in enumerate(SETTINGS)]
    for x, y, size, text in lines + OVER_SCAN:
        place = (round(x * width), round(y * height))
        draw.text(place, text.format(number % 100), fill=(235, 235, 225), font=ImageFont.load_default(size))
    return np.asarray(image)


def header(sop_class, modality, number):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = f"2.25.20260303.1.{number}"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset(None, {}, file_meta=meta, preamble=bytes(128))
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, meta.MediaStorageSOPInstanceUID
    ds.StudyInstanceUID, ds.SeriesInstanceUID = "2.25.20260303.2", "2.25.20260303.3"
    ds.StudyDate, ds.StudyTime, ds.Modality = "20260102", "101500", modality
    ds.PatientName, ds.PatientID, ds.PatientBirthDate = "Ostrowski^Marek", "99812701", "19670314"
    ds.PatientSex, ds.ReferringPhysicianName = "M", "Beispiel^Ada"
    ds.InstitutionName, ds.Manufacturer, ds.AccessionNumber = "St. Mary Hospital", "Exampleworks", "A4711"
    ds.StudyID, ds.SeriesNumber, ds.InstanceNumber = "1", "1", str(number)
    ds.ImageType = ["ORIGINAL", "PRIMARY"]
    return ds


def put_pixels(ds, frames):
    height, width = frames[0].shape[:2]
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0
    ds.Rows, ds.Columns, ds.NumberOfFrames = height, width, len(frames)
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    ds.PixelData = b"".join(frame.tobytes() for frame in frames)


def put_region(ds, width, height):
    x0, y0, x1, y1 = fan(width, height)[1]
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = 1, 1, 0
    item.RegionLocationMinX0, item.RegionLocationMinY0 = x0, y0
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = x1, y1
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 3
    item.PhysicalDeltaX = item.PhysicalDeltaY = 0.02
    ds.SequenceOfUltrasoundRegions = Sequence([item])


def write_still(path, number, identity=True, sop_class=UltrasoundImageStorage):
    """A native colour still of 800 × 600; its pixels."""
    pixels = screen(800, 600, number, number, identity)
    is_ultrasound = sop_class == UltrasoundImageStorage
    ds = header(sop_class, "US" if is_ultrasound else "CT", number)
    if is_ultrasound:
        put_region(ds, 800, 600)
    put_pixels(ds, [pixels])
    ds.save_as(path, enforce_file_format=True)
    return pixels


def cine_frames(count, kind):
    """JPEG baseline frames of 640 × 480 with a banner that stays. The speckle is
    `frozen`, has `grain` of one step of 255 (more where the coding adds to it), or is
    `moving` from frame to frame."""
    if kind == "moving":
        return [encoded(screen(640, 480, 1, frame)) for frame in range(count)]
    still = screen(640, 480, 1, 0)
    if kind == "frozen":
        return [encoded(still)] * count
    random, inside = np.random.default_rng(3), fan(640, 480)[0](0) > 0
    grains = [random.integers(0, 2, (480, 640, 1), np.uint8) * inside for _ in range(count)]
    return [encoded(np.minimum(still, 254) + one) for one in grains]


def encoded(frame):
    return imagecodecs.jpeg8_encode(frame, level=90, subsampling="422")


def decoded(stream):
    return imagecodecs.jpeg8_decode(stream)


def write_cine(path, number, coded):
    """A cine of coded frames; with one frame a still."""
    many = len(coded) > 1
    ds = header(UltrasoundMultiFrameImageStorage if many else UltrasoundImageStorage, "US", number)
    put_region(ds, 640, 480)
    put_pixels(ds, [decoded(coded[0])])
    ds.PhotometricInterpretation, ds.LossyImageCompression = "YBR_FULL_422", "01"
    ds.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    if many:
        ds.NumberOfFrames, ds.FrameTime, ds.FrameIncrementPointer = len(coded), "40", 0x00181063
    else:
        del ds.NumberOfFrames
    ds.PixelData = encapsulate(coded)
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    ds.save_as(path, enforce_file_format=True)


def chest_ct(number):
    """HU of a slice through a chest: skin, lungs with vessels, heart, ribs, spine,
    the table below, and the noise of a scanner."""
    random = np.random.default_rng(number)
    v, u = np.mgrid[-1 : 1 : SIDE_PX * 1j, -1 : 1 : SIDE_PX * 1j].astype(np.float32)
    level = number / 500

    def ellipse(x, y, a, b):
        return np.hypot((u - x) / a, (v - y) / b) < 1

    hu = np.full((SIDE_PX, SIDE_PX), AIR, np.float32)
    wide, deep = 0.78 + 0.05 * np.sin(9 * level), 0.55 + 0.03 * np.cos(7 * level)
    hu[ellipse(0, 0, wide, deep)] = FAT
    hu[ellipse(0, 0, wide - 0.06, deep - 0.06)] = SOFT
    angle = np.arctan2(v, u)
    wall = ellipse(0, 0, wide - 0.10, deep - 0.09) & ~ellipse(0, 0, wide - 0.14, deep - 0.12)
    hu[wall & (np.sin(11 * angle + 20 * level) > 0.2)] = CORTEX - 300
    for side in (-1, 1):
        lung = ellipse(side * 0.34, -0.02, 0.27, 0.38 - 0.2 * level)
        hu[lung] = LUNG
        for x, y, r in random.uniform((-0.2, -0.25, 0.004), (0.2, 0.25, 0.02), (40, 3)):
            hu[lung & ellipse(side * 0.34 + x, y, r, r * 1.4)] = SOFT
    hu[ellipse(0.1, -0.1, 0.2, 0.2)] = SOFT + 15
    hu[ellipse(0, 0.32, 0.1, 0.1)] = CORTEX
    hu[ellipse(0, 0.32, 0.085, 0.085)] = BONE
    hu[ellipse(0, 0.43, 0.03, 0.03)] = 10
    hu[np.abs(np.hypot(u, v + 0.6) - 1.25) < 0.008] = TABLE
    hu = ndimage.gaussian_filter(hu, 0.8) + 30 * ndimage.gaussian_filter(random.normal(size=hu.shape), 0.8)
    stored = np.clip(hu + 1024, 0, 4095)
    stored[np.hypot(u, v) > 1] = PADDING
    return stored.round().astype("<i2")


@functools.cache
def real_head():
    import data_store

    found = next(Path(data_store.__file__).parent.rglob("693_UNCR.dcm"))
    return pydicom.dcmread(found).pixel_array


def head_ct(number):
    """The real slice with noise of its own, turned over by number."""
    stored = real_head()[:: 1 - 2 * (number & 1), :: 1 - (number & 2)]
    noise = np.random.default_rng(number).normal(0, 4, stored.shape)
    return np.where(stored == PADDING, PADDING, stored + noise).round().astype("<i2")


def write_ct(path, number, drawn=chest_ct):
    ds = slice_of(number)
    ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 15, 1
    for keyword in ("SmallestImagePixelValue", "LargestImagePixelValue"):
        delattr(ds, keyword)
    ds.add_new("PixelPaddingValue", "SS", PADDING)
    ds.PixelData = drawn(number).tobytes()
    assert ds.SOPClassUID == CTImageStorage
    ds.save_as(path, enforce_file_format=True)


def png(pixels):
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()
