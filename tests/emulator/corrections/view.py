"""All of the emulated DNS, for the programs that serve it, and a switch that AWS does not have.

`GET /_emulator/zones` returns every public zone of every account with its record sets as JSON, and the domains in the emulated registry.
The name server of the demo and of the tests copies it. No AWS service has such a call, and no function under test makes it.

`GET /_emulator/throttle/ZONE/CALLS` throttles the next CALLS changes of a zone's record sets.
"""

import json

import ministack.app as gateway

from . import dnssec, resolution, seam
from .route53 import THROTTLED, sort_key

_REGISTERED = ()


def zones():
    """The response of `/_emulator/zones`."""
    every = resolution.all_zones()
    registered = [(domain, resolution.registered_zone(domain, account, every)) for domain, account in _REGISTERED]
    return {
        "registered": [{"domain": domain, "zone": entry[1]["id"], "ds": dnssec.ds_of_registry(entry[1])}
                       for domain, entry in registered if entry],
        "zones": [{
            "account": account, "id": zone["id"], "name": zone["name"], "name_servers": zone["name_servers"],
            "signed": dnssec.is_signed(zone),
            "record_sets": [
                {"name": r["Name"], "type": r["Type"], "ttl": int(r.get("TTL", 0)), "values": r["ResourceRecords"]}
                for r in sorted(records, key=lambda r: (sort_key(r["Name"]), r["Type"])) if r.get("ResourceRecords")],
        } for account, zone, records in sorted(every, key=lambda entry: (sort_key(entry[1]["name"]), entry[1]["id"]))
            if not zone["private"]],
    }


def _app(before):
    async def app(scope, receive, send):
        called = scope["type"] == "http" and scope["path"].removeprefix("/_emulator/").split("/")
        if called and called[0] == "throttle":
            THROTTLED[called[1]] = int(called[2])
        if called and scope["path"].startswith("/_emulator/"):
            body = json.dumps(zones()).encode()
            await send({"type": "http.response.start", "status": 200, "headers": [
                (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]})
            await send({"type": "http.response.body", "body": body})
            return
        await before(scope, receive, send)
    return app


def apply(settings):
    """Adds the call to the gateway."""
    global _REGISTERED
    _REGISTERED = tuple(settings.base_domains)
    seam.replace(gateway, "app", _app(gateway.app))
