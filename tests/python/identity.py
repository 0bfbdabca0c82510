"""Asks for an association under TLS with a user identity and extended negotiation.

    identity.py PORT CA CERTIFICATE KEY TYPE NAME PASSCODE

TYPE is 0 for no identity. Prints one line: `accepted answered|silent`, what came of
the role that was asked for, and whether extended negotiation was answered; or
`rejected RESULT SOURCE REASON`.
"""

import ssl
import sys

from pynetdicom import AE, build_role, evt
from pynetdicom.pdu import A_ASSOCIATE_RJ
from pynetdicom.pdu_primitives import SOPClassExtendedNegotiation, UserIdentityNegotiation

CT = "1.2.840.10008.5.1.4.1.1.2"


def main():
    port, ca, certificate, key, kind, name, passcode = sys.argv[1:]
    context = ssl.create_default_context(cafile=ca)
    context.load_cert_chain(certificate, key)
    ae = AE(ae_title="CART")
    ae.add_requested_context(CT, "1.2.840.10008.1.2.1")
    extended = SOPClassExtendedNegotiation()
    extended.sop_class_uid = CT
    extended.service_class_application_information = b"\x02\x00\x00\x00"
    items = [build_role(CT, scu_role=True, scp_role=True), extended]
    if int(kind):
        item = UserIdentityNegotiation()
        item.user_identity_type = int(kind)
        item.positive_response_requested = True
        item.primary_field = name.encode()
        if int(kind) == 2:
            item.secondary_field = passcode.encode()
        items.append(item)
    rejections = []

    def received(event):
        if isinstance(event.pdu, A_ASSOCIATE_RJ):
            rejections.append(event.pdu)

    association = ae.associate(
        "127.0.0.1",
        int(port),
        ae_title="AIRLOCK",
        ext_neg=items,
        tls_args=(context, "localhost"),
        evt_handlers=[(evt.EVT_PDU_RECV, received)],
    )
    if not association.is_established:
        for answer in rejections:
            print("rejected", answer.result, answer.source, answer.reason_diagnostic)
        return
    taken = association.accepted_contexts[0]
    acceptor = association.acceptor
    print(
        "accepted",
        "answered" if acceptor.user_identity is not None else "silent",
        f"scu={taken.as_scu} scp={taken.as_scp}",
        f"extended={len(acceptor.sop_class_extended)}",
    )
    association.release()


main()
