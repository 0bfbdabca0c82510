"""A scene as a DICOM file: depth, colour, coding, and a header that knows some of what is burned in."""
import io

import numpy as np
from PIL import Image, ImageFilter
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import UID, JPEG2000Lossless, JPEGBaseline8Bit, JPEGLSLossless, RLELossless, generate_uid

NATIVE = ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"]
MODALITY = {"us": "US", "xa": "XA", "xr": "CR", "mg": "MG", "ct": "CT", "endo": "ES", "eye": "OP", "dose": "OT"}
OF_CLASS = {"1.2.840.10008.5.1.4.1.1.7": "OT", "1.2.840.10008.5.1.4.1.1.1.1": "DX", "1.2.840.10008.5.1.4.1.1.4": "MR", "1.2.840.10008.5.1.4.1.1.12.2": "RF", "1.2.840.10008.5.1.4.1.1.77.1.4": "XC"}
MAKERS = [("NORDIC MEDICAL", "SonoView 7"), ("Acme Imaging", "Vantage X"), ("PHILIPS", "Affiniti 70G"), ("GE Healthcare", "LOGIQ E9"), ("SIEMENS", "ACUSON"), ("FUJIFILM", "FCR"), ("Lumen Optics", "Insight 3")]


def pictures(c):
    """All frames, 0 to 255, with the scene's blur, grain and ringing."""
    scene = c.scene
    for frame in range(scene.frames):
        picture = scene.render(frame)
        if scene.blur:
            picture = np.asarray(Image.fromarray(picture.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(scene.blur)), np.float32)
        if scene.noise:
            picture = picture + c.noise.normal(0, scene.noise, picture.shape[:2])[..., None]
        picture = picture.clip(0, 255)
        if scene.jpeg:
            picture = np.asarray(Image.open(io.BytesIO(jpeg(picture.astype(np.uint8), scene.jpeg))), np.float32)
        yield picture


def jpeg(picture, quality):
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=quality, subsampling=0 if picture.ndim == 2 else 1)
    return out.getvalue()


def write(c, path):
    """The file, and in the key's words how it is stored."""
    rng, plan = c.rng, c.plan
    if rng.random() < 0.2 and not plan.get("large"):
        c.scene.jpeg = rng.randint(45, 80)
    frames = list(pictures(c))
    data_set = header(c)
    kind, depth = plan["kind"], plan["depth"]
    if kind == "palette" and c.scene.frames > 1:
        kind = "rgb"
    store = {"mono": grey, "mono1": grey, "rgb": colour, "ybr": lossy, "palette": palette}[kind]
    syntax = store(c, data_set, frames, depth, kind)
    coding = rng.choices(["native", RLELossless, JPEG2000Lossless, JPEGLSLossless], [64, 14, 14, 8])[0] if syntax is None else "native"
    data_set.file_meta.TransferSyntaxUID = UID(syntax or rng.choice(NATIVE))
    if coding != "native" and (kind != "palette" or coding == RLELossless):
        data_set.file_meta.TransferSyntaxUID = UID(NATIVE[0])
        data_set.compress(coding, generate_instance_uid=False)
    data_set.save_as(path, enforce_file_format=True)
    return {"kind": kind, "depth": depth, "syntax": str(data_set.file_meta.TransferSyntaxUID), "ringing": c.scene.jpeg or 0, "frames": c.scene.frames, "lossy": kind == "ybr"}


def grey(c, data_set, frames, depth, kind):
    """MONOCHROME of 8 to 16 bits; the deep ones have grain under the last shown step."""
    planes = []
    for picture in frames:
        plane = picture @ np.array([0.299, 0.587, 0.114], np.float32)
        if depth > 8:
            top = (1 << depth) - 1
            plane = (plane / 255 * top * 0.96 + c.noise.normal(0, top / 900, plane.shape)).clip(0, top)
        planes.append(plane.round().astype(np.uint16 if depth > 8 else np.uint8))
    pixels = np.stack(planes)
    if kind == "mono1":
        pixels = ((1 << depth) - 1) - pixels
    pixel_module(data_set, pixels, 1, "MONOCHROME1" if kind == "mono1" else "MONOCHROME2", depth)
    if depth > 8:
        data_set.WindowCenter, data_set.WindowWidth = 1 << (depth - 1), 1 << depth
    return None


def colour(c, data_set, frames, depth, kind):
    pixel_module(data_set, np.stack([f.round().astype(np.uint8) for f in frames]), 3, "RGB", 8)
    return None


def lossy(c, data_set, frames, depth, kind):
    """JPEG baseline, YBR_FULL_422, as most colour stills in archives are."""
    pixels = np.stack([f.round().astype(np.uint8) for f in frames])
    pixel_module(data_set, pixels, 3, "YBR_FULL_422", 8)
    quality = c.rng.randint(70, 94)
    data_set.PixelData = encapsulate([jpeg(p, quality) for p in pixels])
    data_set["PixelData"].VR = "OB"
    data_set["PixelData"].is_undefined_length = True
    data_set.LossyImageCompression = "01"
    return JPEGBaseline8Bit


def palette(c, data_set, frames, depth, kind):
    image = Image.fromarray(frames[0].round().astype(np.uint8)).quantize(256, dither=Image.Dither.NONE)
    pixel_module(data_set, np.asarray(image)[None], 1, "PALETTE COLOR", 8)
    table = np.zeros((256, 3), np.uint16)
    colours = np.array(image.getpalette(), np.uint16).reshape(-1, 3)
    table[:len(colours)] = colours * 257
    for k, name in enumerate(("Red", "Green", "Blue")):
        setattr(data_set, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(data_set, f"{name}PaletteColorLookupTableData", table[:, k].astype("<u2").tobytes())
    return None


def pixel_module(data_set, pixels, samples, photometric, depth):
    data_set.SamplesPerPixel, data_set.PhotometricInterpretation = samples, photometric
    data_set.Rows, data_set.Columns = pixels.shape[1:3]
    data_set.BitsAllocated, data_set.BitsStored, data_set.HighBit = pixels.itemsize * 8, depth, depth - 1
    data_set.PixelRepresentation = 0
    if samples == 3:
        data_set.PlanarConfiguration = 0
    if len(pixels) > 1:
        data_set.NumberOfFrames = len(pixels)
        data_set.FrameTime = "40"
        data_set.FrameIncrementPointer = 0x00181063
    raw = pixels.tobytes()
    data_set.PixelData = raw + b"\0" * (len(raw) % 2)
    data_set["PixelData"].VR = "OB" if pixels.itemsize == 1 else "OW"


def header(c):
    """Patient to equipment. What is burned in stands here only in part."""
    rng, who = c.rng, c.who
    meta = FileMetaDataset()
    data_set = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    uid = lambda what: generate_uid(prefix="2.25.", entropy_srcs=[what, str(c.number), who.last, who.id])
    data_set.SpecificCharacterSet = "ISO_IR 192"
    data_set.SOPClassUID, data_set.SOPInstanceUID = c.plan["sop"], uid("instance")
    data_set.StudyInstanceUID, data_set.SeriesInstanceUID = uid("study"), uid("series")
    data_set.PatientName, data_set.PatientID = f"{who.last}^{who.first}", who.id
    data_set.PatientBirthDate, data_set.PatientSex = f"{who.born:%Y%m%d}", who.sex
    data_set.StudyDate = data_set.SeriesDate = data_set.ContentDate = f"{who.day:%Y%m%d}"
    data_set.StudyTime = data_set.ContentTime = who.time.replace(":", "")
    data_set.AccessionNumber, data_set.StudyID = who.accession[:16], "1"
    data_set.ReferringPhysicianName = f"{who.doctor[1]}^{who.doctor[0]}" if rng.random() < 0.8 else ""
    if rng.random() < 0.6:
        data_set.OperatorsName = f"{who.operator[1]}^{who.operator[0]}"
    if rng.random() < 0.8:
        data_set.InstitutionName = who.house[:64]
    data_set.Manufacturer, data_set.ManufacturerModelName = rng.choice(MAKERS)
    data_set.Modality = OF_CLASS.get(c.plan["sop"], MODALITY[c.modality])
    data_set.SeriesNumber, data_set.InstanceNumber = 1, c.number
    data_set.ImageType = ["DERIVED" if data_set.Modality == "OT" else "ORIGINAL", "SECONDARY" if data_set.Modality == "OT" else "PRIMARY"]
    if rng.random() < 0.6:
        data_set.BurnedInAnnotation = rng.choice(["YES", "YES", "NO"])
    if data_set.Modality == "OT":
        data_set.ConversionType = rng.choice(["WSD", "SI", "DF"])
    if data_set.Modality in ("CT", "MR"):
        data_set.PixelSpacing, data_set.SliceThickness = [0.7, 0.7], "5"
        data_set.ImagePositionPatient, data_set.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
        data_set.FrameOfReferenceUID = uid("frame")
    if c.regions and data_set.Modality == "US":
        regions(c, data_set)
    return data_set


def regions(c, data_set):
    """Half have the scan's region, the rest none, the whole picture, or an empty one."""
    how = c.rng.choices(["true", "none", "whole", "empty"], [55, 30, 10, 5])[0]
    if how == "none":
        return
    x0, y0, x1, y1 = {"true": c.regions, "whole": (0, 0, c.scene.width - 1, c.scene.height - 1), "empty": (0, 0, 0, 0)}[how]
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = 1, 1, 0
    item.RegionLocationMinX0, item.RegionLocationMinY0, item.RegionLocationMaxX1, item.RegionLocationMaxY1 = x0, y0, x1, y1
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 3
    item.PhysicalDeltaX = item.PhysicalDeltaY = 0.02
    data_set.SequenceOfUltrasoundRegions = Sequence([item])
