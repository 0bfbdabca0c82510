"""The matrix of codecs for tests/codecs.rs.

    codec_matrix.py make FOLDER [BEGIN]   writes instances and manifest.json, or
                                          only those whose names begin so: A,B
    codec_matrix.py check FOLDER OUT      reads OUT/painted.json and OUT/*.dcm,
                                          prints what was found as JSON

FOLDER holds NAME.dcm, and NAME.raw with the values that pydicom decodes.
"""

import json
import shutil
import sys
from pathlib import Path

from matrix.check import check
from matrix.make import make


TOOLS = ("dcmcjpeg", "dcmdjpeg", "dcmcjpls", "dcmdjpls", "dcmcrle", "dcmdrle", "dcmconv", "dcmdump")


def main(arguments):
    missing = [tool for tool in (*TOOLS, "dciodvfy") if shutil.which(tool) is None]
    if missing:
        return f"missing: {', '.join(missing)}; run scripts/setup --dev"
    if len(arguments) in (2, 3) and arguments[0] == "make":
        make(Path(arguments[1]), "".join(arguments[2:]))
        return 0
    if len(arguments) == 3 and arguments[0] == "check":
        print(json.dumps(check(Path(arguments[1]), Path(arguments[2]))))
        return 0
    return __doc__


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
