"""A Storage SCP that misbehaves as told, by pynetdicom.

    scp.py FOLDER AE [--answer STATUS[,STATUS...]] [--abort-at N] [--reject]
                     [--syntax UID[,UID...]] [--delay SECONDS] [--cross]

Listens on a free loopback port and prints `ready PORT`. Writes what it answered
with success to FOLDER/SOP-INSTANCE-UID.dcm and prints `stored UID STATUS` for
each C-STORE.

--answer   status of the first, second, ... C-STORE in hex; the last one goes on
--abort-at A-ABORT instead of the N-th answer, counted from 1, once
--reject   refuses each association as transient (local limit exceeded)
--syntax   accepts only these transfer syntaxes
--delay    waits before each answer
--cross    asks for release itself right behind each answer to a C-ECHO, so that its
           request crosses that of a peer that has no more to say; prints `crossed`,
           and `released` or `aborted`
"""

import argparse
import itertools
import threading
import time
import warnings
from pathlib import Path

from pydicom.uid import AllTransferSyntaxes
from pynetdicom import AE, AllStoragePresentationContexts, evt
from pynetdicom.sop_class import Verification

warnings.filterwarnings("ignore")


class Scp:
    def __init__(self, options):
        self.options = options
        self.statuses = [int(status, 16) for status in options.answer.split(",")]
        self.count = itertools.count(1)

    def store(self, event):
        number = next(self.count)
        time.sleep(self.options.delay)
        if number == self.options.abort_at:
            event.assoc.abort()
            return 0x0110
        status = self.statuses[min(number, len(self.statuses)) - 1]
        uid = event.request.AffectedSOPInstanceUID
        if status == 0x0000:
            part = self.options.folder / f"{uid}.part"
            part.write_bytes(event.encoded_dataset())
            part.rename(part.with_suffix(".dcm"))
        print(f"stored {uid} {status:04X}", flush=True)
        return status


def ask_for_release(event):
    association = event.assoc
    # The reactor is to leave what comes to `hear_release`, and in the round that answers
    # this request it looks for a release once more.
    association._reactor_checkpoint.clear()
    association.acse.is_release_requested = lambda: False
    send = association.dul.send_pdu

    def send_and_ask(primitive):
        association.dul.send_pdu = send
        send(primitive)
        association.acse.send_release()
        threading.Thread(target=hear_release, args=(association,), daemon=True).start()

    association.dul.send_pdu = send_and_ask
    return 0x0000


def hear_release(association):
    while not association._is_paused:
        time.sleep(0.001)
    send = association.acse.send_release
    # It is asked for already.
    association.acse.send_release = lambda is_response=False: is_response and send(is_response=True)
    association.acse.negotiate_release()
    print("released" if association.is_released else "aborted", flush=True)
    association._reactor_checkpoint.set()


def crossed(event):
    # The acceptor's state after a collision (PS3.8 Table 9-10, AR-8).
    if event.next_state == "Sta10":
        print("crossed", flush=True)


def reject(event):
    # Transient, by the provider (presentation), local limit exceeded: PS3.8 Table 9-21.
    event.assoc.acse.send_reject(0x02, 0x03, 0x02)
    event.assoc.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("ae")
    parser.add_argument("--answer", default="0000")
    parser.add_argument("--abort-at", type=int, default=0)
    parser.add_argument("--reject", action="store_true")
    parser.add_argument("--syntax", default="")
    parser.add_argument("--delay", type=float, default=0)
    parser.add_argument("--cross", action="store_true")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    ae = AE(ae_title=options.ae)
    syntaxes = options.syntax.split(",") if options.syntax else list(AllTransferSyntaxes)
    for context in AllStoragePresentationContexts:
        ae.add_supported_context(context.abstract_syntax, syntaxes)
    ae.add_supported_context(Verification)
    handlers = [(evt.EVT_C_STORE, Scp(options).store)]
    if options.reject:
        handlers.append((evt.EVT_REQUESTED, reject))
    if options.cross:
        handlers += [(evt.EVT_C_ECHO, ask_for_release), (evt.EVT_FSM_TRANSITION, crossed)]
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    print(f"ready {server.socket.getsockname()[1]}", flush=True)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main()
