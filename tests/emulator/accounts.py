#!/usr/bin/env python3
"""Commands of the demo for the emulated accounts. The output is JSON on standard output.

Each command uses AWS's own API as the root of an account. If it fails, it writes one sentence to standard error and ends with 1.
"""

import argparse
import copy
import json
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

_ENDPOINT = None
_REGION = "us-east-1"


def _client(service, account, region=None):
    return boto3.client(service, region_name=region or _REGION, endpoint_url=_ENDPOINT,
                        aws_access_key_id=account, aws_secret_access_key="test",
                        config=Config(retries={"total_max_attempts": 2}))


def _pages(client, operation, member, **arguments):
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page[member]


def create_zone(arguments):
    """A public zone in the account, as a registrar or a person creates it."""
    made = _client("route53", arguments.account).create_hosted_zone(
        Name=arguments.name, CallerReference=f"base-domain-{arguments.name}")
    return {"id": made["HostedZone"]["Id"].removeprefix("/hostedzone/"),
            "name_servers": made["DelegationSet"]["NameServers"]}


def open_bootstrap_bucket(arguments):
    """Deletes the bootstrap bucket's policy, which denies requests without TLS."""
    s3 = _client("s3", arguments.account)
    opened = []
    for bucket in s3.list_buckets()["Buckets"]:
        if bucket["Name"].startswith("cdk-"):
            s3.delete_bucket_policy(Bucket=bucket["Name"])
            opened.append(bucket["Name"])
    return {"buckets": opened}


def _zones(account):
    route53 = _client("route53", account)
    found = []
    for zone in _pages(route53, "list_hosted_zones", "HostedZones"):
        zone_id = zone["Id"].removeprefix("/hostedzone/")
        found.append({
            "id": zone_id, "name": zone["Name"].rstrip("."),
            "name_servers": route53.get_hosted_zone(Id=zone_id).get("DelegationSet", {}).get("NameServers", []),
            "record_sets": [
                {"name": r["Name"].rstrip("."), "type": r["Type"], "ttl": r.get("TTL"),
                 "values": [value["Value"] for value in r.get("ResourceRecords", [])]}
                for r in _pages(route53, "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone_id)],
        })
    return sorted(found, key=lambda zone: zone["name"].split(".")[::-1])


def _certificates(account, regions):
    found = []
    for region in regions:
        acm = _client("acm", account, region)
        kinds = ["RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"]
        for summary in _pages(acm, "list_certificates", "CertificateSummaryList", Includes={"keyTypes": kinds}):
            one = acm.describe_certificate(CertificateArn=summary["CertificateArn"])["Certificate"]
            found.append({"arn": one["CertificateArn"], "names": one["SubjectAlternativeNames"],
                          "status": one["Status"], "region": region})
    return found


def inventory(arguments):
    """Zones with their record sets, parameters, certificates, roles, functions and stacks of accounts."""
    accounts = []
    for account in arguments.accounts:
        ssm, iam = _client("ssm", account), _client("iam", account)
        functions, stacks = _client("lambda", account), _client("cloudformation", account)
        accounts.append({
            "account": account,
            "zones": _zones(account),
            "parameters": [
                {"name": p["Name"], "type": p["Type"], "value": p["Value"]}
                for p in _pages(ssm, "get_parameters_by_path", "Parameters", Path="/", Recursive=True)
                if not p["Name"].startswith("/cdk-bootstrap/")],
            "certificates": _certificates(account, arguments.region),
            "roles": sorted(r["RoleName"] for r in _pages(iam, "list_roles", "Roles")
                            if not r["RoleName"].startswith("cdk-")),
            "functions": sorted(f["FunctionName"] for f in _pages(functions, "list_functions", "Functions")),
            "stacks": sorted(
                s["StackName"] for s in _pages(stacks, "list_stacks", "StackSummaries")
                if s["StackStatus"] != "DELETE_COMPLETE" and s["StackName"] != "CDKToolkit"),
        })
    return {"accounts": accounts}


def _wait(stacks, stack):
    while True:
        found = stacks.describe_stacks(StackName=stack)["Stacks"][0]
        if not found["StackStatus"].endswith("_IN_PROGRESS"):
            return found["StackStatus"]
        time.sleep(0.2)


def try_name(arguments):
    """Adds a subdomain to a deployed stack, beside the existing one. Returns the result of the update."""
    stacks = _client("cloudformation", arguments.account)
    template = stacks.get_template(StackName=arguments.stack)["TemplateBody"]
    template = json.loads(template) if isinstance(template, str) else template
    resources = template["Resources"]
    subdomains = [r for r in resources.values() if r["Type"] == "Custom::DelegatedSubdomain"]
    if len(subdomains) != 1:
        raise ValueError(f"{arguments.stack} has {len(subdomains)} subdomains, not one.")
    added = copy.deepcopy(subdomains[0])
    added["Properties"] |= {"Subdomain": arguments.name, "ServiceTimeout": 300}
    resources["Name"] = added
    parameters = [{"ParameterKey": name, "UsePreviousValue": True} for name in template.get("Parameters", {})]
    stacks.update_stack(StackName=arguments.stack, TemplateBody=json.dumps(template), Parameters=parameters,
                        Capabilities=["CAPABILITY_NAMED_IAM"])
    status = _wait(stacks, arguments.stack)
    events = list(_pages(stacks, "describe_stack_events", "StackEvents", StackName=arguments.stack))
    reasons = [e["ResourceStatusReason"] for e in events
               if e["LogicalResourceId"] == "Name" and e["ResourceStatus"].endswith("_FAILED")]
    return {"status": status, "reason": reasons[-1] if reasons else ""}


def function_logs(arguments):
    """Every log line of the accounts' functions, oldest first."""
    lines = []
    for account in arguments.accounts:
        logs = _client("logs", account)
        for group in _pages(logs, "describe_log_groups", "logGroups"):
            for event in _pages(logs, "filter_log_events", "events", logGroupName=group["logGroupName"]):
                lines.append((event["timestamp"], account, event["message"].rstrip()))
    return {"lines": [f"{account} {message}" for _, account, message in sorted(lines)]}


def _arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoint", required=True)
    commands = parser.add_subparsers(required=True)

    def command(run, *names):
        one = commands.add_parser(run.__name__.replace("_", "-"), help=run.__doc__)
        for name in names:
            one.add_argument(name, **({"required": True} if name.startswith("--") else {}))
        one.set_defaults(run=run)
        return one

    command(create_zone, "account", "name")
    command(open_bootstrap_bucket, "account")
    command(try_name, "account", "name", "--stack")
    command(function_logs).add_argument("accounts", nargs="+")
    listing = command(inventory)
    listing.add_argument("--region", action="append", required=True)
    listing.add_argument("accounts", nargs="+")
    return parser.parse_args()


def main():
    global _ENDPOINT
    arguments = _arguments()
    _ENDPOINT = arguments.endpoint
    try:
        print(json.dumps(arguments.run(arguments)))
    except (BotoCoreError, ClientError, ValueError) as failure:
        sys.exit(f"{failure}".splitlines()[0])


if __name__ == "__main__":
    main()
