"""What a resolver on the Internet finds, from the registered domains down.

ACM issues a certificate once it sees the validation CNAME by ordinary DNS. The
walk here is that resolver's: it starts at the zone that the registry points to,
follows NS record sets from zone to zone over all accounts, and enters a zone
only through its own name servers. A zone that nothing delegates to, or that is
hidden by a delegation to another, is not found, whatever it holds. The resolver
validates DNSSEC, as certificate authorities do: where a signed zone has a DS record
set for a zone without that key, nothing is found below.
"""

from ministack.services import route53 as service

from . import dnssec


def all_zones():
    """Every zone of every account as (account id, zone, record sets)."""
    with service._lock:
        zones = list(service._zones._data.items())
        records = dict(service._records._data)
    return [(account, zone, list(records.get((account, zone_id), []))) for (account, zone_id), zone in zones]


def _servers(values):
    return frozenset(value.rstrip(".").lower() for value in values)


def _is_in(name, zone_name):
    return name == zone_name or name.endswith("." + zone_name)


def registered_zone(domain, account, zones):
    """The zone to which a registry delegates: the account's oldest public zone of that name."""
    wanted = domain.rstrip(".").lower() + "."
    named = [entry for entry in zones
             if entry[0] == account and entry[1]["name"] == wanted and not entry[1]["private"]]
    return min(named, key=lambda entry: entry[1]["made"], default=None)


def lookup(name, kind, registered):
    """The values of the record set at `name` for a resolver, or an empty list.

    `registered` are the base domains as (domain, account id).
    """
    zones = all_zones()
    starts = [registered_zone(domain, account, zones) for domain, account in registered
              if _is_in(name, domain.rstrip(".").lower() + ".")]
    here = max((entry for entry in starts if entry), key=lambda entry: len(entry[1]["name"]), default=None)
    believed = here is not None and dnssec.is_signed(here[1])
    while here is not None:
        _, zone, records = here
        cuts = [r for r in records if r["Type"] == "NS" and r["Name"] != zone["name"] and _is_in(name, r["Name"])]
        if not cuts:
            return [value for r in records if r["Name"] == name and r["Type"] == kind
                    for value in r.get("ResourceRecords", [])]
        cut = min(cuts, key=lambda r: len(r["Name"]))
        servers = _servers(cut["ResourceRecords"])
        here = next((entry for entry in zones
                     if entry[1]["name"] == cut["Name"] and not entry[1]["private"]
                     and frozenset(entry[1]["name_servers"]) == servers), None)
        # Below a delegation without a DS record set everything is unsigned (RFC 4033, section 5).
        signers = [value for r in records if r["Name"] == cut["Name"] and r["Type"] == "DS"
                   for value in r.get("ResourceRecords", [])]
        believed = believed and bool(signers)
        if believed and here is not None and not dnssec.is_believed(here[1], signers):
            return []
    return []
