"""moto's server, the second implementation of AWS, with name servers that serve the zones of its Route 53.

`WRONG` lists where moto differs from AWS, each with its replacement here. Nothing else is changed.
"""

import logging
import secrets
import socketserver
import threading

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import moto.route53.models
from moto import settings
from moto.route53.models import route53_backends
from moto.server import ThreadedMotoServer

# moto's own account. The account of an assumed role is the role's.
ACCOUNT = "123456789012"

WRONG = {
    "CreateHostedZone": "every zone has the same four name servers; here each has its own, as on AWS",
    "ChangeResourceRecordSets": "CREATE is refused for a record set that was deleted before; here no name is used twice",
    "GetDNSSEC": "implemented as an error for every zone; the functions go on with a warning",
    "ListResourceRecordSetProtections": "not implemented, answered with 404; the functions go on with a warning",
    "RequestCertificate": "every certificate has an RSA key, and is ISSUED after a while whatever DNS says; the emulator and the world check the latter",
    "StartExecution": "nothing runs; the test plays the state machine",
    "IAM": "not enforced by default; that is the emulator's and the world's to check",
}


def _own_name_servers(before):
    class DelegationSet(before):
        def __init__(self, caller_reference, name_servers, delegation_set_id):
            own = secrets.randbelow(10**6)
            super().__init__(caller_reference, name_servers or [
                f"ns-{own}.awsdns-{place:02}.{top}" for place, top in enumerate(("com", "net", "org", "co.uk"))], delegation_set_id)
    return DelegationSet


class Moto:
    """The server and its DNS, on loopback."""

    def __init__(self, issued_after):
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._before = moto.route53.models.DelegationSet
        moto.route53.models.DelegationSet = _own_name_servers(self._before)
        settings.ACM_VALIDATION_WAIT = issued_after
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        self.url = "http://%s:%d" % self._server.get_host_and_port()
        self._dns = socketserver.ThreadingUDPServer(("127.0.0.1", 0), _Question)
        threading.Thread(target=self._dns.serve_forever, daemon=True).start()
        self.dns = "%s:%d" % self._dns.server_address

    def close(self):
        self._dns.shutdown()
        self._dns.server_close()
        self._server.stop()
        moto.route53.models.DelegationSet = self._before


def _zones():
    """(account, zone) of all accounts."""
    return [zone for account in dict(route53_backends) for backend in [route53_backends[account]["aws"]]
            for zone in list(backend.zones.values())]


class _Question(socketserver.BaseRequestHandler):
    """Answers with authority from the zone with the longest name that contains the queried one: one server
    serves all zones."""

    def handle(self):
        data, channel = self.request
        query = dns.message.from_wire(data)
        reply, question = dns.message.make_response(query), query.question[0]
        zones = {dns.name.from_text(zone.name): zone for zone in _zones()}
        above = [name for name in zones if question.name.is_subdomain(name)]
        if above:
            zone = zones[max(above, key=len)]
            reply.flags |= dns.flags.AA
            sets = [(dns.name.from_text(one.name.encode().decode("unicode_escape")), one) for one in zone.rrsets]
            for name, found in sets:
                if name == question.name and found.type == dns.rdatatype.to_text(question.rdtype):
                    reply.answer.append(dns.rrset.from_text(name, int(found.ttl), "IN", found.type, *map(_text, found.records)))
            if not any(name.is_subdomain(question.name) for name, _ in sets):
                reply.set_rcode(dns.rcode.NXDOMAIN)
        else:
            reply.set_rcode(dns.rcode.REFUSED)
        channel.sendto(reply.to_wire(), self.client_address)


def _text(value):
    """A value in the form of a zone file. moto stores a zone's own SOA in a dictionary, and host names without their final dot."""
    text = value["Value"] if isinstance(value, dict) else value
    return text if " " in text or text.endswith(".") else f"{text}."
