"""The emulator answers as `tests/facts.json` says. The world (`tests/world`) has to answer the same."""

import json

from botocore.exceptions import ClientError

from .emulator import HERE, Check, change, client, new_zone, ns_change
from .test_iam import KEYS, allow, make_role, session, trusting

FACTS = json.loads((HERE.parent / "facts.json").read_text())


def answer(call, *args, **kwargs):
    """(`ok` or the error code, the message)."""
    try:
        call(*args, **kwargs)
    except ClientError as refused:
        return refused.response["Error"]["Code"], refused.response["Error"]["Message"]
    return "ok", ""


def changes_of(case):
    return [ns_change(action, name, values, ttl, kind) for action, name, kind, ttl, values in case["changes"]]


class Facts(Check):
    def play(self, section, answered):
        for case in FACTS[section]:
            with self.subTest(case["what"]):
                code, message = answered(case)
                self.assertEqual(code, case["answer"], message)
                self.assertIn(case.get("says", ""), message)

    def zone(self, case):
        zone, _ = new_zone(self.client("route53"), "x.org")
        for name, kind, ttl, values in case.get("exists", []):
            change(self.client("route53"), zone, ns_change("CREATE", name, values, ttl, kind))
        return zone

    def test_changes_of_record_sets_are_answered_as_on_aws(self):
        self.play("changes", lambda case: answer(change, self.client("route53"), self.zone(case), *changes_of(case)))

    def test_deletes_of_zones_are_answered_as_on_aws(self):
        self.play("deletes", lambda case: answer(self.client("route53").delete_hosted_zone, Id=self.zone(case)))

    def test_requests_of_certificates_are_answered_as_on_aws(self):
        def requested(case):
            first, *others = case["names"]
            more = {"SubjectAlternativeNames": others} if others else {}
            more |= {parameter: case[key] for parameter, key in (("KeyAlgorithm", "key"), ("IdempotencyToken", "token")) if key in case}
            return answer(self.client("acm").request_certificate, DomainName=first, ValidationMethod="DNS", **more)
        self.play("certificates", requested)

    def test_conditions_on_changes_are_decided_as_on_aws(self):
        root = trusting(f"arn:aws:iam::{self.account}:root")

        def changed(case):
            condition = {operator: {f"{KEYS}{key}": value for key, value in keys.items()} for operator, keys in case["condition"].items()}
            role = make_role(self.account, f"role-{FACTS['conditions'].index(case)}", root,
                             allow("route53:ChangeResourceRecordSets", "*", condition=condition))
            keys = session(self.account, role)
            return answer(change, client("route53", self.account, credentials=keys), self.zone(case), *changes_of(case))
        self.play("conditions", changed)
