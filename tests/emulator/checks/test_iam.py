"""IAM and STS of the emulator behave as `corrections/iam.py` says: the contract's policies, as written for AWS."""

import json
import time

from .emulator import ORGANIZATION, Check, change, client, new_account, new_zone, ns_change


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions, resources, **condition):
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return {**statement, "Condition": condition["condition"]} if condition else statement


def make_role(account, name, trust, *statements, path="/"):
    """A role with one inline policy; its ARN."""
    iam = client("iam", account)
    arn = iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=policy(*statements))
    return arn


def trusting(principal, **condition):
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    return {**statement, "Condition": condition["condition"]} if condition else statement


def session(account, role_arn, credentials=None, **more):
    """Credentials of the role, assumed by the account's root or by another session."""
    sts = client("sts", account, credentials=credentials)
    return sts.assume_role(RoleArn=role_arn, RoleSessionName="check", **more)["Credentials"]


KEYS = "route53:ChangeResourceRecordSets"


def delegation_policy(zone, names, prefix="/zone-delegation/dev", account="*"):
    """The contract's delegation role, section 8."""
    parameters = [f"arn:aws:ssm:us-east-1:{account}:parameter{prefix}/{name}"
                  for name in ("hosted-zone-id", "hosted-zone-name", "name-servers")]
    return (
        allow("ssm:GetParameters", parameters),
        allow(["route53:GetHostedZone", "route53:ListResourceRecordSets"], f"arn:aws:route53:::hostedzone/{zone}"),
        allow("route53:ChangeResourceRecordSets", f"arn:aws:route53:::hostedzone/{zone}", condition={
            "ForAllValues:StringEquals": {
                f"{KEYS}RecordTypes": ["NS"], f"{KEYS}Actions": ["CREATE", "DELETE"],
                f"{KEYS}NormalizedRecordNames": names},
            "Null": {f"{KEYS}RecordTypes": "false", f"{KEYS}Actions": "false",
                     f"{KEYS}NormalizedRecordNames": "false"}}),
        allow("route53:GetChange", "arn:aws:route53:::change/*"),
    )


class RecordSetConditions(Check):
    def setUp(self):
        super().setUp()
        self.zone, _ = new_zone(self.client("route53"), "build.example.com")
        arn = make_role(self.account, "delegation", trusting(f"arn:aws:iam::{self.account}:root"),
                        *delegation_policy(self.zone, ["dev.build.example.com", r"\052.app_1.build.example.com"],
                                           account=self.account))
        self.role = arn
        self.credentials = session(self.account, arn)
        self.route53 = client("route53", self.account, credentials=self.credentials)

    def test_granted_names_are_created_and_deleted_in_any_spelling(self):
        made = change(self.route53, self.zone, ns_change("CREATE", "DEV.build.example.com.", ["ns1.x."]))
        self.route53.get_change(Id=made["ChangeInfo"]["Id"])
        change(self.route53, self.zone, ns_change("CREATE", "*.App_1.build.example.com", ["ns1.x."]))
        change(self.route53, self.zone, ns_change("DELETE", "dev.build.example.com", ["ns1.x."]),
               ns_change("CREATE", "dev.build.example.com", ["ns2.x."]))

    def test_everything_else_is_denied(self):
        dev = "dev.build.example.com"
        for wrong in (
                [ns_change("UPSERT", dev, ["ns1.x."])],
                [ns_change("CREATE", dev, ['"x"'], kind="TXT")],
                [ns_change("CREATE", "qa.build.example.com", ["ns1.x."])],
                [ns_change("CREATE", "build.example.com", ["ns1.x."])],
                [ns_change("CREATE", "a.dev.build.example.com", ["ns1.x."])],
                # One wrong value among valid ones, for ForAllValues.
                [ns_change("CREATE", dev, ["ns1.x."]), ns_change("CREATE", "qa.build.example.com", ["ns1.x."])],
                [ns_change("CREATE", dev, ["ns1.x."]), ns_change("CREATE", dev, ['"x"'], kind="TXT")]):
            message = self.refused("AccessDenied", change, self.route53, self.zone, *wrong)
            self.assertIn("is not authorized to perform: route53:ChangeResourceRecordSets on resource: "
                          f"arn:aws:route53:::hostedzone/{self.zone}", message)
            self.assertIn("assumed-role/delegation/check", message)
        self.refused("AccessDenied", self.route53.list_hosted_zones)
        self.refused("AccessDenied", self.route53.delete_hosted_zone, Id=self.zone)

    def test_another_zone_is_denied(self):
        other, _ = new_zone(self.client("route53"), "build.example.com")
        self.refused("AccessDenied", change, self.route53, other, ns_change("CREATE", "dev.build.example.com", ["x."]))
        self.refused("AccessDenied", self.route53.get_hosted_zone, Id=other)
        self.route53.get_hosted_zone(Id=self.zone)
        self.route53.list_resource_record_sets(HostedZoneId=self.zone)

    def test_null_tests_presence_and_for_all_values_is_true_without_values(self):
        iam = self.client("iam")

        def with_condition(condition, action="route53:GetHostedZone"):
            iam.put_role_policy(RoleName="delegation", PolicyName="inline", PolicyDocument=policy(
                allow(action, "*", condition=condition)))

        key = f"{KEYS}RecordTypes"
        with_condition({"ForAllValues:StringEquals": {key: ["NS"]}})
        self.route53.get_hosted_zone(Id=self.zone)  # the key is absent: ForAllValues is true
        with_condition({"ForAllValues:StringEquals": {key: ["NS"]}, "Null": {key: "false"}})
        self.refused("AccessDenied", self.route53.get_hosted_zone, Id=self.zone)
        with_condition({"Null": {key: "true"}})
        self.route53.get_hosted_zone(Id=self.zone)
        with_condition({"ForAnyValue:StringEquals": {f"{KEYS}Actions": ["CREATE"]}}, "route53:ChangeResourceRecordSets")
        change(self.route53, self.zone, ns_change("CREATE", "x.build.example.com", ["ns1.x."]),
               ns_change("UPSERT", "y.build.example.com", ["ns1.x."]))
        with_condition({"ForAllValues:StringLike": {f"{KEYS}NormalizedRecordNames": ["*.build.example.com"]}},
                       "route53:ChangeResourceRecordSets")
        change(self.route53, self.zone, ns_change("CREATE", "z.build.example.com", ["ns1.x."]))
        self.refused("AccessDenied", change, self.route53, self.zone, ns_change("UPSERT", "build.example.com", ["n."]))

    def test_a_change_is_a_resource_of_its_own(self):
        made = change(self.client("route53"), self.zone, ns_change("CREATE", "x.build.example.com", ["ns1.x."]))
        self.client("iam").put_role_policy(
            RoleName="delegation", PolicyName="inline",
            PolicyDocument=policy(allow("route53:GetChange", "arn:aws:route53:::hostedzone/*")))
        message = self.refused("AccessDenied", self.route53.get_change, Id=made["ChangeInfo"]["Id"])
        self.assertIn("arn:aws:route53:::change/C", message)


class ParameterResources(Check):
    def setUp(self):
        super().setUp()
        ssm = self.client("ssm")
        self.names = [f"/zone-delegation/dev/{n}" for n in ("hosted-zone-id", "hosted-zone-name", "name-servers")]
        for name in [*self.names, "/zone-delegation/dev/secret"]:
            ssm.put_parameter(Name=name, Value="v", Type="String")

    def as_role(self, *statements):
        return client("ssm", self.account, credentials=session(self.account, make_role(
            self.account, f"role-{time.time_ns()}", trusting(f"arn:aws:iam::{self.account}:root"), *statements)))

    def arn(self, name):
        return f"arn:aws:ssm:us-east-1:{self.account}:parameter{name}"

    def test_each_name_is_checked(self):
        ssm = self.as_role(allow("ssm:GetParameters", [self.arn(n) for n in self.names]))
        self.assertEqual(len(ssm.get_parameters(Names=self.names)["Parameters"]), 3)
        message = self.refused("AccessDeniedException", ssm.get_parameters,
                               Names=[*self.names, "/zone-delegation/dev/secret"])
        self.assertIn(self.arn("/zone-delegation/dev/secret"), message)
        self.refused("AccessDeniedException", ssm.get_parameter, Name=self.names[0])
        self.refused("AccessDeniedException", ssm.get_parameters_by_path, Path="/zone-delegation/dev")

    def test_deletes_and_paths_are_checked_too(self):
        ssm = self.as_role(allow("ssm:DeleteParameters", self.arn("/zone-delegation/dev/name-*")),
                           allow("ssm:GetParametersByPath", self.arn("/zone-delegation/dev")))
        self.refused("AccessDeniedException", ssm.delete_parameters, Names=self.names)
        ssm.delete_parameters(Names=["/zone-delegation/dev/name-servers"])
        self.assertEqual(len(ssm.get_parameters_by_path(Path="/zone-delegation/dev")["Parameters"]), 3)
        self.refused("AccessDeniedException", ssm.get_parameters_by_path, Path="/other")

    def test_tags_at_the_first_write_need_their_own_permission(self):
        tags = [{"Key": "k", "Value": "v"}]
        ssm = self.as_role(allow("ssm:PutParameter", self.arn("/new/*")))
        ssm.put_parameter(Name="/new/plain", Value="v", Type="String")
        message = self.refused("AccessDeniedException", ssm.put_parameter, Name="/new/tagged", Value="v",
                               Type="String", Tags=tags)
        self.assertIn("ssm:AddTagsToResource", message)
        both = self.as_role(allow(["ssm:PutParameter", "ssm:AddTagsToResource"], self.arn("/new/*")))
        both.put_parameter(Name="/new/tagged", Value="v", Type="String", Tags=tags)

    def test_tags_of_a_new_certificate_need_their_own_permission(self):
        role = make_role(self.account, "acm", trusting(f"arn:aws:iam::{self.account}:root"),
                         allow("acm:RequestCertificate", "*"))
        acm = client("acm", self.account, credentials=session(self.account, role))
        acm.request_certificate(DomainName="a.example.com", ValidationMethod="DNS")
        message = self.refused("AccessDeniedException", acm.request_certificate, DomainName="a.example.com",
                               ValidationMethod="DNS", Tags=[{"Key": "k", "Value": "v"}])
        self.assertIn("acm:AddTagsToCertificate", message)

    def test_a_policy_may_require_a_validation_method(self):
        role = make_role(self.account, "acm", trusting(f"arn:aws:iam::{self.account}:root"),
                         allow("acm:RequestCertificate", "*", condition={"StringEquals": {"acm:ValidationMethod": "DNS"}}))
        acm = client("acm", self.account, credentials=session(self.account, role))
        acm.request_certificate(DomainName="a.example.com", ValidationMethod="DNS")
        for other in ({"ValidationMethod": "EMAIL"}, {}):
            self.refused("AccessDeniedException", acm.request_certificate, DomainName="b.example.com", **other)


class ResourceTags(Check):
    """`aws:ResourceTag` as in the CDK app's policies: a function deletes only what has its stack's id."""

    KEY = "zone-delegation:stack-id"

    def as_role(self, service, *actions):
        role = make_role(self.account, "owner", trusting(f"arn:aws:iam::{self.account}:root"),
                         allow(list(actions), "*", condition={"StringEquals": {f"aws:ResourceTag/{self.KEY}": "mine"}}))
        return client(service, self.account, credentials=session(self.account, role))

    def tags(self, value):
        return [{"Key": self.KEY, "Value": value}]

    def test_parameters_have_resource_tags(self):
        ssm = self.client("ssm")
        for name, value in (("/p/mine", "mine"), ("/p/theirs", "theirs")):
            ssm.put_parameter(Name=name, Value="v", Type="String", Tags=self.tags(value))
        ssm.put_parameter(Name="/p/none", Value="v", Type="String")
        owner = self.as_role("ssm", "ssm:DeleteParameters", "ssm:GetParameters")
        self.assertEqual(len(owner.get_parameters(Names=["/p/mine"])["Parameters"]), 1)
        for name in ("/p/theirs", "/p/none", "/p/missing"):
            self.refused("AccessDeniedException", owner.delete_parameters, Names=["/p/mine", name])
        owner.delete_parameters(Names=["/p/mine"])

    def test_certificates_have_resource_tags(self):
        acm = self.client("acm")
        arns = {value: acm.request_certificate(DomainName="t.example.com", ValidationMethod="DNS",
                                               Tags=self.tags(value))["CertificateArn"] for value in ("mine", "theirs")}
        owner = self.as_role("acm", "acm:DeleteCertificate")
        self.refused("AccessDeniedException", owner.delete_certificate, CertificateArn=arns["theirs"])
        owner.delete_certificate(CertificateArn=arns["mine"])


class Trust(Check):
    """An account's function assumes the delegation role of another account."""

    def setUp(self):
        super().setUp()
        self.consumer = new_account()
        self.target = f"arn:aws:iam::{self.account}:role/delegation"
        self.function = make_role(self.consumer, "function", trusting(f"arn:aws:iam::{self.consumer}:root"),
                                  allow("sts:AssumeRole", self.target), path="/team/")
        self.credentials = session(self.consumer, self.function)

    def trust(self, **condition):
        make_role(self.account, "delegation", trusting(f"arn:aws:iam::{self.consumer}:root", condition=condition))

    def assume(self, credentials=None, **more):
        return session(self.consumer, self.target, credentials or self.credentials, **more)

    def test_the_principal_is_the_role_with_its_path(self):
        self.trust(ArnLike={"aws:PrincipalArn": f"arn:aws:iam::{self.consumer}:role/team/function"})
        self.assume()
        other = make_role(self.consumer, "other", trusting(f"arn:aws:iam::{self.consumer}:root"),
                          allow("sts:AssumeRole", "*"))
        message = self.refused("AccessDenied", self.assume, session(self.consumer, other))
        self.assertIn(f"arn:aws:sts::{self.consumer}:assumed-role/other/check is not authorized to perform: "
                      f"sts:AssumeRole on resource: {self.target}", message)

    def test_the_external_id_is_required(self):
        self.trust(StringEquals={"sts:ExternalId": "secret"})
        self.assume(ExternalId="secret")
        self.refused("AccessDenied", self.assume)
        self.refused("AccessDenied", self.assume, ExternalId="wrong")

    def test_the_organization_is_required(self):
        self.trust(StringEquals={"aws:PrincipalOrgID": ORGANIZATION})
        self.assume()
        self.client("iam").update_assume_role_policy(RoleName="delegation", PolicyDocument=policy(
            trusting(f"arn:aws:iam::{self.consumer}:root",
                     condition={"StringEquals": {"aws:PrincipalOrgID": "o-another"}})))
        self.refused("AccessDenied", self.assume)

    def test_another_account_is_not_trusted(self):
        self.trust()
        stranger = new_account()
        role = make_role(stranger, "function", trusting(f"arn:aws:iam::{stranger}:root"), allow("sts:AssumeRole", "*"))
        self.refused("AccessDenied", session, stranger, self.target, session(stranger, role))

    def test_the_caller_needs_permission_as_well(self):
        self.trust()
        self.client("iam")
        client("iam", self.consumer).put_role_policy(
            RoleName="function", PolicyName="inline", PolicyDocument=policy(allow("sts:AssumeRole", self.target + "2")))
        message = self.refused("AccessDenied", self.assume)
        self.assertIn(self.target, message)

    def test_a_missing_role_is_denied(self):
        self.refused("AccessDenied", self.assume)
