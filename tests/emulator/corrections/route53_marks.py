"""Route 53's features of zones that the package does not have: tags of several zones, DNSSEC, protections.

Facts restored, with their sources:

- ListTagsForResources returns the tags of up to ten zones.
  https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListTagsForResources.html
- GetDNSSEC says whether a zone is signed. Signing blocks its deletion.
  https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetDNSSEC.html
- A record set protection blocks every change of that name and type, and the zone's deletion (botocore 1.44.8,
  CreateResourceRecordSetProtections).
"""

import re
from xml.etree.ElementTree import SubElement

from ministack.services import route53 as service

from . import dnssec, seam
from .route53 import Refused, new_change, no_such_zone, normalized

_DNSSEC = re.compile(r"^/2013-04-01/hostedzone/([^/]+)/(dnssec|enable-dnssec|disable-dnssec)$")
_PROTECTION = re.compile(r"^/2013-04-01/hostedzone/([^/]+)/rrsetprotection(/delete)?$")


_TAGS_OF_MANY = "/2013-04-01/tags/hostedzone"


def tagged_zones(path, body):
    """The zone ids of a ListTagsForResources request, or none for another request."""
    root = service._parse_body(body) if path == _TAGS_OF_MANY else None
    listed = service._find(root, "ResourceIds") if root is not None else None
    return [one.text or "" for one in listed] if listed is not None else []


def _list_tags_for_resources(body):
    zone_ids = tagged_zones(_TAGS_OF_MANY, body)
    if not 1 <= len(zone_ids) <= 10:
        raise Refused("InvalidInput", "ResourceIds must have between 1 and 10 members.")
    with service._lock:
        for zone_id in zone_ids:
            if zone_id not in service._zones:
                raise no_such_zone(zone_id)
        found = [(zone_id, dict(service._tags.get(("hostedzone", zone_id), {}))) for zone_id in zone_ids]

    def build(answer):
        sets = SubElement(answer, "ResourceTagSets")
        for zone_id, tags in found:
            one = SubElement(sets, "ResourceTagSet")
            SubElement(one, "ResourceType").text = "hostedzone"
            SubElement(one, "ResourceId").text = zone_id
            listed = SubElement(one, "Tags")
            for key, value in tags.items():
                tag = SubElement(listed, "Tag")
                SubElement(tag, "Key").text = key
                SubElement(tag, "Value").text = value

    return service._xml_response("ListTagsForResourcesResponse", build)


def _zone_of(match):
    zone = service._zones.get(match.group(1))
    if zone is None:
        raise no_such_zone(match.group(1))
    return zone


def _dnssec(method, match):
    with service._lock:
        zone = _zone_of(match)
        if match.group(2) == "dnssec":
            if method != "GET":
                raise Refused("InvalidInput", "Unknown operation")
            status, ds = zone["dnssec"], dnssec.ds_of_registry(zone)

            def build(answer):
                SubElement(SubElement(answer, "Status"), "ServeSignature").text = status
                keys = SubElement(answer, "KeySigningKeys")
                for value in ds:
                    key = SubElement(keys, "KeySigningKey")
                    SubElement(key, "Name").text, SubElement(key, "Status").text = "key", "ACTIVE"
                    SubElement(key, "DSRecord").text = value

            return service._xml_response("GetDNSSECResponse", build)
        enable = match.group(2) == "enable-dnssec"
        zone["dnssec"] = "SIGNING" if enable else "NOT_SIGNING"
        change = new_change()
    return service._xml_response(f"{'Enable' if enable else 'Disable'}HostedZoneDNSSECResponse",
                                 lambda answer: service._build_change_info_el(answer, change))


def _protection(method, match, body):
    """Create-, List- and DeleteResourceRecordSetProtections (botocore 1.44.8)."""
    with service._lock:
        zone = _zone_of(match)
        if method == "GET":
            standing = sorted(zone["protections"].items())

            def build(answer):
                listed = SubElement(answer, "ResourceRecordSetProtections")
                for (name, kind), comment in standing:
                    one = SubElement(listed, "ResourceRecordSetProtection")
                    SubElement(one, "RecordName").text = name
                    SubElement(one, "RecordType").text = kind
                    if comment:
                        SubElement(one, "Comment").text = comment

            return service._xml_response("ListResourceRecordSetProtectionsResponse", build)
        root = service._parse_body(body)
        listed = service._find(root, "Protections") if root is not None else None
        for one in list(listed) if listed is not None else []:
            key = (normalized(service._text(one, "RecordName")), service._text(one, "RecordType"))
            if match.group(2):
                zone["protections"].pop(key, None)
            else:
                zone["protections"][key] = service._text(one, "Comment")
    verb = "Delete" if match.group(2) else "Create"
    return service._xml_response(f"{verb}ResourceRecordSetProtectionsResponse", lambda answer: None)


def operation_of(method, path):
    """The operation of a path that the package's own API model does not have, or None."""
    match = _PROTECTION.match(path)
    if match is None:
        return None
    verb = "List" if method == "GET" else "Delete" if match.group(2) else "Create"
    return f"{verb}ResourceRecordSetProtections"


def _handle_request(before):
    async def handle(method, path, headers, body, query):
        try:
            if match := _DNSSEC.match(path):
                return _dnssec(method, match)
            if match := _PROTECTION.match(path):
                return _protection(method, match, body)
            if path == _TAGS_OF_MANY and method == "POST":
                return _list_tags_for_resources(body)
        except Refused as refused:
            return refused.response()
        return await before(method, path, headers, body, query)
    return handle


def apply(_settings):
    """Adds the calls to the service's module."""
    seam.replace(service, "handle_request", _handle_request(service.handle_request))
