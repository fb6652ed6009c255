"""Fixed names for everything that the trial creates, so that a later run finds what an earlier one could not
delete."""

import json
import pathlib
import re

import yaml

TRIAL = "zone-delegation-trial"
PREFIX = f"/{TRIAL}"
TEMPLATES = pathlib.Path(__file__).resolve().parents[3] / "cdk" / "templates"
# Every stack has this tag. No stack without it is deleted.
TAG = {"Key": TRIAL, "Value": "true"}

NETWORKING, CONSUMER, DEEP, REFUSED = (f"{TRIAL}-{one}" for one in ("networking", "consumer", "deep", "refused"))
# Labels below the delegated zone. The delegation role covers all but the last.
DEV, BRANCH, OTHER, DENIED = "dev", "leaf.branch", "other", "denied"
GRANTED = (DEV, BRANCH, OTHER)


def zone_name(world):
    """The delegated zone."""
    return f"{TRIAL}.{world.base.name}"


def bucket(account):
    return f"{TRIAL}-{account.id}-{account.region}"


class _Loader(yaml.SafeLoader):
    """YAML without dates, because `2012-10-17` is the version of a policy."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def template(name):
    """A plain template, as a user deploys it."""
    return yaml.load((TEMPLATES / f"{name}.yaml").read_text(), _Loader)


def only(template, kind):
    """The logical id of the one resource of a type."""
    (found,) = (logical_id for logical_id, one in template["Resources"].items() if one["Type"] == kind)
    return found


def renamed(template):
    """The template with other logical ids for the subdomain and its certificate, and `FormerLogicalIds`."""
    for kind in ("Custom::DelegatedSubdomain", "Custom::SubdomainCertificate"):
        former = only(template, kind)
        template = json.loads(re.sub(rf'"{former}"', f'"Renamed{former}"', json.dumps(template)))
        template["Resources"][f"Renamed{former}"]["Properties"]["FormerLogicalIds"] = [former]
    return template


def failing(template):
    """The template with another subdomain, whose name is invalid, after the first one."""
    first = only(template, "Custom::DelegatedSubdomain")
    like = template["Resources"][first]
    resources = template["Resources"] | {"Invalid": like | {
        "Properties": like["Properties"] | {"Subdomain": "*"}, "DependsOn": [*like["DependsOn"], first]}}
    return template | {"Resources": resources}
