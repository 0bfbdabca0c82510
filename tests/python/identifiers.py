"""Prints what identifies the patient in DICOM files, as a JSON list of strings.

    identifiers.py FILE...

Values of the elements below at any depth, person names also by their words; short ones
are left out, as they turn up by chance. A clean file holds none of them.
"""

import json
import re
import sys
import warnings

import pydicom

warnings.filterwarnings("ignore")

CHARACTERS_MIN = 5
KEYWORDS = {
    "AccessionNumber",
    "InstitutionAddress",
    "InstitutionName",
    "OtherPatientIDs",
    "OtherPatientNames",
    "PatientAddress",
    "PatientBirthName",
    "PatientID",
    "PatientMotherBirthName",
    "PatientName",
    "PatientTelephoneNumbers",
    "ReferringPhysicianName",
    "OperatorsName",
    "PerformingPhysicianName",
    "RequestingPhysician",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
}


def main(paths):
    found = set()
    for path in paths:
        for element in pydicom.dcmread(path, stop_before_pixels=True).iterall():
            if element.keyword in KEYWORDS and element.value:
                found.update(parts(str(element.value), element.VR == "PN"))
    print(json.dumps(sorted(found), ensure_ascii=False))


def parts(value, is_name):
    # The words of a name tell as much as the whole.
    pieces = {value, *(re.split(r"[\^= ,]+", value) if is_name else ())}
    return {piece for piece in pieces if len(piece) >= CHARACTERS_MIN}


if __name__ == "__main__":
    main(sys.argv[1:])
