#!/usr/bin/env python3
"""Sends one query to a name server over UDP, as `dig` does, for a machine without `dig`.

    ask_dns.py 127.0.0.1:5353 app1.dev.build.example.com NS
"""

import socket
import struct
import sys

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "TXT": 16, "CAA": 257}
CODES = {0: "NOERROR", 2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED"}
PATIENCE_SECONDS = 3


def _question(name, kind):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split("."))
    return struct.pack("!6H", 1, 0, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", TYPES[kind], 1)


def _name(reply, at):
    """The name at an offset, and where it ends. Pointers are followed (RFC 1035, section 4.1.4)."""
    labels, end = [], None
    while reply[at]:
        if reply[at] >= 0xC0:
            end = end or at + 2
            at = struct.unpack("!H", reply[at:at + 2])[0] & 0x3FFF
        else:
            labels.append(reply[at + 1:at + 1 + reply[at]].decode())
            at += 1 + reply[at]
    return ".".join(labels) + ".", end or at + 1


def _value(reply, kind, at, length):
    if kind == TYPES["A"]:
        return socket.inet_ntoa(reply[at:at + 4])
    if kind in (TYPES["NS"], TYPES["CNAME"]):
        return _name(reply, at)[0]
    if kind == TYPES["SOA"]:
        return _name(reply, at)[0]
    return repr(reply[at:at + length])


def main():
    if len(sys.argv) != 4 or sys.argv[3] not in TYPES:
        sys.exit(f"usage: ask_dns.py ADDRESS:PORT NAME {'|'.join(TYPES)}")
    host, _, port = sys.argv[1].rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.settimeout(PATIENCE_SECONDS)
        channel.connect((host, int(port)))
        try:
            channel.send(_question(*sys.argv[2:]))
            reply = channel.recv(4096)
        except OSError as failure:
            sys.exit(f"{sys.argv[1]} gives no answer: {failure}")
    _, flags, _, *counts = struct.unpack("!6H", reply[:12])
    print(f"{CODES.get(flags & 0xF, flags & 0xF)}{', with authority' if flags & 0x400 else ''}")
    _, at = _name(reply, 12)
    at += 4
    kinds = {number: kind for kind, number in TYPES.items()}
    for _ in range(sum(counts[:2])):
        name, at = _name(reply, at)
        kind, _, ttl, length = struct.unpack("!2HIH", reply[at:at + 10])
        print(f"{name} {ttl} {kinds.get(kind, kind)} {_value(reply, kind, at + 10, length)}")
        at += 10 + length


if __name__ == "__main__":
    main()
