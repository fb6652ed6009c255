"""DNS queries: to the resolver of this machine, and to authoritative name servers.

DNS_NAME_SERVERS (IP:PORT) replaces all of them, as it does for the functions. The trial's own test sets it.
"""

import functools
import os
import socket

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver

_PATIENCE = 4.0


def _override():
    ip, _, port = os.environ.get("DNS_NAME_SERVERS", "").rpartition(":")
    return (ip, int(port)) if ip else None


@functools.cache
def _address(server):
    return _override() or (socket.getaddrinfo(server, 53, socket.AF_INET)[0][4][0], 53)


def ask(server, name, kind):
    """(response code, whether with authority, values) of this name server's answer, or None if there is no answer."""
    try:
        ip, port = _address(server)
        query = dns.message.make_query(name, kind)
        query.flags &= ~dns.flags.RD
        reply = dns.query.udp(query, ip, timeout=_PATIENCE, port=port)
    except (OSError, dns.exception.DNSException):
        return None
    sections = reply.answer or reply.authority
    values = {str(value).rstrip(".").lower() for found in sections if found.rdtype == dns.rdatatype.from_text(kind) for value in found}
    return dns.rcode.to_text(reply.rcode()), bool(reply.flags & dns.flags.AA), values


def delegated_to(name):
    """The name servers of a domain, as the resolver of this machine finds them."""
    resolver = dns.resolver.Resolver(configure=_override() is None)
    if _override():
        ip, resolver.port = _override()
        resolver.nameservers = [ip]
    try:
        return {str(value).rstrip(".").lower() for value in resolver.resolve(name, "NS")}
    except dns.exception.DNSException:
        return set()
