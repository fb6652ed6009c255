"""The key of a signed zone, its DS record, and whether a resolver that validates believes a zone.

`tests/name-server/src/dnssec.rs` serves the same key over DNS. Nothing is signed: a
zone's key is the proof that it is signed. A registry always holds the DS record of
a registered zone that is signed.
"""

import hashlib
import struct

_KEY_HEADER = struct.pack("!HBB", 257, 3, 13)


def is_signed(zone):
    """Whether DNSSEC signing is on."""
    return zone["dnssec"] != "NOT_SIGNING"


def _dnskey(zone):
    name = zone["name"].rstrip(".").lower() + "."
    servers = sorted(server.rstrip(".").lower() + "." for server in zone["name_servers"])
    text = " ".join([name, *servers])
    return _KEY_HEADER + b"".join(hashlib.sha256(f"{half} {text}".encode()).digest() for half in range(2))


def ds(zone):
    """The value of the DS record that belongs to the key of a zone (RFC 4034, section 5.1.4 and appendix B)."""
    key = _dnskey(zone)
    total = sum(struct.unpack(f"!{len(key) // 2}H", key))
    tag = (total + (total >> 16)) & 0xFFFF
    labels = zone["name"].rstrip(".").lower().split(".")
    owner = b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"
    return f"{tag} 13 2 {hashlib.sha256(owner + key).hexdigest().upper()}"


def ds_of_registry(zone):
    """The values of the DS record set that the registry holds for a zone."""
    return [ds(zone)] if is_signed(zone) else []


def is_believed(zone, values):
    """Whether a zone is believed where the zone above, which is, has this DS record set for it."""
    return is_signed(zone) and ds(zone) in [" ".join(value.upper().split()) for value in values]
