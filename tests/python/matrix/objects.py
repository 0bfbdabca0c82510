"""Instances around pictures: stored values or coded frames in, a data set out."""

import hashlib
import zlib

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.uid import UID

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
ENCAPSULATED = "1.2.840.10008.1.2.1.98"
DEFLATED_FRAME = "1.2.840.10008.1.2.8.1"
RLE = "1.2.840.10008.1.2.5"
JPEG = "1.2.840.10008.1.2.4."

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
UID_ROOT = "2.25."


def uid(*words):
    """The same UID for the same words."""
    digest = hashlib.sha256("/".join(map(str, words)).encode()).digest()
    return UID(UID_ROOT + str(int.from_bytes(digest[:14])))


def sop_class(kind, frames):
    """Secondary Capture, or its class of several frames that fits."""
    if frames == 1:
        return SECONDARY_CAPTURE
    if kind.allocated == 1:
        return SECONDARY_CAPTURE + ".1"
    if kind.samples == 3 or kind.palette:
        return SECONDARY_CAPTURE + ".4"
    return SECONDARY_CAPTURE + (".2" if kind.allocated == 8 else ".3")


def header(name, kind, syntax, rows, columns, frames):
    """A data set without Pixel Data."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class(kind, frames)
    meta.MediaStorageSOPInstanceUID = uid("instance", name)
    meta.TransferSyntaxUID = syntax
    data_set = Dataset()
    data_set.file_meta = meta
    data_set.ImageType = ["DERIVED", "SECONDARY"]
    data_set.SOPClassUID = meta.MediaStorageSOPClassUID
    data_set.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    data_set.StudyDate = "20260102"
    data_set.StudyTime = "101112"
    data_set.AccessionNumber = ""
    data_set.Modality = "OT"
    data_set.ConversionType = "SYN"
    data_set.ReferringPhysicianName = ""
    data_set.PatientName = "Invented^Matrix"
    data_set.PatientID = "MATRIX-1"
    data_set.PatientBirthDate = ""
    data_set.PatientSex = "O"
    data_set.StudyInstanceUID = uid("study")
    data_set.SeriesInstanceUID = uid("series", syntax)
    data_set.StudyID = "1"
    data_set.SeriesNumber = "1"
    data_set.InstanceNumber = "1"
    data_set.PatientOrientation = ""
    put_pixel_attributes(data_set, kind, rows, columns, frames)
    return data_set


def put_pixel_attributes(data_set, kind, rows, columns, frames):
    data_set.SamplesPerPixel = kind.samples
    data_set.PhotometricInterpretation = kind.photometric
    if kind.samples == 3:
        data_set.PlanarConfiguration = kind.planar
    if frames > 1:
        data_set.NumberOfFrames = str(frames)
    data_set.Rows, data_set.Columns = rows, columns
    data_set.BitsAllocated, data_set.BitsStored = kind.allocated, kind.stored
    data_set.HighBit = kind.stored - 1
    data_set.PixelRepresentation = int(kind.signed)
    if kind.palette:
        put_palette(data_set, *kind.palette)


def put_palette(data_set, entries, bits, segmented):
    """Red, green and blue tables; the darkest entry is neither first nor last."""
    top = 2**bits - 1
    places = np.arange(entries)
    dark = entries // 5
    for number, keyword in enumerate(("Red", "Green", "Blue")):
        values = np.abs(places - dark) * top // (entries - dark + 7 * number)
        descriptor = [entries % 65536, 0, bits]
        setattr(data_set, f"{keyword}PaletteColorLookupTableDescriptor", descriptor)
        if segmented:
            # One discrete segment with the first value, then lines up and down
            # (PS3.3 §C.7.9.2).
            words = [0, 1, values[0], 1, dark, values[dark], 1, entries - 1 - dark, values[-1]]
            table = np.array(words, "<u2").tobytes()
            setattr(data_set, f"Segmented{keyword}PaletteColorLookupTableData", table)
        else:
            table = values.astype("<u2" if bits == 16 else "u1").tobytes()
            setattr(data_set, f"{keyword}PaletteColorLookupTableData", table)


def turn_palette(data_set):
    """Table values are words, and pydicom writes their bytes as they are."""
    for element in data_set:
        if element.keyword.endswith("PaletteColorLookupTableData"):
            element.value = np.frombuffer(element.value, "<u2").byteswap().tobytes()


def native_bytes(values, kind):
    """Little endian bytes of all frames, as they stand in native Pixel Data."""
    if kind.allocated == 1:
        return np.packbits(values.astype(bool).ravel(), bitorder="little").tobytes()
    if kind.photometric == "YBR_FULL_422":
        pairs = values.reshape(-1, 2, 3)
        packed = np.stack([pairs[:, 0, 0], pairs[:, 1, 0], pairs[:, 0, 1], pairs[:, 0, 2]], axis=1)
        return packed.astype(kind.dtype).tobytes()
    if kind.samples == 3 and kind.planar:
        return np.moveaxis(values, -1, 1).astype(kind.dtype).tobytes()
    return values.astype(kind.dtype).tobytes()


def native(name, kind, values, syntax):
    """An instance in a native transfer syntax."""
    frames, rows, columns = values.shape[:3]
    data_set = header(name, kind, syntax, rows, columns, frames)
    pixels = native_bytes(values, kind)
    if syntax == BIG_ENDIAN and kind.allocated > 8:
        pixels = np.frombuffer(pixels, f"<u{kind.allocated // 8}").byteswap().tobytes()
    if syntax == BIG_ENDIAN:
        turn_palette(data_set)
    put_native(data_set, pixels, kind, syntax)
    return data_set


def put_native(data_set, pixels, kind, syntax):
    data_set.PixelData = pixels + b"\0" * (len(pixels) % 2)
    wide = kind.allocated > 8 or syntax == IMPLICIT
    data_set["PixelData"].VR = "OW" if wide else "OB"


def encapsulated(name, kind, shape, syntax, coded, table="basic", fragments=1):
    """An instance of coded frames; `table` is basic, empty or extended."""
    frames, rows, columns = shape[:3]
    data_set = header(name, kind, syntax, rows, columns, frames)
    put_frames(data_set, coded, table, fragments)
    return data_set


def put_frames(data_set, coded, table="basic", fragments=1):
    if table == "extended":
        value, offsets, lengths = encapsulate_extended(coded)
        data_set.ExtendedOffsetTable, data_set.ExtendedOffsetTableLengths = offsets, lengths
    else:
        value = encapsulate(coded, fragments_per_frame=fragments, has_bot=table == "basic")
    data_set.PixelData = value
    data_set["PixelData"].VR = "OB"
    data_set["PixelData"].is_undefined_length = True


def split(values, kind):
    """Native bytes of each frame."""
    return [native_bytes(frame[np.newaxis], kind) for frame in values]


def deflate(frame):
    """A frame as PS3.5 §A.4.13 wants it: a bare deflate stream."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(frame) + packer.flush()


def mark_lossy(data_set, method):
    data_set.LossyImageCompression = "01"
    data_set.LossyImageCompressionRatio = "10"
    data_set.LossyImageCompressionMethod = method
