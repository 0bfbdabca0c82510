"""Says as JSON what the document of an encapsulated object shows.

    document.py FILE

`whole`: it is as long as it says, and a reader of its kind takes it.
"""

import io
import json
import struct
import subprocess
import shutil
import sys
import xml.etree.ElementTree as xml

import pydicom


def pdf(content):
    # Every object stands where the cross-reference table says.
    start = int(content.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    rows = content[start:].split(b"\n")[3:8]
    whole = all(
        content[int(row[:10]) :].startswith(b"%d 0 obj" % (at + 1)) for at, row in enumerate(rows)
    )
    if shutil.which("pdftotext"):
        ran = subprocess.run(["pdftotext", "-", "-"], input=content, capture_output=True)
        whole = whole and ran.returncode == 0 and b"removed" in ran.stdout and not ran.stderr
    return whole


def cda(content):
    root = xml.parse(io.BytesIO(content)).getroot()
    return root.tag == "{urn:hl7-org:v3}ClinicalDocument"


def stl(content):
    (triangles,) = struct.unpack_from("<I", content, 80)
    return len(content) == 84 + 50 * triangles and triangles > 0


def text(word):
    return lambda content: word in content.decode("ascii")


CHECKS = {
    "application/pdf": pdf,
    "text/XML": cda,
    "model/stl": stl,
    "model/obj": text("\nf "),
    "model/mtl": text("newmtl "),
}

data = pydicom.dcmread(sys.argv[1])
content = data.EncapsulatedDocument[: data.EncapsulatedDocumentLength]
whole = len(data.EncapsulatedDocument) - len(content) in (0, 1)
print(
    json.dumps(
        {
            "document": content[:16].decode("ascii"),
            "whole": whole and CHECKS[data.MIMETypeOfEncapsulatedDocument](content),
            "burned_in": data.BurnedInAnnotation,
            "title": data.DocumentTitle,
        }
    )
)
