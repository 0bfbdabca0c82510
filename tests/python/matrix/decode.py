"""What pydicom, and a second reader, decode: a file in, stored values out.

Values keep their stored colour space (`raw=True`); what a JPEG 2000 decoder
makes of YBR_RCT or YBR_ICT is RGB, here as in airlock. Values that do not begin
at the lowest bit are shifted down: the value is compared, not the word.
"""

import subprocess
import zlib

import gdcm
import numpy as np
import pydicom
from pydicom.encaps import generate_frames
from pydicom.pixels import get_decoder

from .objects import DEFLATED, DEFLATED_FRAME, ENCAPSULATED, EXPLICIT, IMPLICIT, JPEG, RLE

# Part 2 multi-component syntaxes, which pydicom has no decoder for: what is in
# them here is an ordinary codestream.
RELABELLED = {JPEG + "92": JPEG + "90", JPEG + "93": JPEG + "91"}


def by_pydicom(path):
    """Stored values as (frames, rows, columns[, samples]), and what they mean."""
    data_set = pydicom.dcmread(path)
    syntax = data_set.file_meta.TransferSyntaxUID
    if syntax in (ENCAPSULATED, DEFLATED_FRAME):
        uncompressed(data_set)
    elif syntax in RELABELLED:
        data_set.file_meta.TransferSyntaxUID = RELABELLED[syntax]
    return values_of(data_set)


def values_of(data_set):
    decoder = get_decoder(data_set.file_meta.TransferSyntaxUID)
    shift = max(0, data_set.HighBit + 1 - data_set.BitsStored)
    options = {"raw": True}
    if shift:
        # pydicom looks for the value at the lowest bit and takes the rest away.
        options["correct_unused_bits"] = False
    for plugin in plugins(decoder, data_set):
        try:
            values, properties = decoder.as_array(data_set, decoding_plugin=plugin, **options)
            break
        except RuntimeError:
            # It says why when none can.
            if not plugin:
                raise
    frames = int(data_set.get("NumberOfFrames", 1) or 1)
    shape = (frames, data_set.Rows, data_set.Columns)
    if data_set.SamplesPerPixel > 1:
        shape += (data_set.SamplesPerPixel,)
    values = values.reshape(shape)
    if shift:
        values = (values >> shift) & (2**data_set.BitsStored - 1)
    return values, str(properties["photometric_interpretation"])


def plugins(decoder, data_set):
    """Which plug-ins to ask, in order; the empty name means any. GDCM last, since
    it is the other reader. Pillow for JPEG with 8 bits: how subsampled colour is
    drawn out is not standardised, and its libjpeg-turbo is what most viewers show;
    pylibjpeg draws it out in another way."""
    wanted = ["pyjpegls", "pylibjpeg"]
    if decoder.UID in (JPEG + "50", JPEG + "51") and data_set.BitsStored == 8:
        wanted = ["pillow", *wanted]
    return [*(name for name in wanted if name in decoder.available_plugins), ""]


def uncompressed(data_set):
    """Frames in fragments joined to native Pixel Data, which pydicom does not do."""
    frames = list(
        generate_frames(data_set.PixelData, number_of_frames=data_set.get("NumberOfFrames", 1))
    )
    if data_set.file_meta.TransferSyntaxUID == DEFLATED_FRAME:
        frames = [zlib.decompressobj(-15).decompress(frame) for frame in frames]
    length = native_frame_bytes(data_set)
    data_set.PixelData = b"".join(frame[:length] for frame in frames)
    data_set["PixelData"].is_undefined_length = False
    data_set["PixelData"].VR = "OW" if data_set.BitsAllocated > 8 else "OB"
    data_set.file_meta.TransferSyntaxUID = EXPLICIT


def native_frame_bytes(data_set):
    samples = (
        2 if data_set.PhotometricInterpretation == "YBR_FULL_422" else data_set.SamplesPerPixel
    )
    return data_set.Rows * data_set.Columns * samples * data_set.BitsAllocated // 8


def by_another(path, scratch):
    """(reader, values) by dcmtk, or by GDCM where dcmtk has no such decoder."""
    syntax = pydicom.dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID
    tools = {
        JPEG + "50": ["dcmdjpeg", "+cn"],
        JPEG + "51": ["dcmdjpeg", "+cn"],
        JPEG + "57": ["dcmdjpeg", "+cn"],
        JPEG + "70": ["dcmdjpeg", "+cn"],
        JPEG + "80": ["dcmdjpls"],
        JPEG + "81": ["dcmdjpls"],
        RLE: ["dcmdrle"],
    }
    if syntax in tools or syntax in (IMPLICIT, EXPLICIT, DEFLATED):
        command = [*tools.get(syntax, ["dcmconv"]), "+te"]
        return "dcmtk", through_dcmtk(command, path, scratch / (path.stem + ".dcmtk"))
    if syntax in (JPEG + "90", JPEG + "91"):
        return "gdcm", through_gdcm(path)
    if syntax in (ENCAPSULATED, DEFLATED_FRAME):
        return "dcmtk (fragments)", None
    raise ValueError(f"neither dcmtk nor gdcm reads {syntax.name}")


def through_dcmtk(command, path, target):
    command = [*command, str(path), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.startswith(("E:", "F:"))]
        raise ValueError(f"{command[0]}: {lines[0] if lines else done.returncode}")
    values, _photometric = by_pydicom(target)
    target.unlink()
    return values


def through_gdcm(path):
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    if not reader.Read():
        raise ValueError("gdcm cannot read it")
    image = reader.GetImage()
    data_set = pydicom.dcmread(path)
    pixels = image.GetBuffer().encode("utf-8", "surrogateescape")
    width = data_set.BitsAllocated // 8
    values = np.frombuffer(pixels, f"<{'i' if data_set.PixelRepresentation else 'u'}{width}")
    frames = int(data_set.get("NumberOfFrames", 1) or 1)
    shape = (frames, data_set.Rows, data_set.Columns)
    if data_set.SamplesPerPixel == 1:
        return values.reshape(shape)
    if image.GetPlanarConfiguration() == 1:
        return np.moveaxis(values.reshape(frames, 3, *shape[1:]), 1, -1)
    return values.reshape(*shape, 3)
