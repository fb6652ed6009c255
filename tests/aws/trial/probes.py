"""Calls to Route 53 itself, in the delegated zone while stacks are deployed. Each probe deletes what it
created."""

import statistics
import time
import urllib.error
import urllib.request

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError

from .names import zone_name

LABEL = "probe"
_SAMPLES = 3
_MOST_SECONDS = 300


def _change(account, zone_id, action, name, kind, values):
    return account.client("route53").change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": [{
        "Action": action, "ResourceRecordSet": {
            "Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value} for value in values]}}]})["ChangeInfo"]["Id"]


def until_insync(world, zone_id, say, report):
    """How long changes are PENDING."""
    account, name, took = world.networking, f"{LABEL}.{zone_name(world)}", []
    for number in range(_SAMPLES):
        for action in ("CREATE", "DELETE"):
            say(f"how long a change is PENDING: {len(took) + 1} of {2 * _SAMPLES}")
            change, began = _change(account, zone_id, action, name, "TXT", ['"x"']), time.monotonic()
            while account.client("route53").get_change(Id=change)["ChangeInfo"]["Status"] != "INSYNC":
                if time.monotonic() - began > _MOST_SECONDS:
                    break
                time.sleep(1)
            took.append(time.monotonic() - began)
    report.fact("How long does a Route 53 change take to be INSYNC?",
                f"Between {min(took):.0f} and {max(took):.0f} s, {statistics.median(took):.0f} s in the median.",
                [f"{one:.1f} s" for one in took])


def guardrails(world, zone_id, report):
    """The wording of a guardrail's refusal: NS record sets that no guardrail should accept."""
    account, said = world.networking, []
    # Another zone's servers in Route 53, which do not serve the name; no zone's servers; a name that is no
    # name server's.
    for what, values in (("name servers that do not serve the name", [f"{one}." for one in world.base.name_servers]),
                         ("name servers that do not exist", ["ns-1.zone-delegation.invalid.", "ns-2.zone-delegation.invalid."]),
                         ("an address in place of a name", ["192.0.2.1"]),
                         ("a value that is no name", ["no name server"])):
        name = f"{LABEL}.{zone_name(world)}"
        try:
            _change(account, zone_id, "CREATE", name, "NS", values)
        except ClientError as failure:
            said.append(f"{what}: {failure.response['Error']['Code']}: {failure.response['Error']['Message']}")
        else:
            said.append(f"{what}: accepted")
            _change(account, zone_id, "DELETE", name, "NS", values)
    report.fact("How does a change guardrail word its refusal?", "AWS's own words for NS record sets with these values:", said)


def protections(world, zone_id, report):
    """Whether ListResourceRecordSetProtections exists: signed by hand, since the pinned botocore does not have it."""
    api = world.networking.client("route53")
    request = AWSRequest("GET", f"{api.meta.endpoint_url.rstrip('/')}/2013-04-01/hostedzone/{zone_id}/rrsetprotection")
    SigV4Auth(world.networking.credentials().get_frozen_credentials(), "route53", api.meta.region_name).add_auth(request)
    try:
        with urllib.request.urlopen(urllib.request.Request(request.url, headers=dict(request.headers)), timeout=20) as answer:
            said = f"HTTP {answer.status}: {answer.read(2000).decode(errors='replace')}"
    except urllib.error.HTTPError as refused:
        said = f"HTTP {refused.code}: {refused.read(2000).decode(errors='replace')}"
    except OSError as failure:
        said = f"no answer: {failure}"
    report.fact("Does ListResourceRecordSetProtections exist, for a caller with all permissions?", "AWS's answer:", [said])


def remove(world, zone_id):
    """Deletes what an interrupted probe left."""
    name, route53 = f"{LABEL}.{zone_name(world)}.", world.networking.client("route53")
    for one in list(world.networking.pages("route53", "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone_id)):
        if one["Name"] == name:
            route53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": [
                {"Action": "DELETE", "ResourceRecordSet": one}]})
