"""Makes ZIP archives with Python's zipfile, for the tests of folder mode.

    archives.py FOLDER FILE FILE FILE

Puts into FOLDER: many.zip (members in directories, stored and deflated, streamed
with data descriptors, with 64-bit sizes, a name that leads upwards, an absolute
one, a DICOMDIR's neighbour that is none), inner.zip in outer.zip, deep.zip (an
archive in an archive in an archive), encrypted.zip, lies.zip (a length of
4 TiB), damaged.zip (a checksum that is wrong).
"""

import io
import struct
import sys
import zipfile
from pathlib import Path


class Unseekable(io.RawIOBase):
    """Makes zipfile write data descriptors."""

    def __init__(self, file):
        self.file = file

    def writable(self):
        return True

    def write(self, data):
        return self.file.write(data)


def flip(archive, at_local, at_central, change):
    """Changes a field of the only member in both of its headers."""
    data = bytearray(archive.read_bytes())
    central = data.index(b"PK\x01\x02")
    change(data, at_local)
    change(data, central + at_central)
    archive.write_bytes(data)


def main():
    folder, files = Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]
    folder.mkdir(parents=True, exist_ok=True)
    one, two, three = [path.read_bytes() for path in files]
    many = folder / "many.zip"
    with zipfile.ZipFile(many, "w") as archive:
        archive.mkdir("DOE^JANE")
        archive.writestr("DOE^JANE/one.dcm", one, zipfile.ZIP_DEFLATED)
        archive.writestr("../../outside.dcm", two, zipfile.ZIP_STORED)
        archive.writestr("/etc/notes.txt", "seen twice")
    with open(folder / "streamed.zip", "wb") as raw:
        with zipfile.ZipFile(Unseekable(raw), "w", zipfile.ZIP_DEFLATED) as archive:
            with archive.open("wide.dcm", "w", force_zip64=True) as member:
                member.write(three)
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("thumbnail", b"\xff\xd8\xff\xe0 invented")
    with zipfile.ZipFile(folder / "outer.zip", "w") as archive:
        archive.writestr("inner.zip", inner.getvalue())
    middle = io.BytesIO()
    with zipfile.ZipFile(middle, "w") as archive:
        archive.writestr("inner.zip", inner.getvalue())
    with zipfile.ZipFile(folder / "deep.zip", "w") as archive:
        archive.writestr("middle.zip", middle.getvalue())
    for name in ["encrypted", "lies", "damaged"]:
        with zipfile.ZipFile(folder / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a", b"content " * 100)
    flip(folder / "encrypted.zip", 6, 8, lambda data, at: data.__setitem__(at, data[at] | 1))
    lies = folder / "lies.zip"
    data = lies.read_bytes()
    at = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    extra = struct.pack("<HHQ", 1, 8, 4 << 40)
    header = bytearray(data[at:end])
    header[24:28], header[30:32] = b"\xff" * 4, struct.pack("<H", len(extra))
    record = bytearray(data[end:])
    record[12:16] = struct.pack("<I", len(header) + len(extra))
    lies.write_bytes(data[:at] + bytes(header) + extra + bytes(record))
    flip(folder / "damaged.zip", 14, 16, lambda data, at: data.__setitem__(at, data[at] ^ 1))


main()
