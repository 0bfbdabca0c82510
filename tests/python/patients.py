"""Prints whose each DICOM file is, as a JSON list of strings in order.

    patients.py FILE...

A patient is the issuer and the Patient ID, without outer spaces.
"""

import json
import sys
import warnings

import pydicom

warnings.filterwarnings("ignore")


def person(path):
    data_set = pydicom.dcmread(path, stop_before_pixels=True)
    parts = (data_set.get("IssuerOfPatientID", ""), data_set.PatientID)
    return "|".join(str(part).strip() for part in parts)


if __name__ == "__main__":
    print(json.dumps([person(path) for path in sys.argv[1:]]))
