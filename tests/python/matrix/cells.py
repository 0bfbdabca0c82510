"""Every cell of the matrix that the foreign encoders can make.

A cell is a name, who made it, and a function that writes it; a function that
fails is listed with its reason.
"""

from .cells_j2k import htj2k_cells, j2k_cells, jpeg_ls_cells
from .cells_jpeg import jpeg_lossless_cells, jpeg_lossy_cells
from .cells_lossless import fragment_cells, native_cells, rle_cells


def all_cells(scratch):
    """Cells in the order of their transfer syntaxes."""
    yield from native_cells()
    yield from fragment_cells()
    yield from rle_cells(scratch)
    yield from jpeg_lossy_cells(scratch)
    yield from jpeg_lossless_cells(scratch)
    yield from jpeg_ls_cells(scratch)
    yield from j2k_cells(scratch)
    yield from htj2k_cells()
