"""Prints what identifies the patient in DICOM files, as a JSON list of strings.

    identifiers.py FILE...

Whole values of the elements below at any depth; short ones are left out, as
they turn up by chance, and so are the words of names, which in public test
files are often words of the standard. A clean file holds none of them.
"""

import json
import sys
import warnings

import pydicom

warnings.filterwarnings("ignore")

CHARACTERS_MIN = 6
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
                found.add(str(element.value))
    long = [value for value in sorted(found) if len(value) >= CHARACTERS_MIN]
    print(json.dumps(long, ensure_ascii=False))


if __name__ == "__main__":
    main(sys.argv[1:])
