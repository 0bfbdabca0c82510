#!/usr/bin/env python3
"""Reads what the demo produced: for people a table and pictures, for scripts an exit status.

In: explicit VR little endian files with 8 bit grey pixels, as the demo's sample
is, and airlock's `--json` output. Out: text, PNGs. Only the standard library:
the demo must run before anything is installed.

    show.py endpoint ENDPOINTS.json             prints HOST:PORT of the DICOM listener
    show.py any RECORDS.json                    0 when it holds a record
    show.py delivered FOLDER RECEIPTS.json      0 when one instance stands there, with its receipt
    show.py receipt RECEIPTS.json               prints the receipts
    show.py compare BEFORE FOLDER --pictures TO table and PNGs; not 0 when identity is left
"""

import json
import re
import struct
import sys
import zlib
from pathlib import Path

EXPLICIT_LE = "1.2.840.10008.1.2.1"
PIXEL_DATA = (0x7FE0, 0x0010)
METHOD_CODES = (0x0012, 0x0064)
# VRs with two reserved bytes and a length of four (PS3.5 section 7.1.2).
LONG_VRS = set(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
UNDEFINED = 0xFFFFFFFF

# What the table shows, in this order; what must be gone is marked.
ROWS = [
    ((0x0010, 0x0010), "Patient's Name", "must change"),
    ((0x0010, 0x0020), "Patient ID", "must change"),
    ((0x0010, 0x0030), "Patient's Birth Date", "must change"),
    ((0x0010, 0x1000), "Other Patient IDs", "must change"),
    ((0x0010, 0x0040), "Patient's Sex", ""),
    ((0x0010, 0x1010), "Patient's Age", ""),
    ((0x0008, 0x0020), "Study Date", ""),
    ((0x0008, 0x0050), "Accession Number", "must change"),
    ((0x0008, 0x0080), "Institution Name", "must change"),
    ((0x0008, 0x1010), "Station Name", "must change"),
    ((0x0008, 0x1030), "Study Description", ""),
    ((0x0032, 0x1032), "Requesting Physician", "must change"),
    ((0x0018, 0x1000), "Device Serial Number", "must change"),
    ((0x0020, 0x000D), "Study Instance UID", "must change"),
    ((0x0020, 0x000E), "Series Instance UID", "must change"),
    ((0x0008, 0x0018), "SOP Instance UID", "must change"),
    ((0x0008, 0x0060), "Modality", ""),
    ((0x0008, 0x1090), "Manufacturer's Model Name", ""),
    ((0x0028, 0x0301), "Burned In Annotation", ""),
    ((0x0012, 0x0062), "Patient Identity Removed", ""),
    (METHOD_CODES, "De-identification Method Codes", ""),
]
# Where the sample shows what: left, top, right, bottom in pixels.
IDENTITY = {
    "name": (8, 3, 173, 23),
    "ID": (182, 3, 283, 23),
    "date of birth": (390, 3, 517, 23),
    "clinic": (555, 3, 687, 23),
    "date": (822, 3, 908, 23),
    "time": (922, 3, 1011, 23),
}
LABELS = {
    "Adv Breast": (12, 25, 140, 46),
    "L12-5": (12, 53, 78, 73),
    "36Hz": (12, 77, 71, 97),
    "RS": (12, 99, 43, 117),
    "2D": (12, 138, 41, 160),
    "60%": (24, 161, 68, 179),
    "Dyn R 58": (12, 180, 98, 199),
    "P Med": (12, 200, 74, 218),
    "Res": (19, 221, 57, 238),
    "TAC1": (19, 240, 69, 258),
    "TIS0.0 MI 0.6": (826, 25, 986, 46),
    "M3": (961, 78, 987, 95),
    "x3": (905, 321, 926, 337),
    "4.0cm": (855, 698, 914, 717),
}
SCAN = (128, 92, 896, 708)
# Letters are lighter than this, the bar behind them is darker.
LETTER_MIN = 100
# The arrows at the scale reach into the scan; nothing else may change there.
SCAN_SAME_MIN = 0.99
LABEL_SAME_MIN = 0.95


class ShowError(Exception):
    """Something is not as it must be; the text says what."""


def main(arguments):
    match arguments:
        case ["endpoint", path]:
            print(json.loads(Path(path).read_text())["dicom"])
        case ["any", path]:
            return 0 if records(path) else 1
        case ["delivered", folder, receipts]:
            return 0 if instances(folder) and records(receipts) else 1
        case ["receipt", path]:
            for record in records(path):
                print(json.dumps(record, indent=2, ensure_ascii=False))
        case ["compare", before, folder, "--pictures", to]:
            compare(Path(before), folder, Path(to))
        case _:
            raise ShowError(f"usage:\n{__doc__}")
    return 0


def records(path):
    """The records of `--json` output: one list, or one object a line."""
    text = Path(path).read_text().strip()
    if text.startswith("["):
        return json.loads(text)
    return [json.loads(line) for line in text.splitlines()]


def instances(folder):
    """Whole DICOM files below a folder; a name with a leading dot or `.part` is not one yet."""
    found = [p for p in Path(folder).rglob("*") if p.is_file()]
    return sorted(p for p in found if not p.name.startswith(".") and p.suffix != ".part")


def compare(before_path, folder, pictures):
    found = instances(folder)
    if len(found) != 1:
        raise ShowError(f"{len(found)} instances were delivered to {folder}, 1 was sent")
    after_path = found[0]
    before, after = read(before_path), read(after_path)
    print_table(before, after)
    for name, instance in (("before", before), ("after", after)):
        target = pictures / f"{name}.png"
        target.write_bytes(png(instance))
        print(f"picture {name}: {target}")
    print(f"clean instance: {after_path}")
    faults = header_faults(before, after)
    faults += byte_faults(before, after_path.read_bytes())
    faults += picture_faults(before, after)
    if faults:
        raise ShowError("not clean:\n  " + "\n  ".join(faults))
    print("checked: header changed, no identifier in any byte, bar hidden, scan kept")


def header_faults(before, after):
    faults = [
        f"{name} is what it was"
        for tag, name, must in ROWS
        if must and text(before, tag) and text(before, tag) == text(after, tag)
    ]
    for tag, name, wanted in (
        ((0x0028, 0x0301), "Burned In Annotation", "NO"),
        ((0x0012, 0x0062), "Patient Identity Removed", "YES"),
    ):
        if text(after, tag) != wanted:
            faults.append(f"{name} is '{text(after, tag)}', not {wanted}")
    return faults


def byte_faults(before, after_bytes):
    """Looks for the identifiers as bytes, whatever element or pixel they may stand in."""
    faults = []
    for tag, name, must in ROWS:
        value = text(before, tag)
        # A name's parts tell as much as the whole; short ones turn up by chance.
        parts = {value, *re.split(r"[\^ =]+", value)}
        if any(must and len(p) >= 5 and p.encode() in after_bytes for p in parts):
            faults.append(f"a value of {name} is in the clean file")
    return faults


def picture_faults(before, after):
    if picture_size(before) != picture_size(after):
        return ["the picture's size changed"]
    faults = []
    for name, box in IDENTITY.items():
        if any(grey >= LETTER_MIN for grey in box_pixels(after, box)):
            faults.append(f"the {name} in the picture's bar is not hidden")
    if share_kept(before, after, SCAN) < SCAN_SAME_MIN:
        faults.append("the scan itself was changed")
    kept = [n for n, box in LABELS.items() if share_kept(before, after, box) >= LABEL_SAME_MIN]
    lost = ", ".join(n for n in LABELS if n not in kept)
    print(f"labels kept: {len(kept)} of {len(LABELS)}" + (f"; hidden: {lost}" if lost else ""))
    return faults


def share_kept(before, after, box):
    was, now = box_pixels(before, box), box_pixels(after, box)
    return sum(a == b for a, b in zip(was, now, strict=True)) / len(was)


def box_pixels(elements, box):
    left, top, right, bottom = box
    _, columns = picture_size(elements)
    grey = pixels(elements)
    return b"".join(grey[y * columns + left : y * columns + right] for y in range(top, bottom))


def print_table(before, after):
    rows = [(f"({t[0]:04X},{t[1]:04X}) {n}", text(before, t), text(after, t)) for t, n, _ in ROWS]
    rows = [("element", "before", "after")] + [(a, b or "-", c or "-") for a, b, c in rows]
    wide = [min(44, max(len(row[i]) for row in rows)) for i in range(3)]
    for index, row in enumerate(rows):
        print("  ".join(cell[:44].ljust(width) for cell, width in zip(row, wide)).rstrip())
        if index == 0:
            print("  ".join("-" * width for width in wide))
    print(f"{len(before)} elements before, {len(after)} after (top level)")


def text(elements, tag):
    value = elements.get(tag, b"")
    if isinstance(value, list):
        return ", ".join(text(item, (0x0008, 0x0100)) for item in value)
    return value.decode("latin-1").strip("\0 ")


def number(elements, tag):
    """A US value (PS3.5 section 6.2)."""
    if len(elements.get(tag, b"")) != 2:
        raise ShowError(f"element {tag[0]:04X},{tag[1]:04X} is missing")
    return struct.unpack("<H", elements[tag])[0]


def picture_size(elements):
    """Rows and columns of the stored pixels."""
    return number(elements, (0x0028, 0x0010)), number(elements, (0x0028, 0x0011))


def pixels(elements):
    """The first frame, a byte a pixel."""
    rows, columns = picture_size(elements)
    grey = elements.get(PIXEL_DATA, b"")[: rows * columns]
    if number(elements, (0x0028, 0x0100)) != 8 or len(grey) != rows * columns:
        raise ShowError("the picture is not one of 8 bit grey pixels")
    return grey


def png(elements):
    rows, columns = picture_size(elements)
    grey = pixels(elements)
    lines = b"".join(b"\0" + grey[y * columns : (y + 1) * columns] for y in range(rows))
    header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def read(path):
    """The elements of the data set: bytes by tag, or a list of items for a sequence."""
    file = path.read_bytes()
    if file[128:132] != b"DICM":
        raise ShowError(f"{path} is not a DICOM file")
    meta, start = elements_from(file, 132, group=0x0002)
    syntax = text(meta, (0x0002, 0x0010))
    if syntax != EXPLICIT_LE:
        raise ShowError(f"{path} has transfer syntax {syntax}, this program reads {EXPLICIT_LE}")
    return elements_from(file, start)[0]


def elements_from(data, at, end=None, group=None):
    """Reads elements until `end`, a delimiter, or another group; returns them and the place."""
    end = len(data) if end is None else end
    found = {}
    while at + 8 <= end:
        tag = struct.unpack_from("<HH", data, at)
        if group is not None and tag[0] != group:
            break
        if tag in ((0xFFFE, 0xE00D), (0xFFFE, 0xE0DD)):
            return found, at + 8
        vr = data[at + 4 : at + 6]
        if vr in LONG_VRS:
            length, at = struct.unpack_from("<I", data, at + 8)[0], at + 12
        else:
            length, at = struct.unpack_from("<H", data, at + 6)[0], at + 8
        if vr == b"SQ" or (vr == b"UN" and length == UNDEFINED):
            found[tag], at = items_from(data, at, length)
        elif length > len(data) - at:
            raise ShowError(f"element {tag[0]:04X},{tag[1]:04X} ends after the file")
        else:
            found[tag], at = data[at : at + length], at + length
    return found, at


def items_from(data, at, length):
    end = len(data) if length == UNDEFINED else at + length
    items = []
    while at + 8 <= end:
        group, element, item_length = struct.unpack_from("<HHI", data, at)
        at += 8
        if (group, element) == (0xFFFE, 0xE0DD):
            break
        item_end = None if item_length == UNDEFINED else at + item_length
        item, at = elements_from(data, at, item_end)
        items.append(item)
    return items, at


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (ShowError, OSError, ValueError, KeyError, struct.error) as error:
        sys.exit(f"show: {error}")
