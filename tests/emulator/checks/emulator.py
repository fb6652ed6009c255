"""The running emulator that the checks use, and clients for it."""

import atexit
import itertools
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

HERE = pathlib.Path(__file__).resolve().parent.parent
BASE_ACCOUNT = "111111111111"
BASE_DOMAIN = "example.com"
ORGANIZATION = "o-checks0001"
INSYNC_SECONDS = 0.8

_ACCOUNTS = itertools.count(400000000000)
_RUNNING = None


class Emulator:
    """One emulator for the whole run, on a free port of loopback."""

    def __init__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{port}"
        self._scratch = tempfile.TemporaryDirectory(prefix="emulator-")
        self.log = open(os.path.join(self._scratch.name, "log"), "wb")
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "launch.py"), "--port", str(port), "--with-parent",
             "--base-domain", f"{BASE_DOMAIN}={BASE_ACCOUNT}", "--organization", ORGANIZATION,
             "--insync-seconds", str(INSYNC_SECONDS), "--retry-seconds", "0.2"],
            stdin=subprocess.PIPE, stdout=self.log, stderr=subprocess.STDOUT,
            env={"PATH": os.environ["PATH"], "HOME": self._scratch.name, "TMPDIR": self._scratch.name})
        atexit.register(self.stop)
        end = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"{self.endpoint}/_ministack/health", timeout=2).read()
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"the emulator did not start:\n{self.log_text()}") from None
                time.sleep(0.1)

    def log_text(self):
        """The emulator's output so far."""
        self.log.flush()
        return pathlib.Path(self.log.name).read_text(errors="replace")

    def stop(self):
        """Ends it and the processes that it started."""
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._scratch.cleanup()


def running():
    """The emulator, started at the first use."""
    global _RUNNING
    _RUNNING = _RUNNING or Emulator()
    return _RUNNING


def new_account():
    """An account id that no other check uses."""
    return str(next(_ACCOUNTS))


def client(service, account, region="us-east-1", credentials=None):
    """A boto3 client as the account's root, or with credentials from AssumeRole."""
    keys = credentials or {"AccessKeyId": account, "SecretAccessKey": "test"}
    return boto3.client(
        service, region_name=region, endpoint_url=running().endpoint,
        aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys.get("SessionToken"), config=Config(retries={"total_max_attempts": 1}))


class Check(unittest.TestCase):
    """A check with an account of its own."""

    def setUp(self):
        self.account = new_account()

    def client(self, service, region="us-east-1"):
        """A client as the root of this check's account."""
        return client(service, self.account, region)

    def refused(self, code, call, *args, **kwargs):
        """The message of the error `code`, with which the call must fail."""
        with self.assertRaises(ClientError) as raised:
            call(*args, **kwargs)
        self.assertEqual(raised.exception.response["Error"]["Code"], code, raised.exception)
        self.assertTrue(raised.exception.response["ResponseMetadata"].get("RequestId"), raised.exception)
        return raised.exception.response["Error"]["Message"]


def ns_change(action, name, servers, ttl=900, kind="NS"):
    """One change of a batch."""
    return {"Action": action, "ResourceRecordSet": {
        "Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": [{"Value": value} for value in servers]}}


def change(route53, zone_id, *changes):
    """ChangeResourceRecordSets with these changes as one batch."""
    return route53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": list(changes)})


def new_zone(route53, name, reference=None):
    """A zone: its id without `/hostedzone/`, and its name servers."""
    made = route53.create_hosted_zone(Name=name, CallerReference=reference or f"{name}-{time.time_ns()}")
    return made["HostedZone"]["Id"].removeprefix("/hostedzone/"), made["DelegationSet"]["NameServers"]


def records(route53, zone_id, **start):
    """The record sets of a zone as (name, type, TTL, values)."""
    listed = route53.list_resource_record_sets(HostedZoneId=zone_id, **start)
    return [(r["Name"], r["Type"], r["TTL"], [v["Value"] for v in r["ResourceRecords"]])
            for r in listed["ResourceRecordSets"]]
