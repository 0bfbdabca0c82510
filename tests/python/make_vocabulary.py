"""Makes config/standard/vocabulary.txt: the words of the standard's own vocabulary.

    make_vocabulary.py > config/standard/vocabulary.txt

Sources: attribute names of PS3.6 and the meanings of codes in PS3.16's context
groups, both as pydicom carries them. A meaning's word counts when it is written
in lower case somewhere: eponyms (Hodgkin, Baker, Doppler) are not, and must stay
names.
"""

import re

from pydicom.datadict import DicomDictionary
from pydicom.sr._concepts_dict import concepts

# Words that are people's names more often than terms of a machine.
NAMES = set(
    """amber basil berg black brown frank grant gray hope jack jean joy little mark marsh may
    miles olive pearl penny reed rose ruby sandy walker white wolf young""".split()
)
# Roles that stand for a person who is not named, and words of defined terms (PS3.3
# §C.7.6.1.1.2, §C.8) that no attribute name and no code meaning has.
MORE = set(
    """attending operator ordering referring requesting mosaic tracew norm derived primary
    secondary original localizer mpr mip projection recon reformatted subtraction fusion""".split()
)
CHARS_MIN = 3


def words(text):
    return re.findall(r"[A-Za-z]+", text)


found = {word.lower() for entry in DicomDictionary.values() for word in words(entry[2])}
for scheme in concepts.values():
    for codes in scheme.values():
        for meaning, *_ in codes.values():
            found.update(word for word in words(meaning) if word.islower())
found = {word for word in (found | MORE) - NAMES if len(word) >= CHARS_MIN}
print("# Words of PS3.6 attribute names and PS3.16 code meanings, one a line, lower case, sorted.")
print("# Made by tests/python/make_vocabulary.py; why: docs/decisions/0010-words-that-are-names.md.")
print("\n".join(sorted(found)))
