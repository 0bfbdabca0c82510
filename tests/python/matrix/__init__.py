"""The matrix of codecs: instances in every coding that can be made, and the look
of other readers at what airlock made of them. Used by `codec_matrix.py`."""
