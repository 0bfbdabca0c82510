"""What dciodvfy finds wrong with clean files and not with what they were made of.

    validity.py PAIRS

PAIRS is a JSON list of [INPUT, OUTPUT]. Prints a JSON list of [INPUT's name,
errors that only the output has].
"""

import json
import re
import subprocess
import sys
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pydicom

AT_ONCE = 2
DEFLATED = "1.2.840.10008.1.2.1.99"

warnings.filterwarnings("ignore")


def main(pairs):
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(lambda pair: new_errors(pair, Path(scratch)), pairs)
        print(json.dumps([one for one in found if one[1]], indent=1))
    return 0


def new_errors(pair, scratch):
    before, after = map(Path, pair)
    known = errors(before, scratch)
    return [before.name, sorted(errors(after, scratch) - known)]


def errors(path, scratch):
    """What dciodvfy calls an error. It does not inflate: dcmtk does that first."""
    head = pydicom.dcmread(path, stop_before_pixels=True, force=True)
    if head.file_meta.get("TransferSyntaxUID") == DEFLATED:
        inflated = scratch / (path.parent.name + path.name)
        subprocess.run(["dcmconv", "+te", path, inflated], capture_output=True, check=True)
        path = inflated
    done = subprocess.run(["dciodvfy", path], capture_output=True, text=True, errors="replace")
    lines = (done.stderr + done.stdout).splitlines()
    return {plain(line) for line in lines if "Error - " in line}


def plain(line):
    """Without values that are not the same before and after, and without blanks."""
    return re.sub(r"<[0-9.]+>", "<UID>", re.sub(r"\s+", " ", line)).strip()


if __name__ == "__main__":
    sys.exit(main(json.loads(Path(sys.argv[1]).read_text())))
