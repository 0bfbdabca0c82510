"""Negotiates, stores and breaks off as pynetdicom does; one line for each case.

    negotiate.py PORT FILE

FILE is a CT in Explicit VR Little Endian. Lines are `CASE: what came of it`.
"""

import sys
import time
import warnings
from io import BytesIO
from pathlib import Path

from pydicom import dcmread
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pynetdicom import AE, _config, build_context
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.dsutils import encode
from pynetdicom.pdu import P_DATA_TF
from reactor import turn

warnings.filterwarnings("ignore")
# The bytes of the data set are sent as they lie in the file.
_config.STORE_SEND_CHUNKED_DATASET = True

CT = "1.2.840.10008.5.1.4.1.1.2"
VERIFICATION = "1.2.840.10008.1.1"
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
JPEG, JPEG_LS = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.80"
NO_DATA_SET = 0x0101
OTHERS = [
    "1.2.840.10008.5.1.4.31",  # Modality Worklist
    "1.2.840.10008.3.1.2.3.3",  # MPPS
    "1.2.840.10008.5.1.1.9",  # Basic Grayscale Print Management
    "1.2.840.10008.5.1.4.1.2.2.1",  # Study Root FIND
    "1.2.840.10008.1.20.1",  # Storage Commitment, which is off
]


def associate(port, contexts):
    return AE(ae_title="CART").associate("127.0.0.1", port, contexts=contexts, ae_title="AIRLOCK")


def both(port):
    return associate(port, [build_context(CT, EXPLICIT), build_context(VERIFICATION)])


def result_of(contexts):
    """Results by PS3.8 Table 9-18, in the order of the contexts."""
    return " ".join(str(context.result) for context in sorted(contexts, key=lambda c: c.context_id))


def negotiated(port):
    many = associate(port, [build_context(CT, EXPLICIT) for _ in range(128)])
    yield "128 contexts", len(many.accepted_contexts)
    many.release()
    mixed = associate(port, [build_context(CT, EXPLICIT), *map(build_context, OTHERS)])
    yield "others beside CT", f"{len(mixed.accepted_contexts)}, {result_of(mixed.rejected_contexts)}"
    mixed.release()
    unknown = associate(port, [build_context(CT, ["1.2.3.4"]), build_context(VERIFICATION)])
    yield "unknown syntax", result_of(unknown.rejected_contexts)
    yield "echo beside it", f"{unknown.send_c_echo().Status:04X}"
    unknown.release()
    wanted = [build_context(CT, [JPEG, JPEG_LS, IMPLICIT, EXPLICIT]), build_context(CT, [JPEG, JPEG_LS, IMPLICIT])]
    preferred = associate(port, wanted + [build_context(CT, [JPEG, JPEG_LS])])
    chosen = sorted(preferred.accepted_contexts, key=lambda context: context.context_id)
    yield "preferred", " ".join(str(context.transfer_syntax[0]) for context in chosen)
    preferred.release()
    yield "released", preferred.is_released
    # pynetdicom itself aborts where nothing is accepted: it was no rejection.
    nothing = associate(port, [build_context(OTHERS[0])])
    yield "nothing taken", f"rejected {nothing.is_rejected}, {result_of(nothing.rejected_contexts)}"


def file_of(meta, body):
    out = DicomBytesIO()
    out.write(bytes(128) + b"DICM")
    write_file_meta_info(out, meta)
    return out.getvalue() + body


def stored(port, path, folder):
    dataset = dcmread(path)
    meta, body = dataset.file_meta, encode(dataset, False, True)
    association = both(port)

    def store(meta, body):
        file = folder / "sent.dcm"
        file.write_bytes(file_of(meta, body))
        turn(association)
        status = association.send_c_store(file)
        return f"{status.Status:04X}"

    yield "stored", store(meta, body)
    meta.MediaStorageSOPInstanceUID = "2.25.4711"
    yield "other instance", store(meta, body)
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    yield "no data set", store(meta, b"\xff" * 400)
    yield "stored again", store(meta, body)
    turn(association)
    yield "echo after it", f"{association.send_c_echo().Status:04X}"
    association.release()


def pieces(association, path, changed=None):
    """The PDUs of a C-STORE request, the command first, with these elements of it changed."""
    dataset = dcmread(path)
    request = C_STORE()
    request.MessageID, request.Priority = 7, 2
    request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = CT, dataset.SOPInstanceUID
    request.DataSet = BytesIO(encode(dataset, False, True))
    message = C_STORE_RQ()
    message.primitive_to_message(request)
    for keyword, value in (changed or {}).items():
        setattr(message.command_set, keyword, value)
    if message.command_set.CommandDataSetType == NO_DATA_SET:
        message.data_set = None
    context = next(c.context_id for c in association.accepted_contexts if c.abstract_syntax == CT)
    for primitive in message.encode_msg(context, 1_000):
        pdu = P_DATA_TF()
        pdu.from_primitive(primitive)
        yield pdu.encode()


def broken_off(port, path):
    def within(count, bytes_of_next):
        association = both(port)
        whole = list(pieces(association, path))
        association.dul.socket.socket.sendall(b"".join(whole[:count]) + whole[count][:bytes_of_next])
        time.sleep(0.2)
        return association

    for name, count, bytes_of_next in [("idle", 0, 0), ("after the command", 1, 0), ("within the data set", 2, 0)]:
        association = within(count, bytes_of_next)
        association.abort()
        yield f"abort {name}", association.is_aborted
        association = within(count, bytes_of_next + 50)
        association.dul.socket.socket.close()
        association.kill()
        yield f"cut {name}", "cut"


def answered(association, pdus, pause=0.0):
    """What is answered to these PDUs, sent in pieces of 200 bytes with a pause after each."""
    turn(association)
    # As pynetdicom's own requests do: else its reactor takes the answer.
    association._reactor_checkpoint.clear()
    while not association._is_paused:
        time.sleep(0.01)
    for pdu in pdus:
        for at in range(0, len(pdu), 200):
            association.dul.socket.socket.sendall(pdu[at : at + 200])
            time.sleep(pause)
    _, message = association.dimse.get_msg(block=True)
    association._reactor_checkpoint.set()
    return f"{message.Status:04X}"


def statuses(port, path):
    """Commands that are wrong in one thing, on one association that stays in step."""
    association = both(port)
    for case, changed in [
        ("another class than the context's", {"AffectedSOPClassUID": "1.2.840.10008.5.1.4.1.1.4"}),
        ("malformed instance", {"AffectedSOPInstanceUID": "2.25.x"}),
        ("without data set", {"CommandDataSetType": NO_DATA_SET}),
        ("C-FIND", {"CommandField": 0x0020}),
    ]:
        yield case, answered(association, pieces(association, path, changed))
    turn(association)
    yield "echo after them", f"{association.send_c_echo().Status:04X}"
    association.release()


def slow(port, path):
    association = both(port)
    yield "slow", answered(association, pieces(association, path), 0.02)
    association.release()


def main():
    port, path = int(sys.argv[1]), Path(sys.argv[2])
    for cases in (
        negotiated(port),
        stored(port, path, path.parent),
        statuses(port, path),
        broken_off(port, path),
        slow(port, path),
    ):
        for case, what in cases:
            print(f"{case}: {what}", flush=True)


main()
