"""Deletes everything that a trial created, in this run or in an earlier one, and reports what it could not
delete."""

from botocore.exceptions import ClientError

from . import probes
from .names import CONSUMER, DEEP, NETWORKING, PREFIX, REFUSED, TRIAL, bucket, only, template, zone_name
from .stacks import Stack, wait

_ATTEMPTS = 2
_MOST_SECONDS_TO_SETTLE = 600


def all_stacks(world):
    """The trial's stacks by name, in the order in which they are deleted."""
    return {name: Stack(account, name) for account, name in (
        (world.consumer, REFUSED), (world.consumer, DEEP), (world.consumer, CONSUMER), (world.networking, NETWORKING))}


def run(world, stacks, say):
    """Deletes the stacks, the consumer's first, then the buckets. One sentence for each thing that is
    left."""
    left = _tried("the record sets of probes", lambda: _remove_probes(world, stacks[NETWORKING]))
    consumers = [stack for name, stack in stacks.items() if name != NETWORKING]
    for group in (consumers, [stacks[NETWORKING]]):
        left += _tried("the stacks", lambda group=group: _delete(group, say))
    for account in world.accounts:
        left += _tried(f"the bucket {bucket(account)}", lambda account=account: _empty_and_delete(account, bucket(account)))
    return left + _tried("a check of what is left", lambda: remaining(world))


def _tried(what, work):
    try:
        return work() or []
    except Exception as failure:  # noqa: BLE001 - whatever the failure is, the rest is still deleted
        return [f"{what}: {failure}"]


def _remove_probes(world, networking):
    if networking.is_of_the_trial() and (zones := networking.resources("AWS::Route53::HostedZone")):
        probes.remove(world, zones[only(template("networking"), "AWS::Route53::HostedZone")])


def _delete(group, say):
    group, left = [stack for stack in group if stack.is_of_the_trial()], []
    for stack in group:
        # CloudFormation does not delete a stack while its update runs.
        if stack.status() == "UPDATE_IN_PROGRESS":
            stack.cancel_update()
    # A stack that is being created ends sooner if the trial waits some minutes for it.
    wait(group, say, _MOST_SECONDS_TO_SETTLE)
    for attempt in range(_ATTEMPTS):
        group = [stack for stack in group if stack.status() != "DELETE_COMPLETE"]
        for stack in group:
            stack.begin_delete()
        wait(group, say)
    for stack in group:
        if stack.status() != "DELETE_COMPLETE":
            reasons = "; ".join(f"{one}: {reason}" for one, reason in stack.reasons("DELETE_FAILED").items())
            left.append(f"stack {stack.name} ({stack.status()}): {reasons}")
    return left


def _empty_and_delete(account, name):
    s3 = account.client("s3")
    try:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
            for one in page.get("Contents", []):
                s3.delete_object(Bucket=name, Key=one["Key"])
        s3.delete_bucket(Bucket=name)
    except ClientError as failure:
        if failure.response["Error"]["Code"] not in ("NoSuchBucket", "404"):
            raise


def remaining(world):
    """One sentence for each zone, record set, parameter and certificate that a trial could have left."""
    name, left = zone_name(world), []
    for account in world.accounts:
        found = account.pages("route53", "list_hosted_zones", "HostedZones")
        left += [f"zone {one['Id'].removeprefix('/hostedzone/')} ({one['Name']}) in {account.id}" for one in found
                 if f".{one['Name']}".endswith(f".{name}.")]
        found = account.pages("acm", "list_certificates", "CertificateSummaryList")
        left += [f"certificate {one['CertificateArn']}" for one in found if one["DomainName"].endswith(f".{name}")]
        found = account.pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=f"/aws/vendedlogs/states/{TRIAL}")
        left += [f"log group {one['logGroupName']} in {account.id}" for one in found]
    found = world.networking.pages("route53", "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=world.base.id)
    left += [f"{one['Type']} record set {one['Name']} in {world.base.id}" for one in found if f".{one['Name']}".endswith(f".{name}.")]
    found = world.networking.pages("ssm", "get_parameters_by_path", "Parameters", Path=PREFIX, Recursive=True)
    return left + [f"parameter {one['Name']} in {world.networking.id}" for one in found]
