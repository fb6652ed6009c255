"""Route 53: zones of their own, references used once, strict changes.

Facts restored, with their sources:

- Each zone has four name servers of its own, and GetHostedZone, the zone's own NS record set and `GetAtt NameServers` agree. The package
  gives every zone the same four, so a delegation to a deleted zone would still resolve.
- A `CallerReference` can be used only once, even after its zone is deleted: a second CreateHostedZone with it is `HostedZoneAlreadyExists` (409).
  https://github.com/presslabs/zinc/issues/148
- Names are lowercase, end with a dot, and have other characters as octal escapes.
  https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html
- Lists are ordered by the name's labels reversed, compared as one string with the dots.
  https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html
- A batch is atomic. CREATE fails if the record set exists. DELETE needs the exact TTL and values. A CNAME is the only record set at its
  name. The apex keeps its NS and SOA record sets.
- A change is PENDING until the authoritative servers have it. Here that takes `Settings.insync_seconds`, within which the zones are
  copied to a DNS server.
- DNSSEC signing and record set protections block a zone's deletion (`route53_marks.py`).
"""

import itertools
import re
import time
from xml.etree.ElementTree import SubElement

from ministack.services import route53 as service

from . import seam

# --- names -------------------------------------------------------------------

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")
_OCTAL = re.compile(r"\\([0-3][0-7]{2})")


def normalized(name):
    """The name in Route 53's form: lowercase, octal escapes, a final dot."""
    if not name:
        return name
    plain = _OCTAL.sub(lambda code: chr(int(code.group(1), 8)), name.strip()).lower()
    plain = plain if plain.endswith(".") else plain + "."
    return "".join(c if c in _PLAIN else "".join(f"\\{b:03o}" for b in c.encode()) for c in plain)


def sort_key(name):
    """The order of Route 53's lists: `www.example.com.` sorts as `com.example.www.`."""
    plain = _OCTAL.sub(lambda code: chr(int(code.group(1), 8)), normalized(name))
    return ".".join(reversed(plain.rstrip(".").split("."))) + "."


def name_error(name):
    """Why `name` is not a domain name, or None. RFC 1035: labels to 63 bytes, names to 255."""
    plain = _OCTAL.sub(lambda code: chr(int(code.group(1), 8)), name).rstrip(".")
    if not plain or len(plain) + 2 > 255:
        return "DomainLabelEmpty" if not plain else "DomainNameTooLong"
    if any(not label for label in plain.split(".")):
        return "DomainLabelEmpty"
    if any(len(label) > 63 for label in plain.split(".")):
        return "DomainLabelTooLong"
    return None


def is_in(name, zone_name):
    """Whether `name` is the zone's apex or a subdomain of it."""
    return name == zone_name or name.endswith("." + zone_name)


# --- name servers ------------------------------------------------------------

_ZONES_MADE = itertools.count(1)


def new_name_servers():
    """Four host names that no other zone of this run has.

    Route 53's own form is `ns-N.awsdns-NN`, with N from 0 to 511 under com, to 1023 under net, to 1535 under org, to 2047 under co.uk, and
    NN the eighth of N within its 512. The steps are odd, so each series contains all 512 before it repeats, and the second round is
    shifted: the same four never occur again.
    """
    made = next(_ZONES_MADE)
    lap = made // 512
    servers = []
    for place, (step, suffix) in enumerate(((181, "com"), (235, "net"), (419, "org"), (87, "co.uk"))):
        within = (made * step + 37 * place + lap * place) % 512
        servers.append(f"ns-{512 * place + within}.awsdns-{within // 8:02d}.{suffix}")
    return servers


def default_records(zone):
    """The two record sets of a new zone."""
    first = zone["name_servers"][0]
    return [
        {"Name": zone["name"], "Type": "NS", "TTL": "172800",
         "ResourceRecords": [server + "." for server in zone["name_servers"]]},
        {"Name": zone["name"], "Type": "SOA", "TTL": "900",
         "ResourceRecords": [f"{first}. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"]},
    ]


# --- failures ----------------------------------------------------------------

class Refused(Exception):
    """A request that Route 53 would refuse."""

    def __init__(self, code, message, status=400):
        super().__init__(message)
        self.code, self.message, self.status = code, message, status

    def response(self):
        """The response on the wire."""
        return service._error_response(self.code, self.message, self.status)


def _answered(handler):
    def handle(*args):
        try:
            return handler(*args)
        except Refused as refused:
            return refused.response()
    return handle


def no_such_zone(zone_id):
    """The error of every call on a zone that does not exist."""
    return Refused("NoSuchHostedZone", f"No hosted zone found with ID: {zone_id}", 404)


# --- zones -------------------------------------------------------------------

_INSYNC_SECONDS = 1.0


def new_change(comment=""):
    """A change, PENDING from now on. Call under the service's lock."""
    change = {"id": service._change_id(), "status": "PENDING", "submitted_at": service._now_iso(),
              "comment": comment, "made": time.monotonic()}
    service._changes[change["id"]] = change
    return change


def create_zone(name, caller_reference, comment="", vpcs=(), private=False):
    """CreateHostedZone, for the API and for templates alike. Call under the service's lock."""
    name = normalized(name)
    failure = name_error(name)
    if failure or "\\052" in name:
        raise Refused("InvalidDomainName", f"{failure or 'BadCharacter'} (Domain label is invalid) encountered with '{name}'")
    if caller_reference in service._caller_refs:
        raise Refused("HostedZoneAlreadyExists",
                      f"A hosted zone has already been created with the specified caller reference: {caller_reference}.", 409)
    for vpc in vpcs:
        if service._same_name_zone_with_vpc(name, vpc):
            raise Refused("ConflictingDomainExists",
                          f"The VPC {vpc['VPCId']} is already associated with a hosted zone named {name}")
    zone = {"id": service._zone_id(), "name": name, "caller_reference": caller_reference, "comment": comment,
            "private": private or bool(vpcs), "vpcs": list(vpcs), "name_servers": new_name_servers(),
            "made": time.time(), "dnssec": "NOT_SIGNING", "protections": {}}
    service._zones[zone["id"]] = zone
    service._records[zone["id"]] = default_records(zone)
    service._caller_refs[caller_reference] = zone["id"]
    return zone


def delete_zone(zone_id):
    """DeleteHostedZone. The reference stays used. Call under the service's lock."""
    zone = service._zones.get(zone_id)
    if zone is None:
        raise no_such_zone(zone_id)
    if zone["dnssec"] != "NOT_SIGNING":
        raise Refused("HostedZoneNotEmpty", "The specified hosted zone has DNSSEC enabled and so cannot be deleted.")
    if zone["protections"]:
        raise Refused("HostedZoneNotEmpty",
                      "The specified hosted zone contains resource record set protections and so cannot be deleted.")
    if any(not (r["Name"] == zone["name"] and r["Type"] in ("NS", "SOA")) for r in service._records[zone_id]):
        raise Refused("HostedZoneNotEmpty",
                      "The specified hosted zone contains non-required resource record sets and so cannot be deleted.")
    del service._zones[zone_id]
    del service._records[zone_id]
    service._tags.pop(("hostedzone", zone_id), None)
    return new_change()


def _create_hosted_zone(body, _query):
    root = service._parse_body(body)
    if root is None:
        raise Refused("InvalidInput", "Missing or invalid request body.")
    name, reference = service._text(root, "Name"), service._text(root, "CallerReference")
    if not name or not reference:
        raise Refused("InvalidInput", "Name and CallerReference are required.")
    config = service._find(root, "HostedZoneConfig")
    comment = service._text(config, "Comment") if config is not None else ""
    private = config is not None and service._text(config, "PrivateZone", "false").lower() == "true"
    vpc, failure = service._parse_vpc(root)
    if failure:
        return failure
    with service._lock:
        zone = create_zone(name, reference, comment, [vpc] if vpc else [], private)
        change = new_change()

    def build(answer):
        service._build_hosted_zone_el(answer, zone)
        service._build_change_info_el(answer, change)
        _build_location(answer, zone)

    return service._xml_response("CreateHostedZoneResponse", build, 201)


def _build_location(answer, zone):
    if zone["private"]:
        vpcs = SubElement(answer, "VPCs")
        for vpc in zone["vpcs"]:
            service._build_vpc_el(vpcs, vpc)
        return
    servers = SubElement(SubElement(answer, "DelegationSet"), "NameServers")
    for server in zone["name_servers"]:
        SubElement(servers, "NameServer").text = server


def _get_hosted_zone(zone_id):
    with service._lock:
        zone = service._zones.get(zone_id)
    if zone is None:
        raise no_such_zone(zone_id)

    def build(answer):
        service._build_hosted_zone_el(answer, zone)
        _build_location(answer, zone)

    return service._xml_response("GetHostedZoneResponse", build)


def _delete_hosted_zone(zone_id):
    with service._lock:
        change = delete_zone(zone_id)
    return service._xml_response("DeleteHostedZoneResponse", lambda answer: service._build_change_info_el(answer, change))


def _one(query, name):
    value = query.get(name, "")
    return (value[0] if isinstance(value, list) else value) or ""


def _list_hosted_zones_by_name(query):
    """Starts at or after the name. The next page starts with the first name that is left over."""
    start, start_id = _one(query, "dnsname"), _one(query, "hostedzoneid")
    most = min(int(_one(query, "maxitems") or 100), 100)
    if start_id and not start:
        raise Refused("InvalidInput", "You must specify DNSName when you specify HostedZoneId.")
    with service._lock:
        zones = sorted(service._zones.values(), key=lambda zone: (sort_key(zone["name"]), zone["id"]))
    if start:
        zones = [zone for zone in zones if (sort_key(zone["name"]), zone["id"]) >= (sort_key(start), start_id)]
    page, rest = zones[:most], zones[most:]

    def build(answer):
        listed = SubElement(answer, "HostedZones")
        for zone in page:
            service._build_hosted_zone_el(listed, zone)
        if start:
            SubElement(answer, "DNSName").text = start
        if start_id:
            SubElement(answer, "HostedZoneId").text = start_id
        SubElement(answer, "IsTruncated").text = str(bool(rest)).lower()
        SubElement(answer, "MaxItems").text = str(most)
        if rest:
            SubElement(answer, "NextDNSName").text = rest[0]["name"]
            SubElement(answer, "NextHostedZoneId").text = rest[0]["id"]

    return service._xml_response("ListHostedZonesByNameResponse", build)


def _get_change(change_id):
    with service._lock:
        change = service._changes.get(change_id)
        if change is None:
            raise Refused("NoSuchChange", f"A change with the ID {change_id} does not exist.", 404)
        if time.monotonic() - change["made"] >= _INSYNC_SECONDS:
            change["status"] = "INSYNC"
        seen = dict(change)
    return service._xml_response("GetChangeResponse", lambda answer: service._build_change_info_el(answer, seen))


# --- record sets -------------------------------------------------------------

def _label(record):
    return f"[name='{record['Name']}', type='{record['Type']}']"


def _why_not(zone, record_sets, action, record):
    """Why this change cannot be applied to the existing record sets, or None."""
    name, kind, key = record["Name"], record["Type"], service._rs_key(record)
    existing = next((r for r in record_sets if service._rs_key(r) == key), None)
    if not is_in(name, zone["name"]):
        return f"RRSet with DNS name {name} is not permitted in zone {zone['name']}"
    if name_error(name):
        return f"{name_error(name)} (Domain label is invalid) encountered with '{name}'"
    if (name, kind) in zone["protections"]:
        return f"The resource record set {_label(record)} is protected by a resource record set protection"
    if action == "DELETE":
        if existing is None:
            return f"Tried to delete resource record set {_label(record)} but it was not found"
        if service._rs_values(existing) != service._rs_values(record):
            return (f"Tried to delete resource record set {_label(record)} "
                    "but the values provided do not match the current values")
        if name == zone["name"] and kind in ("NS", "SOA"):
            return f"A HostedZone must contain at least one {kind} record for the zone itself."
        return None
    if action == "CREATE" and existing is not None:
        return f"Tried to create resource record set {_label(record)} but it already exists"
    if record.get("AliasTarget") is None:
        if not record.get("ResourceRecords"):
            return f"Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found none in Change with {_label(record)}"
        if not str(record.get("TTL", "")).isdigit() or int(record["TTL"]) > 2147483647:
            return f"Invalid TTL in {_label(record)}"
        if len(set(record["ResourceRecords"])) != len(record["ResourceRecords"]):
            return f"Duplicate Resource Record: '{record['ResourceRecords'][0]}'"
    others = {r["Type"] for r in record_sets if r["Name"] == name and service._rs_key(r) != key}
    if kind == "CNAME" and name == zone["name"]:
        return f"RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {zone['name']}"
    if (kind == "CNAME" and others - {"CNAME"}) or (kind != "CNAME" and "CNAME" in others):
        return (f"RRSet of type {kind} with DNS name {name} is not permitted as it conflicts with other records "
                f"with the same DNS name in zone {zone['name']}")
    return None


def apply_changes(zone_id, changes, comment=""):
    """ChangeResourceRecordSets: all of the changes or none. Call under the service's lock."""
    zone = service._zones.get(zone_id)
    if zone is None:
        raise no_such_zone(zone_id)
    if not changes:
        raise Refused("InvalidInput", "The ChangeBatch contains no changes.")
    record_sets, failures = list(service._records[zone_id]), []
    for action, record in changes:
        if action not in ("CREATE", "DELETE", "UPSERT"):
            raise Refused("InvalidInput", f"Value '{action}' at 'changeBatch.changes.action' failed to satisfy constraint")
        failure = _why_not(zone, record_sets, action, record)
        if failure:
            failures.append(failure)
            continue
        key = service._rs_key(record)
        record_sets = [r for r in record_sets if service._rs_key(r) != key]
        if action != "DELETE":
            record_sets.append(record)
    if failures:
        raise Refused("InvalidChangeBatch", "[" + ", ".join(failures) + "]")
    service._records[zone_id] = record_sets
    return new_change(comment)


def changes_in(body):
    """The changes of a ChangeResourceRecordSets request as (action, record set), and its comment."""
    root = service._parse_body(body)
    batch = service._find(root, "ChangeBatch") if root is not None else None
    listed = service._find(batch, "Changes") if batch is not None else None
    if listed is None:
        raise Refused("InvalidInput", "Missing ChangeBatch element.")
    changes = []
    for change in service._findall(listed, "Change"):
        record = service._find(change, "ResourceRecordSet")
        if record is None or not service._text(record, "Name") or not service._text(record, "Type"):
            raise Refused("InvalidInput", "Name and Type are required in ResourceRecordSet.")
        changes.append((service._text(change, "Action"), service._parse_record_set(record)))
    return changes, service._text(batch, "Comment")


# The number of further changes of a zone that are throttled, by its id. `GET /_emulator/throttle/ZONE/CALLS`
# sets it.
THROTTLED = {}


def _change_resource_record_sets(zone_id, body):
    if THROTTLED.get(zone_id, 0) > 0:
        THROTTLED[zone_id] -= 1
        raise Refused("Throttling", "Rate exceeded")
    changes, comment = changes_in(body)
    with service._lock:
        change = apply_changes(zone_id, changes, comment)
    return service._xml_response("ChangeResourceRecordSetsResponse",
                                 lambda answer: service._build_change_info_el(answer, change))


def apply(settings):
    """Corrects the service's module."""
    global _INSYNC_SECONDS
    _INSYNC_SECONDS = settings.insync_seconds
    seam.replace(service, "_normalise_name", normalized)
    seam.replace(service, "_name_sort_key", sort_key)
    seam.replace(service, "_new_change", new_change)
    seam.replace(service, "_create_hosted_zone", _answered(_create_hosted_zone))
    seam.replace(service, "_get_hosted_zone", _answered(_get_hosted_zone))
    seam.replace(service, "_delete_hosted_zone", _answered(_delete_hosted_zone))
    seam.replace(service, "_list_hosted_zones_by_name", _answered(_list_hosted_zones_by_name))
    seam.replace(service, "_get_change", _answered(_get_change))
    seam.replace(service, "_change_resource_record_sets", _answered(_change_resource_record_sets))
