"""Foreign encoders: stored values in, codestreams or whole files out.

Each is somebody else's; what airlock reads was never written by airlock.
"""

import io
import subprocess

import gdcm
import imagecodecs
import jpeg_ls
import numpy as np
import openjpeg
from PIL import Image
from rle.utils import encode_pixel_data

SOI_BYTES = 2


def jpeg(values, **options):
    """libjpeg-turbo: lossy with 8 or 12 bits, lossless with 2 to 16."""
    return imagecodecs.jpeg8_encode(np.ascontiguousarray(values), **options)


def pillow_jpeg(values, mode=None, **options):
    """The same library with its other options: restarts, colour as it is."""
    out = io.BytesIO()
    Image.fromarray(values, mode=mode).save(out, "JPEG", **options)
    return out.getvalue()


def without_segments(stream, markers):
    """A JPEG stream without the named segments before its first scan."""
    kept, at = [stream[:SOI_BYTES]], SOI_BYTES
    while stream[at + 1] != 0xDA:
        after = at + 2 + int.from_bytes(stream[at + 2 : at + 4])
        if stream[at + 1] not in markers:
            kept.append(stream[at:after])
        at = after
    return b"".join([*kept, stream[at:]])


def j2k(values, kind, mct=False, **options):
    """OpenJPEG."""
    photometric = 1 if mct else 0
    return openjpeg.encode(
        values,
        bits_stored=kind.stored,
        photometric_interpretation=photometric,
        use_mct=mct,
        **options,
    )


def htj2k(values, **options):
    """OpenJPH."""
    return bytes(imagecodecs.htj2k_encode(np.ascontiguousarray(values), **options))


def jls(values, interleave=0, near=0):
    """CharLS; interleave 0 none, 1 line, 2 sample."""
    if values.ndim == 3 and interleave == 0:
        values = np.moveaxis(values, -1, 0)
    return bytes(jpeg_ls.encode_array(np.ascontiguousarray(values), near, interleave))


def rle(values):
    """pylibjpeg's RLE, which knows 32 bits; one sample a pixel."""
    rows, columns = values.shape
    bits = 8 * values.dtype.itemsize
    shape = {"rows": rows, "columns": columns, "samples_per_pixel": 1, "bits_allocated": bits}
    return bytes(encode_pixel_data(values.tobytes(), byteorder="<", number_of_frames=1, **shape))


def dcmtk(tool, options, source, target):
    """dcmcjpeg, dcmcjpls or dcmcrle on a file."""
    command = [tool, *options, str(source), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.startswith(("E:", "F:"))]
        raise ValueError(f"{tool}: {lines[0] if lines else done.returncode}")


GDCM_SYNTAXES = {
    "1.2.840.10008.1.2.4.50": gdcm.TransferSyntax.JPEGBaselineProcess1,
    "1.2.840.10008.1.2.4.51": gdcm.TransferSyntax.JPEGExtendedProcess2_4,
    "1.2.840.10008.1.2.4.57": gdcm.TransferSyntax.JPEGLosslessProcess14,
    "1.2.840.10008.1.2.4.70": gdcm.TransferSyntax.JPEGLosslessProcess14_1,
    "1.2.840.10008.1.2.4.80": gdcm.TransferSyntax.JPEGLSLossless,
    "1.2.840.10008.1.2.4.90": gdcm.TransferSyntax.JPEG2000Lossless,
    "1.2.840.10008.1.2.4.91": gdcm.TransferSyntax.JPEG2000,
    "1.2.840.10008.1.2.5": gdcm.TransferSyntax.RLELossless,
}


def gdcm_file(syntax, source, target):
    """GDCM on a file."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(source))
    if not reader.Read():
        raise ValueError("gdcm cannot read its source")
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(GDCM_SYNTAXES[syntax]))
    change.SetInput(reader.GetImage())
    if not change.Change():
        raise ValueError("gdcm cannot code this")
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(target))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    if not writer.Write():
        raise ValueError("gdcm cannot write this")
