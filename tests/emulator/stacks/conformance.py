"""The functions' binaries run on moto as they do on the emulator, and AWS's models permit each of their requests.

What they send to both is recorded and validated against botocore's models, and botocore computes its signature again.
"""

import collections
import dataclasses
import json
import os
import pathlib
import unittest

from conformance import lives, model, moto_server, signature
from conformance.recorder import Recorder

from . import inventory
from .world import BASE_DOMAIN, CONSUMER, ENDPOINT, NETWORKING, ZIPS, client

ISSUED_AFTER = 8  # seconds; longer than an invocation of `lives.certificates`

# The calls of the lives, so that a life that calls less is found.
OPERATIONS = {
    "acm": {"AddTagsToCertificate", "DeleteCertificate", "DescribeCertificate", "ListCertificates", "ListTagsForCertificate",
            "RemoveTagsFromCertificate", "RequestCertificate"},
    "route53": {"ChangeResourceRecordSets", "ChangeTagsForResource", "CreateHostedZone", "DeleteHostedZone", "GetChange", "GetDNSSEC",
                "GetHostedZone", "ListHostedZonesByName", "ListResourceRecordSetProtections", "ListResourceRecordSets",
                "ListTagsForResource", "UpdateHostedZoneComment"},
    "ssm": {"AddTagsToResource", "DeleteParameters", "GetParameters", "ListTagsForResource", "PutParameter",
            "RemoveTagsFromResource"},
    "stepfunctions": {"StartExecution"},
    "sts": {"AssumeRole"},
}


class Lives:
    """The lives on an implementation of AWS: each test is run on both."""

    maxDiff = None

    @classmethod
    def live(cls, endpoint, *place):
        cls.recorder = Recorder(endpoint)
        cls.addClassCleanup(cls.recorder.close)
        cls.stage = lives.Stage(cls.recorder.url, *place)
        cls.addClassCleanup(cls.stage.close)
        # Raises an error unless all pass.
        lives.all_of(cls.stage)
        # boto3's own requests are not under test.
        cls.exchanges = [one for one in cls.recorder.exchanges if "aws-sdk-rust" in (one.header("user-agent") or "")]

    def test_every_operation_is_called(self):
        called = collections.defaultdict(set)
        for one in self.exchanges:
            service, name, _ = model.operation_of(one)
            called[service].add(name)
        self.assertEqual(dict(called), OPERATIONS)

    def test_the_models_permit_every_request(self):
        self.assertGreater(len(self.exchanges), 100)
        self.assertEqual(sorted({fault for one in self.exchanges for fault in model.faults(one)}), [])

    def test_every_signature_is_equal_to_botocores(self):
        secrets = self.stage.secrets()
        for one in self.recorder.exchanges:
            secrets |= signature.secrets_in(one)
        found = {fault for one in self.exchanges if (fault := signature.fault(one, secrets))}
        self.assertEqual(sorted(found), [])

    def test_an_invalid_request_is_found(self):
        by_name = {model.operation_of(one)[1]: one for one in self.exchanges}
        for name, found, put in (
                ("AssumeRole", b"RoleArn=", b"RoleArm="), ("RequestCertificate", b'"DNS"', b'"DNSSEC"'),
                ("PutParameter", b'"Name"', b'"Nome"'), ("ChangeResourceRecordSets", b"<Changes>", b"<Changes><Extra>1</Extra>"),
                ("CreateHostedZone", b"CallerReference>", b"CallerReferences>")):
            one = by_name[name]
            self.assertIn(found, one.body)
            self.assertTrue(model.faults(dataclasses.replace(one, body=one.body.replace(found, put))), name)
            secrets = self.stage.secrets() | {k: v for e in self.recorder.exchanges for k, v in signature.secrets_in(e).items()}
            self.assertTrue(signature.fault(dataclasses.replace(one, body=one.body + b" "), secrets), name)


def _session(stage):
    """Keys of moto's networking account: those of a role there."""
    found = stage.client("sts").assume_role(RoleArn=f"arn:aws:iam::{stage.networking}:role/person", RoleSessionName="person")["Credentials"]
    return {"aws_access_key_id": found["AccessKeyId"], "aws_secret_access_key": found["SecretAccessKey"],
            "aws_session_token": found["SessionToken"]}


def _make_role(account, name, principal):
    """A role of the emulator with all permissions. Other suites prove what roles may do."""
    trust, allowed = ({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one}]} for one in (
        {"Action": "sts:AssumeRole", "Principal": principal}, {"Action": "*", "Resource": "*"}))
    client("iam", account).create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    client("iam", account).put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(allowed))


class OnMoto(Lives, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        moto = moto_server.Moto(ISSUED_AFTER)
        cls.addClassCleanup(moto.close)
        cls.live(moto.url, moto.dns, pathlib.Path(ZIPS), "build.example.com", "111111111111", moto_server.ACCOUNT, _session)

    def test_nothing_is_left(self):
        for session in (None, self.stage.session):
            self.assertEqual(self.stage.client("route53", session).list_hosted_zones()["HostedZones"], [])
            self.assertEqual(self.stage.client("ssm", session).describe_parameters()["Parameters"], [])
        self.assertEqual(self.stage.client("acm").list_certificates()["CertificateSummaryList"], [])


class OnTheEmulator(Lives, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.before = inventory.of(NETWORKING, CONSUMER)
        _make_role(NETWORKING, "lives", {"AWS": f"arn:aws:iam::{CONSUMER}:root"})
        _make_role(CONSUMER, "waiter", {"Service": "states.amazonaws.com"})
        cls.live(ENDPOINT, os.environ["DNS_ADDRESS"], pathlib.Path(ZIPS), BASE_DOMAIN, NETWORKING, CONSUMER,
                 lambda _: {"aws_access_key_id": NETWORKING, "aws_secret_access_key": "test"})

    def test_nothing_is_left(self):
        self.assertEqual(inventory.difference(self.before, inventory.of(NETWORKING, CONSUMER)), [])


if __name__ == "__main__":
    unittest.main()
