"""Sends files as they are, whatever their data sets hold, by pynetdicom.

    store.py PORT AE FOLDER

One association for each file, in its own transfer syntax. Prints a line for each:
`NAME STATUS` in hex, `NAME not-accepted` where the peer does not take the class
or the syntax, `NAME unsendable` where not even the file meta can be read, and
`NAME unanswered` where the peer says nothing or goes away.
"""

import sys
import warnings
from pathlib import Path

from pydicom.filereader import read_file_meta_info
from pynetdicom import AE, _config

warnings.filterwarnings("ignore")
# The bytes of the data set are sent as they lie in the file.
_config.STORE_SEND_CHUNKED_DATASET = True


def send(port, called, path):
    try:
        meta = read_file_meta_info(path)
        sop_class, syntax = meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID
    except Exception:  # noqa: BLE001 - any damage
        return "unsendable"
    ae = AE(ae_title="MUTATOR")
    try:
        ae.add_requested_context(sop_class, syntax)
    except Exception:  # noqa: BLE001 - no UIDs
        return "unsendable"
    association = ae.associate("127.0.0.1", port, ae_title=called)
    if not association.is_established:
        return "not-accepted" if association.rejected_contexts else "unanswered"
    try:
        status = association.send_c_store(path)
    except (ValueError, AttributeError):
        return "unsendable"
    finally:
        association.release()
    return f"{status.Status:04X}" if "Status" in status else "unanswered"


def main():
    port, called, folder = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    for path in sorted(folder.iterdir()):
        print(path.name, send(port, called, path), flush=True)


main()
