"""Storage Commitment by pynetdicom, in both roles.

    commitment.py scp FOLDER AE [--report same|new|never|wrong] [--to HOST:PORT]
                      [--called AE] [--fail COUNT] [--no-role]
    commitment.py ask HOST:PORT CALLING CALLED [--listen PORT] [CLASS=INSTANCE ...]
    commitment.py report HOST:PORT CALLING CALLED [TRANSACTION]

`scp` stores and commits: prints `ready PORT`, `stored UID`, `asked TRANSACTION
COUNT`, `reported TRANSACTION STATUS`. It reports on the same association or on
one of its own to `--to`, in which it proposes the SCP role (unless --no-role);
`wrong` reports on a transaction of nobody's. The first instance of the first
`--fail` requests fails with 0112.

`ask` requests a commitment and prints `answer STATUS`, then `kept INSTANCE` and
`failed INSTANCE REASON` of the report: on the same association, or, with
--listen, on one that comes to that port after its own is released.

`report` calls as if it were a destination: prints `rejected`, `refused` (the
context) or `status STATUS`.
"""

import argparse
import sys
import threading
import time
import warnings
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.uid import AllTransferSyntaxes, generate_uid
from pynetdicom import AE, AllStoragePresentationContexts, build_role, evt
from pynetdicom.sop_class import StorageCommitmentPushModel as PUSH_MODEL
from pynetdicom.sop_class import StorageCommitmentPushModelInstance as INSTANCE
from pynetdicom.sop_class import Verification

warnings.filterwarnings("ignore")


def say(*words):
    # At once: handlers run in threads of their own.
    sys.stdout.write(" ".join(str(word) for word in words) + "\n")
    sys.stdout.flush()


def place(text):
    host, port = text.split(":")
    return host, int(port)


def reference(class_uid, instance_uid, reason=None):
    item = Dataset()
    item.ReferencedSOPClassUID = class_uid
    item.ReferencedSOPInstanceUID = instance_uid
    if reason is not None:
        item.FailureReason = reason
    return item


class Scp:
    def __init__(self, options):
        self.options = options
        self.failing = options.fail

    def store(self, event):
        uid = event.request.AffectedSOPInstanceUID
        (self.options.folder / f"{uid}.dcm").write_bytes(event.encoded_dataset())
        say("stored", uid)
        return 0x0000

    def action(self, event):
        request = event.action_information
        items = list(request.ReferencedSOPSequence)
        say("asked", request.TransactionUID, len(items))
        if self.options.report != "never":
            report = self.report_on(request.TransactionUID, items)
            threading.Thread(target=self.tell, args=(event.assoc, report), daemon=True).start()
        return 0x0000, None

    def report_on(self, transaction, items):
        report = Dataset()
        report.TransactionUID = generate_uid() if self.options.report == "wrong" else transaction
        failed = items[:1] if self.failing > 0 else []
        self.failing -= 1
        kept = items[len(failed):]
        if kept:
            report.ReferencedSOPSequence = kept
        if failed:
            report.FailedSOPSequence = [
                reference(one.ReferencedSOPClassUID, one.ReferencedSOPInstanceUID, 0x0112)
                for one in failed
            ]
        return report

    def tell(self, assoc, report):
        event_type = 2 if "FailedSOPSequence" in report else 1
        time.sleep(0.2)
        if self.options.report == "same":
            status, _ = assoc.send_n_event_report(report, event_type, PUSH_MODEL, INSTANCE)
            say("reported", report.TransactionUID, f"{status.Status:04X}")
            return
        ae = AE(ae_title=self.options.ae)
        ae.add_requested_context(PUSH_MODEL)
        role = [] if self.options.no_role else [build_role(PUSH_MODEL, scp_role=True)]
        host, port = place(self.options.to)
        own = ae.associate(host, port, ae_title=self.options.called, ext_neg=role)
        if not own.is_established:
            say("rejected")
            return
        if self.options.no_role:
            # pynetdicom keeps to the default roles; many an archive does not.
            for context in own.accepted_contexts:
                context._as_scp = True
        status, _ = own.send_n_event_report(report, event_type, PUSH_MODEL, INSTANCE)
        say("reported", report.TransactionUID, f"{status.Status:04X}")
        own.release()


def scp(options):
    options.folder.mkdir(parents=True, exist_ok=True)
    ae = AE(ae_title=options.ae)
    for context in AllStoragePresentationContexts:
        ae.add_supported_context(context.abstract_syntax, list(AllTransferSyntaxes))
    ae.add_supported_context(Verification)
    ae.add_supported_context(PUSH_MODEL)
    served = Scp(options)
    handlers = [(evt.EVT_C_STORE, served.store), (evt.EVT_N_ACTION, served.action)]
    server = ae.start_server(("127.0.0.1", options.port), block=False, evt_handlers=handlers)
    say("ready", server.socket.getsockname()[1])
    while True:
        time.sleep(60)


def ask(options):
    told = threading.Event()

    def heard(event):
        report = event.event_information
        for one in report.get("ReferencedSOPSequence") or []:
            say("kept", one.ReferencedSOPInstanceUID)
        for one in report.get("FailedSOPSequence") or []:
            say("failed", one.ReferencedSOPInstanceUID, f"{one.FailureReason:04X}")
        say("event", event.event_type)
        told.set()
        return 0x0000, None

    handlers = [(evt.EVT_N_EVENT_REPORT, heard)]
    if options.listen:
        listener = AE(ae_title=options.calling)
        listener.add_supported_context(PUSH_MODEL, scu_role=False, scp_role=True)
        listener.start_server(("127.0.0.1", options.listen), block=False, evt_handlers=handlers)
    ae = AE(ae_title=options.calling)
    ae.add_requested_context(PUSH_MODEL)
    ae.add_requested_context(Verification)
    host, port = place(options.to)
    own = [] if options.listen else handlers
    assoc = ae.associate(host, port, ae_title=options.called, evt_handlers=own)
    if not assoc.is_established:
        say("rejected")
        return
    if not any(context.abstract_syntax == PUSH_MODEL for context in assoc.accepted_contexts):
        say("refused")
        assoc.release()
        return
    request = Dataset()
    request.TransactionUID = generate_uid()
    request.ReferencedSOPSequence = [reference(*one.split("=")) for one in options.instances]
    status, _ = assoc.send_n_action(request, 1, PUSH_MODEL, INSTANCE)
    say("answer", f"{status.Status:04X}" if status else "none")
    if options.listen:
        assoc.release()
    told.wait(40)
    time.sleep(0.5)
    if not options.listen:
        assoc.release()


def report(options):
    ae = AE(ae_title=options.calling)
    ae.add_requested_context(PUSH_MODEL)
    ae.add_requested_context("1.2.840.10008.5.1.4.1.1.2")
    host, port = place(options.to)
    role = [build_role(PUSH_MODEL, scp_role=True)]
    assoc = ae.associate(host, port, ae_title=options.called, ext_neg=role)
    if not assoc.is_established:
        say("rejected")
        return
    accepted = [context.abstract_syntax for context in assoc.accepted_contexts]
    say("accepted", *accepted)
    if PUSH_MODEL not in accepted:
        say("refused")
    else:
        told = Dataset()
        told.TransactionUID = options.transaction or generate_uid()
        told.ReferencedSOPSequence = [reference("1.2.840.10008.5.1.4.1.1.2", "2.25.1")]
        status, _ = assoc.send_n_event_report(told, 1, PUSH_MODEL, INSTANCE)
        say("status", f"{status.Status:04X}")
    assoc.release()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    roles = parser.add_subparsers(required=True)
    as_scp = roles.add_parser("scp")
    as_scp.set_defaults(run=scp)
    as_scp.add_argument("folder", type=Path)
    as_scp.add_argument("ae")
    as_scp.add_argument("--report", default="same")
    as_scp.add_argument("--to", default="")
    as_scp.add_argument("--called", default="AIRLOCK")
    as_scp.add_argument("--fail", type=int, default=0)
    as_scp.add_argument("--port", type=int, default=0)
    as_scp.add_argument("--no-role", action="store_true")
    as_scu = roles.add_parser("ask")
    as_scu.set_defaults(run=ask)
    as_scu.add_argument("to")
    as_scu.add_argument("calling")
    as_scu.add_argument("called")
    as_scu.add_argument("instances", nargs="*")
    as_scu.add_argument("--listen", type=int, default=0)
    as_stranger = roles.add_parser("report")
    as_stranger.set_defaults(run=report)
    as_stranger.add_argument("to")
    as_stranger.add_argument("calling")
    as_stranger.add_argument("called")
    as_stranger.add_argument("transaction", nargs="?", default="")
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
