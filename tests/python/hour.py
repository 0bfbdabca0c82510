"""A cart that acquires for an hour: an image every ten minutes on one association.

    hour.py PORT LIBRARY SPEED FILE...

Runs under libfaketime, LIBRARY, with clocks SPEED times as fast; the node's must be as
fast. Prints the status of each FILE, sent ten minutes after the one before, of a C-ECHO
after the last, how many minutes that took, then how long the association is left open
by the other side while nothing is said.
"""

import os
import sys
import time
import warnings

from pydicom import dcmread
from pynetdicom import AE, build_context
from reactor import turn

MINUTE = 60

warnings.filterwarnings("ignore")
if "FAKETIME" not in os.environ:
    clock = {"LD_PRELOAD": sys.argv[2], "FAKETIME": f"+0 x{sys.argv[3]}"}
    os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | clock)


def main():
    port, files = int(sys.argv[1]), [dcmread(file) for file in sys.argv[4:]]
    ae = AE(ae_title="CART")
    # The cart itself waits for ever.
    ae.network_timeout = None
    contexts = [build_context(files[0].SOPClassUID), build_context("1.2.840.10008.1.1")]
    association = ae.associate("127.0.0.1", port, contexts=contexts, ae_title="AIRLOCK")
    begun = time.monotonic()
    for number, dataset in enumerate(files, 1):
        time.sleep(max(0, begun + number * 10 * MINUTE - time.monotonic()))
        turn(association)
        print(f"stored: {association.send_c_store(dataset).Status:04X}", flush=True)
    turn(association)
    silent = time.monotonic()
    print(f"echo: {association.send_c_echo().Status:04X}", flush=True)
    print(f"minutes: {(time.monotonic() - begun) // MINUTE:.0f}", flush=True)
    while not association.is_aborted and time.monotonic() < silent + 30 * MINUTE:
        time.sleep(1)
    print(f"aborted: {association.is_aborted}", flush=True)
    print(f"silent: {(time.monotonic() - silent) / MINUTE:.1f}", flush=True)


main()
