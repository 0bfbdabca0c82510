"""Cells of JPEG-LS, JPEG 2000 and HTJ2K."""

from . import encode
from .cell import (
    COLOURS,
    EXTREMES,
    GREYS,
    ISO_HTJ2K,
    ISO_J2K,
    ISO_JPEG_LS,
    ODD,
    ODD_BITS,
    by_dcmtk,
    by_gdcm,
    coded_cell,
    large_cells,
    pydicom_cell,
)
from .objects import JPEG
from .pictures import colour, grey, palette


def jpeg_ls_cells(scratch):
    lossless, near = JPEG + "80", JPEG + "81"
    for kind in [*GREYS, palette(), *COLOURS]:
        for frames in (1, 3):
            yield pydicom_cell("jls80", lossless, kind, *ODD, frames, "pyjpegls")
    for kind in (grey(8, 8), grey(16, 12)):
        for rows, columns in EXTREMES:
            shape = (rows, columns, 1)
            yield by_dcmtk("jls80-dcmcjpls", lossless, kind, shape, scratch, "dcmcjpls")
    for interleave in (0, 1, 2):
        for kind in COLOURS:

            def code(values, interleave=interleave):
                return encode.jls(values, interleave)

            word = f"jls80-ilv{interleave}"
            yield coded_cell(word, "pyjpegls", lossless, kind, *ODD, 2, code)
    for kind in (grey(8, 8), grey(16, 12), colour()):

        def lossy(values, kind=kind):
            return encode.jls(values, 2 if kind.samples == 3 else 0, near=3)

        for frames in (1, 3):
            shape = (*ODD, frames)
            yield coded_cell("jls81", "pyjpegls", near, kind, *shape, lossy, ISO_JPEG_LS)
    for kind in (grey(8, 8), grey(16, 10), grey(16, 16), grey(16, 12, True), colour(), palette()):
        yield by_dcmtk("jls80-dcmcjpls", lossless, kind, (*ODD, 2), scratch, "dcmcjpls")
    for kind in (grey(8, 8), grey(16, 12), colour()):
        yield by_dcmtk("jls81-dcmcjpls", near, kind, (*ODD, 2), scratch, "dcmcjpls", "+en")
        yield by_gdcm("jls80-gdcm", lossless, kind, (*ODD, 2), scratch)
    yield from large_cells("jls80-dcmcjpls", lossless, scratch, "dcmcjpls")
    for word, option in {"line": "+il", "sample": "+is", "none": "+in"}.items():
        word = f"jls80-dcmcjpls-{word}"
        yield by_dcmtk(word, lossless, colour(), (*ODD, 2), scratch, "dcmcjpls", option)


def j2k_cells(scratch):
    for part in ("90", "92"):
        yield from j2k_lossless_cells(part, JPEG + part)
    for part in ("91", "93"):
        yield from j2k_lossy_cells(part, JPEG + part)
    for kind in (grey(8, 8), grey(16, 12), grey(16, 16, signed=True), colour()):
        yield by_gdcm("j2k90-gdcm", JPEG + "90", kind, (*ODD, 2), scratch)
        yield by_gdcm("j2k91-gdcm", JPEG + "91", kind, (*ODD, 2), scratch)


def j2k_lossless_cells(part, syntax):
    word, by = f"j2k{part}", "openjpeg"
    kinds = (
        [*GREYS, ODD_BITS, palette(), *COLOURS]
        if part == "90"
        else [grey(8, 8), grey(16, 12), colour()]
    )
    for kind in kinds:

        def code(values, kind=kind):
            return encode.j2k(values, kind)

        for frames in (1, 3) if part == "90" else (1,):
            yield coded_cell(word, by, syntax, kind, *ODD, frames, code)

    def transformed(values):
        return encode.j2k(values, colour(), mct=True)

    for frames in (1, 3):
        yield coded_cell(
            f"{word}-rct", by, syntax, colour(), *ODD, frames, transformed, None, "YBR_RCT"
        )
    if part == "92":
        return

    def boxed(values):
        return encode.j2k(values, colour(), mct=True, codec_format=1)

    def marked(values):
        return encode.j2k(values, grey(16, 12), add_tlm=True, add_plt=True)

    yield coded_cell("j2k90-jp2", by, syntax, colour(), *ODD, 1, boxed, None, "YBR_RCT")
    yield coded_cell("j2k90-tlm-plt", by, syntax, grey(16, 12), *ODD, 1, marked)
    for rows, columns in EXTREMES:
        for kind in (grey(8, 8), grey(16, 12)):

            def tiny(values, kind=kind):
                options = {"codecformat": "j2k", "reversible": True, "bitspersample": kind.stored}
                return bytes(encode.imagecodecs.jpeg2k_encode(values, resolutions=1, **options))

            yield coded_cell("j2k90", "imagecodecs", syntax, kind, rows, columns, 1, tiny)


def j2k_lossy_cells(part, syntax):
    word, by = f"j2k{part}", "openjpeg"
    for kind in (grey(8, 8), grey(16, 12), grey(16, 16, signed=True)):

        def code(values, kind=kind):
            return encode.j2k(values, kind, compression_ratios=[6])

        for frames in (1, 3):
            yield coded_cell(word, by, syntax, kind, *ODD, frames, code, ISO_J2K)

    def transformed(values):
        return encode.j2k(values, colour(), mct=True, compression_ratios=[6])

    def plain(values):
        return encode.j2k(values, colour(), compression_ratios=[6])

    for frames in (1, 3):
        shape = (*ODD, frames)
        yield coded_cell(
            f"{word}-ict", by, syntax, colour(), *shape, transformed, ISO_J2K, "YBR_ICT"
        )
    yield coded_cell(word, by, syntax, colour(), *ODD, 1, plain, ISO_J2K)
    yield coded_cell(word, by, syntax, colour("YBR_FULL"), *ODD, 1, plain, ISO_J2K)

    def reversible(values):
        return encode.j2k(values, colour(), mct=True)

    yield coded_cell(
        f"{word}-reversible", by, syntax, colour(), *ODD, 1, reversible, None, "YBR_RCT"
    )


def htj2k_cells():
    by = "openjph"
    for part, reversible in (("201", True), ("202", True), ("203", False), ("203", True)):
        word = f"htj2k{part}" + ("-reversible" if part == "203" and reversible else "")
        lossy = None if reversible else ISO_HTJ2K
        for kind in (grey(8, 8), grey(16, 12), grey(16, 16), grey(16, 16, True)):

            def code(values, reversible=reversible):
                return encode.htj2k(values, reversible=reversible)

            for frames in (1, 3):
                shape = (*ODD, frames)
                yield coded_cell(word, by, JPEG + part, kind, *shape, code, lossy)

        def plain(values, reversible=reversible):
            return encode.htj2k(values, reversible=reversible, rgb=False)

        def transformed(values, reversible=reversible):
            return encode.htj2k(values, reversible=reversible, rgb=True)

        labelled = "YBR_RCT" if reversible else "YBR_ICT"
        yield coded_cell(word, by, JPEG + part, colour(), *ODD, 1, plain, lossy)
        yield coded_cell(
            f"{word}-mct", by, JPEG + part, colour(), *ODD, 2, transformed, lossy, labelled
        )
