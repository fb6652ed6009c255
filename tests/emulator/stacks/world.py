"""The environment of a suite: the emulator's accounts, a base domain, name servers, the functions' zips."""

import functools
import os
import threading

import boto3
from botocore.config import Config

ENDPOINT = os.environ["EMULATOR_ENDPOINT"]
ZIPS = os.environ["FUNCTION_ZIPS"]
ARCHITECTURE = os.environ["FUNCTION_ARCHITECTURE"]
BASE_DOMAIN = os.environ["BASE_DOMAIN"]
NETWORKING = os.environ["NETWORKING_ACCOUNT"]
CONSUMER = os.environ["CONSUMER_ACCOUNT"]
REGION = "us-east-1"

_MAKING = threading.Lock()


@functools.cache
def _made(service, account, region):
    return boto3.client(service, region_name=region, endpoint_url=ENDPOINT, aws_access_key_id=account,
                        aws_secret_access_key="test",
                        config=Config(max_pool_connections=50, retries={"total_max_attempts": 2}))


def client(service, account, region=REGION):
    """A client as the account's root. Threads may share clients, but not create several at the same time."""
    with _MAKING:
        return _made(service, account, region)


def pages(service, operation, member, **arguments):
    """Every item of a list with pages."""
    for page in service.get_paginator(operation).paginate(**arguments):
        yield from page[member]


def make_zone(account, name, **more):
    """A hosted zone that a person creates: its id and its name servers."""
    made = client("route53", account).create_hosted_zone(Name=name, CallerReference=f"by-hand-{name}", **more)
    return made["HostedZone"]["Id"].removeprefix("/hostedzone/"), made.get("DelegationSet", {}).get("NameServers", [])


def change(account, zone, action, name, kind, *values, ttl=300):
    """A change of a record set that a person makes."""
    client("route53", account).change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [{
        "Action": action, "ResourceRecordSet": {
            "Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": [{"Value": value} for value in values]}}]})
