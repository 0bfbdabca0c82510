"""Texts in the character sets of PS3.3 §C.12.1.1.2, as pydicom codes them, and
Python's codecs where pydicom has none (ISO_IR 203, 166, 13) or cannot read what
it wrote (ISO 2022 IR 58).

    charsets.py make               prints a JSON list of {specific, vr, bytes, text}
    charsets.py read FILE          reads a list of {specific, vr, bytes} and prints
                                   what pydicom makes of each

`specific` is the value of Specific Character Set, `bytes` are hexadecimal.
"make" has every text of pydicom's character set files, each item by its own
set, and for each set of the standard all of its letters (of the large ones
every 37th), in words with ASCII between them.
"""

import json
import sys
import warnings
from pathlib import Path

import pydicom
from pydicom.charset import convert_encodings, decode_bytes, encode_string
from pydicom.valuerep import TEXT_VR_DELIMS, PersonName

TEXT = {"LO", "LT", "PN", "SH", "ST", "UC", "UT"}
SINGLE = {
    "ISO_IR 100": "latin_1",
    "ISO_IR 101": "iso8859_2",
    "ISO_IR 109": "iso8859_3",
    "ISO_IR 110": "iso8859_4",
    "ISO_IR 144": "iso8859_5",
    "ISO_IR 127": "iso8859_6",
    "ISO_IR 126": "iso8859_7",
    "ISO_IR 138": "iso8859_8",
    "ISO_IR 148": "iso8859_9",
    "ISO_IR 203": "iso8859_15",
    "ISO_IR 166": "iso8859_11",
    "ISO_IR 13": "shift_jis",
}
KANA = range(0x3041, 0x30F6)
KANJI = range(0x4E00, 0x9FA5, 37)
HANGUL = range(0xAC00, 0xD7A3, 37)
LARGE = {
    "\\ISO 2022 IR 87": ([*KANA, *KANJI], "iso2022_jp"),
    "\\ISO 2022 IR 149": ([*HANGUL, *KANJI], "euc_kr"),
    "\\ISO 2022 IR 58": (KANJI, "gb2312"),
    "ISO_IR 192": ([*KANA, *KANJI, *HANGUL, 0x41A, 0x1F600], "utf8"),
    "GB18030": ([*KANJI, *HANGUL], "gb18030"),
    "GBK": (KANJI, "gbk"),
}
TO_CHINESE = b"\x1b$)A"
LETTERS_IN_WORD = 6
WORDS_IN_TEXT = 4

warnings.filterwarnings("ignore")


def main(arguments):
    if arguments == ["make"]:
        print(json.dumps([*of_files(), *of_sets()]))
        return 0
    texts = json.loads(Path(arguments[1]).read_text())
    print(json.dumps([read(one["specific"], one["vr"], bytes.fromhex(one["bytes"])) for one in texts]))
    return 0


def of_files():
    folder = Path(pydicom.__file__).parent / "data" / "charset_files"
    for path in sorted(folder.glob("*.dcm")):
        yield from of_data_set(pydicom.dcmread(path), "")


def of_data_set(data_set, around):
    specific = data_set.get_item("SpecificCharacterSet")
    here = around if specific is None else as_text(specific.value)
    for tag in data_set.keys():
        raw = data_set.get_item(tag)
        value = getattr(raw, "value", None)
        if raw.VR in TEXT and isinstance(value, bytes) and value:
            yield made(here, raw.VR, value, read(here, raw.VR, value))
        elif raw.VR == "SQ":
            for item in data_set[tag].value:
                yield from of_data_set(item, here)


def as_text(value):
    if isinstance(value, bytes):
        return value.decode("ascii").rstrip()
    return value if isinstance(value, str) else "\\".join(value)


def of_sets():
    for specific, codec in SINGLE.items():
        letters = [bytes([code]).decode(codec, "ignore") for code in range(0xA1, 0x100)]
        yield from texts(specific, [letter for letter in letters if letter])
    for specific, (codes, codec) in LARGE.items():
        letters = [chr(code) for code in codes]
        yield from texts(specific, [one for one in letters if is_in(one, codec)])


def is_in(letter, codec):
    """Python writes Hangul beyond KS X 1001 in eight bytes, which PS3.5 does not know."""
    coded = letter.encode(codec, "ignore")
    return len(coded) == 2 if codec == "euc_kr" else bool(coded)


def texts(specific, letters):
    words = ["".join(letters[at : at + LETTERS_IN_WORD]) for at in range(0, len(letters), LETTERS_IN_WORD)]
    encodings = convert_encodings(specific.split("\\"))
    for at in range(0, len(words), WORDS_IN_TEXT):
        text = "Ab ".join(words[at : at + WORDS_IN_TEXT])
        alone = SINGLE.get(specific)
        yield made(specific, "LO", text.encode(alone) if alone else encode_string(text, encodings), text)


def made(specific, vr, coded, text):
    return {"specific": specific, "vr": vr, "bytes": coded.hex(), "text": text}


def read(specific, vr, coded):
    if specific in SINGLE:
        return coded.decode(SINGLE[specific])
    if specific == "\\ISO 2022 IR 58":
        return coded.replace(TO_CHINESE, b"").decode("gb2312")
    encodings = convert_encodings(specific.split("\\"))
    if vr == "PN":
        # pydicom leaves empty groups at the end out.
        plain = coded.rstrip(b" \0")
        groups = "=" * (len(plain) - len(plain.rstrip(b"=")))
        return str(PersonName(plain, encodings).decode()).rstrip("=") + groups
    return decode_bytes(coded, encodings, TEXT_VR_DELIMS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
