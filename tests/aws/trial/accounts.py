"""The two accounts, the base domain's zone and the Region, checked before anything is created."""

import functools
from dataclasses import dataclass

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from . import dns


class Problem(Exception):
    """One sentence with the reason why the trial cannot begin, and what to do."""


class Account:
    """An account, with the credentials of its profile. boto3 reads profiles, SSO sessions and endpoints as
    the AWS CLI does."""

    def __init__(self, profile, region):
        try:
            self._session = boto3.Session(profile_name=profile, region_name=region)
            self.region = self._session.region_name
            if self.region is None:
                raise Problem(f"The profile {profile} names no Region. Give one with --region.")
            caller = self.client("sts").get_caller_identity()
        except (BotoCoreError, ClientError) as failure:
            raise Problem(f"The profile {profile} cannot be used: {failure} Log in, or correct it in the AWS configuration.")
        self.profile, self.id = profile, caller["Account"]
        self.partition = caller["Arn"].split(":")[1]

    @functools.cache
    def client(self, service, region=None):
        return self._session.client(service, region_name=region, config=Config(retries={"mode": "standard", "total_max_attempts": 8}))

    def pages(self, service, operation, member, **arguments):
        """Every item of a list with pages."""
        for page in self.client(service).get_paginator(operation).paginate(**arguments):
            yield from page[member]

    def credentials(self):
        return self._session.get_credentials()


@dataclass(frozen=True)
class Zone:
    """A public hosted zone."""

    id: str
    name: str
    name_servers: tuple


@dataclass(frozen=True)
class World:
    """The accounts, the zone and the Region of the trial."""

    networking: Account
    consumer: Account
    base: Zone

    @property
    def region(self):
        return self.networking.region

    @property
    def accounts(self):
        return self.networking, self.consumer


def zone(account, zone_id):
    """A public zone of the account."""
    found = account.client("route53").get_hosted_zone(Id=zone_id)
    name = found["HostedZone"]["Name"].rstrip(".")
    if found["HostedZone"]["Config"].get("PrivateZone"):
        raise Problem(f"The zone {zone_id} ({name}) is private. Give a public one with --base-zone.")
    servers = tuple(sorted(server.rstrip(".").lower() for server in found["DelegationSet"]["NameServers"]))
    return Zone(zone_id, name, servers)


def opened(networking_profile, consumer_profile, base_zone, region):
    """Reads both accounts and the zone. Raises Problem."""
    networking = Account(networking_profile, region)
    consumer = Account(consumer_profile, networking.region)
    if networking.id == consumer.id:
        raise Problem(f"Both profiles are of account {networking.id}. Name two accounts: the trial is about what one may do in the other.")
    try:
        base = zone(networking, base_zone.removeprefix("/hostedzone/"))
    except (BotoCoreError, ClientError) as failure:
        raise Problem(f"The zone {base_zone} cannot be read in account {networking.id}: {failure} Give the id of a public zone of that account.")
    seen = dns.delegated_to(base.name)
    if seen != set(base.name_servers):
        raise Problem(
            f"The Internet does not find {base.name} at the name servers of {base.id}: it knows {', '.join(sorted(seen)) or 'none'}, the zone "
            f"has {', '.join(base.name_servers)}. Give the zone that {base.name}'s registrar delegates to: ACM issues no certificate in another.")
    return World(networking, consumer, base)
