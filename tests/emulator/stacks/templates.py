"""The CDK app's synthesized templates (`cdk/test/snapshots`, which its tests keep current), for a suite's world.

Single resources are deployed in templates with a function, a role and a policy of their own, taken from the app's templates: what the
constructs create, with other properties.
"""

import json
import pathlib

import yaml

from .world import ARCHITECTURE, BASE_DOMAIN, CONSUMER, NETWORKING, REGION, ZIPS, client

SNAPSHOTS = pathlib.Path(__file__).resolve().parents[3] / "cdk" / "test" / "snapshots"
NETWORKING_STACK = "zone-delegation-networking-dev"
CONSUMER_STACK = "zone-delegation-consumer-dev"
# The function of each stack.
FUNCTIONS = {NETWORKING_STACK: "publish-zone", CONSUMER_STACK: "delegate-subdomain"}


class _Loader(yaml.SafeLoader):
    """YAML without dates, because `2012-10-17` is the version of a policy."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def provide(account, stack_name, *keys):
    """Uploads what `cdk bootstrap` and `cdk deploy` upload before a template: the function's code and a
    version."""
    bucket, name = f"cdk-hnb659fds-assets-{account}-{REGION}", f"{FUNCTIONS[stack_name]}.zip"
    s3 = client("s3", account)
    s3.create_bucket(Bucket=bucket)
    for key in keys or ["HASH.zip"]:
        s3.upload_file(f"{ZIPS}/{name}", bucket, key)
    client("ssm", account).put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String",
                                         Overwrite=True)


def app(stack_name, base_zone="", folder=SNAPSHOTS, replaced=()):
    """A template of the app, with this world's accounts and names. `replaced` are further (text, text)
    pairs."""
    text = (folder / f"{stack_name}.yaml").read_text()
    for old, new in replaced:
        text = text.replace(old, new)
    template = placed(text, base_zone)
    return undrained(template) if folder == SNAPSHOTS else template


def undrained(template):
    """The template without the drain of five minutes, because no resolver knows these names."""
    for one in template["Resources"].values():
        if one["Type"] == "Custom::DelegatedSubdomain":
            one["Properties"].setdefault("DrainSeconds", "0")
    return template


def placed(text, zone=""):
    """A template of the project for this world. `zone` is the id of its zone."""
    return yaml.load(placed_text(text).replace("Z0BASE", zone).replace("Z00000000000000EXAMPLE", zone), _Loader)


def placed_text(text):
    """Text of the project with this world's accounts, names and processor."""
    for old, new in (("111111111111", NETWORKING), ("222222222222", CONSUMER), ("example.com", BASE_DOMAIN),
                     ("arm64", ARCHITECTURE)):
        text = text.replace(old, new)
    return text


def text(file):
    """A template as text, from a file."""
    return yaml.load(file.read_text(), _Loader)


def only(resources, kind):
    """The one resource of a type: its logical id and itself."""
    (found,) = ((logical_id, one) for logical_id, one in resources.items() if one["Type"] == kind)
    return found


def _custom(template, function, kind, logical_id, properties):
    """The template's function alone, with one custom resource that depends on the same policies as the app's
    own."""
    _, like = only(template["Resources"], "Custom::PublishedZone") if function == "PublishZoneFunction" else next(
        (i, r) for i, r in template["Resources"].items() if r["Type"] == "Custom::DelegatedSubdomain")
    resources = {i: r for i, r in template["Resources"].items() if i.startswith(function)}
    # Each of the app's resources depends on the policies that it needs. This one depends on all of them.
    needed = {i for r in template["Resources"].values() if r["Type"].startswith("Custom::") for i in r["DependsOn"]}
    resources[logical_id] = {
        "Type": kind, "Properties": {"ServiceToken": like["Properties"]["ServiceToken"], **properties},
        "DependsOn": sorted(needed & resources.keys())}
    return undrained({"Resources": resources})


def published_zone(properties, granted_zone, granted_prefix):
    """A `Custom::PublishedZone`, and its function with the permissions for this zone and prefix."""
    template = app(NETWORKING_STACK)
    zone, _ = only(template["Resources"], "AWS::Route53::HostedZone")
    template = _custom(template, "PublishZoneFunction", "Custom::PublishedZone", "Published", properties)
    text = json.dumps(template).replace(json.dumps({"Ref": zone}), json.dumps(granted_zone))
    return json.loads(text.replace("/zone-delegation/dev/", f"{granted_prefix}/"))


def delegated_subdomain(properties, role=None):
    """A `Custom::DelegatedSubdomain`, and its function, which may assume the role."""
    return _of_consumer("Custom::DelegatedSubdomain", "Subdomain", properties, role)


def subdomain_certificate(properties):
    """A `Custom::SubdomainCertificate`, and its function."""
    return _of_consumer("Custom::SubdomainCertificate", "Certificate", properties, None)


def _of_consumer(kind, logical_id, properties, role):
    template = _custom(app(CONSUMER_STACK), "DelegateSubdomainFunction", kind, logical_id, properties)
    for policy in (r for r in template["Resources"].values() if r["Type"] == "AWS::IAM::Policy"):
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            if statement["Action"] == "sts:AssumeRole" and role:
                statement["Resource"] = role
    if kind == "Custom::DelegatedSubdomain":
        template["Outputs"] = {"HostedZoneId": {"Value": {"Fn::GetAtt": [logical_id, "HostedZoneId"]}}}
    return template
