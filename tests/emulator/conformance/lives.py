"""The lives of all resource types, from Create to Delete, as CloudFormation sends them to the functions' binaries.

`Stage` plays CloudFormation and the state machine. It works with any implementation of AWS.
"""

import json
import queue
import time
import uuid

import boto3

from .function import Function

REGION = "us-east-1"
PUBLISHED, SUBDOMAIN, CERTIFICATE = "Custom::PublishedZone", "Custom::DelegatedSubdomain", "Custom::SubdomainCertificate"
PREFIX = "/zone-delegation/lives"
# Shorter than ACM's time to issue, so that the wait is handed over to the state machine.
SHORT_TIMEOUT = 6


class Stage:
    """Two accounts of an implementation, and a domain in the networking one. `sign_in` returns keys of the networking account."""

    def __init__(self, endpoint, dns, binaries, base, networking, consumer, sign_in):
        self._endpoint, self._dns, self._binaries = endpoint, dns, binaries
        self.base, self.networking, self.consumer = base, networking, consumer
        self.session = sign_in(self)
        self.role = f"arn:aws:iam::{networking}:role/lives"
        self._running = []
        self.machine = f"arn:aws:states:{REGION}:{consumer}:stateMachine:waiter"

    def client(self, service, session=None):
        key = session or {"aws_access_key_id": self.consumer, "aws_secret_access_key": "test"}
        return boto3.client(service, region_name=REGION, endpoint_url=self._endpoint, **key)

    def secrets(self):
        """(secret, session token) by access key, of the keys with which functions start."""
        return {self.consumer: ("test", None), self.session["aws_access_key_id"]: (
            self.session["aws_secret_access_key"], self.session.get("aws_session_token"))}

    def across(self, name, **more):
        """Properties of a subdomain whose parent is in the networking account."""
        return {"Subdomain": name, "ParameterPrefix": PREFIX, "NetworkRoleArn": self.role, "ExternalId": "told",
                "NetworkRegion": REGION, "DrainSeconds": "0", **more}

    def function(self, name, stack, session=None, timeout=900):
        """A function of a stack."""
        keys = session or {"aws_access_key_id": self.consumer, "aws_secret_access_key": "test"}
        environment = {"AWS_REGION": REGION, "AWS_ENDPOINT_URL": self._endpoint, "DNS_NAME_SERVERS": self._dns,
                       "STACK_ID": _stack_id(self.consumer, stack), **{key.upper(): value for key, value in keys.items()}}
        if name == "delegate-subdomain":
            environment["STATE_MACHINE_ARN"] = self.machine
        made = Function(self._binaries / name / "bootstrap", environment, timeout)
        self._running.append(made)
        return Stack(self, made, _stack_id(self.consumer, stack))

    def close(self):
        for one in self._running:
            one.close()


def _stack_id(account, name):
    return f"arn:aws:cloudformation:{REGION}:{account}:stack/{name}/6f1f4a50-0000-0000-0000-000000000000"


class Refused(AssertionError):
    """A request was answered with FAILED."""


class Stack:
    """Requests of one stack to its function."""

    def __init__(self, stage, function, stack_id):
        self._stage, self._function, self._id = stage, function, stack_id

    def create(self, kind, properties, logical_id="Resource"):
        return self._request("Create", kind, properties, logical_id)

    def update(self, kind, physical_id, properties, old, logical_id="Resource"):
        return self._request("Update", kind, properties, logical_id, PhysicalResourceId=physical_id, OldResourceProperties=old)

    def delete(self, kind, physical_id, properties, logical_id="Resource"):
        return self._request("Delete", kind, properties, logical_id, PhysicalResourceId=physical_id)

    def _request(self, request_type, kind, properties, logical_id, **more):
        request_id = str(uuid.uuid4())
        returned = self._function.invoke({
            "RequestType": request_type, "ResourceType": kind, "RequestId": request_id, "StackId": self._id,
            "LogicalResourceId": logical_id, "ResponseURL": f"{self._function.url}/answer", "ResourceProperties": properties,
            "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:f", **more})
        try:
            answer = self._function.answers.get_nowait()
        except queue.Empty:
            answer = self._waited_for(returned)
        if answer["Status"] != "SUCCESS":
            raise Refused(f"{request_type} {kind} {properties}: {answer['Reason']}")
        return answer["PhysicalResourceId"], answer.get("Data", {})

    def _waited_for(self, returned):
        """Plays the state machine: calls the function with its input until it has answered."""
        machine = self._stage.client("stepfunctions")
        started = machine.list_executions(stateMachineArn=self._stage.machine)["executions"]
        execution = machine.describe_execution(executionArn=max(started, key=lambda one: one["startDate"])["executionArn"])
        state = json.loads(execution["input"])
        for _ in range(10):
            returned = self._function.invoke({"Waiter": state["Waiter"], "Execution": execution["executionArn"]})
            if returned.get("Done"):
                return self._function.answers.get_nowait()
            time.sleep(returned["Seconds"])
            state = returned
        raise Refused(f"the state machine did not come to an end: {returned}")


def all_of(stage):
    """Every life. Raises Refused."""
    route53 = stage.client("route53", stage.session)
    stage.client("stepfunctions").create_state_machine(
        name="waiter", roleArn=f"arn:aws:iam::{stage.consumer}:role/waiter",
        definition=json.dumps({"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 3600, "End": True}}}))
    made = route53.create_hosted_zone(Name=stage.base, CallerReference="lives")
    parent = made["HostedZone"]["Id"].removeprefix("/hostedzone/")

    publisher = stage.function("publish-zone", "networking", stage.session)
    consumer = stage.function("delegate-subdomain", "consumer")
    published = {"HostedZoneId": parent, "ParameterPrefix": PREFIX, "DelegatedNames": [f"dev.{stage.base}"],
                 "Tags": [{"Key": "team", "Value": "a"}]}
    prefix, _ = publisher.create(PUBLISHED, published)
    changed = published | {"Tags": [{"Key": "team", "Value": "b"}], "DelegatedNames": [f"dev.{stage.base}", f"qa.{stage.base}"]}
    publisher.update(PUBLISHED, prefix, changed, published)

    subdomains(stage, consumer)
    nested(stage, consumer)
    certificates(stage)

    renamed = changed | {"FormerLogicalIds": ["Resource"]}
    prefix, _ = publisher.create(PUBLISHED, renamed, "Renamed")
    publisher.delete(PUBLISHED, prefix, changed)
    publisher.delete(PUBLISHED, prefix, renamed, "Renamed")
    route53.delete_hosted_zone(Id=parent)


def subdomains(stage, stack):
    """A parent in another account: created, changed in place, renamed, replaced, removed."""
    first = stage.across("dev", Comment="one", Tags=[{"Key": "team", "Value": "a"}])
    one, _ = stack.create(SUBDOMAIN, first)
    second = first | {"Ttl": "60", "Comment": "two", "Tags": [{"Key": "group", "Value": "b"}]}
    one, _ = stack.update(SUBDOMAIN, one, second, first)
    renamed = second | {"FormerLogicalIds": ["Resource"]}
    same, _ = stack.create(SUBDOMAIN, renamed, "Renamed")
    stack.delete(SUBDOMAIN, one, second)
    replaced = renamed | {"Subdomain": "qa"}
    other, _ = stack.update(SUBDOMAIN, same, replaced, renamed, "Renamed")
    stack.delete(SUBDOMAIN, same, renamed, "Renamed")
    stack.delete(SUBDOMAIN, other, replaced, "Renamed")


def nested(stage, stack):
    """A parent in the same account, an external zone whose delegation is adopted, and records that are deleted."""
    route53 = stage.client("route53")
    outer = stage.across("team")
    above, data = stack.create(SUBDOMAIN, outer, "Outer")
    external = route53.create_hosted_zone(Name=f"app.team.{stage.base}", CallerReference="external")
    _change(route53, data["HostedZoneId"], "CREATE", f"app.team.{stage.base}", "NS", *external["DelegationSet"]["NameServers"])
    adopted = {"Subdomain": "app", "ParentHostedZoneId": data["HostedZoneId"], "DrainSeconds": "0", "AdoptDelegation": "true",
               "HostedZoneId": external["HostedZone"]["Id"].removeprefix("/hostedzone/")}
    inner, _ = stack.create(SUBDOMAIN, adopted, "Inner")
    stack.delete(SUBDOMAIN, inner, adopted, "Inner")
    route53.delete_hosted_zone(Id=adopted["HostedZoneId"])
    cleared = outer | {"RecordsOnDelete": "Delete"}
    above, _ = stack.update(SUBDOMAIN, above, cleared, outer, "Outer")
    _change(route53, data["HostedZoneId"], "CREATE", f"www.team.{stage.base}", "A", "192.0.2.1")
    stack.delete(SUBDOMAIN, above, cleared, "Outer")


def certificates(stage):
    """A certificate whose wait is handed over, its tags, and its end with the validation record sets."""
    stack = stage.function("delegate-subdomain", "certificates", timeout=SHORT_TIMEOUT)
    outer = stage.across("site")
    zone, data = stack.create(SUBDOMAIN, outer, "Zone")
    wanted = {"HostedZoneId": data["HostedZoneId"], "DomainName": f"site.{stage.base}", "SubjectAlternativeNames": [f"*.site.{stage.base}"],
              "KeyAlgorithm": "RSA_2048", "ValidationRecordsOnDelete": "Delete", "Tags": [{"Key": "team", "Value": "a"}]}
    arn, _ = stack.create(CERTIFICATE, wanted, "Certificate")
    changed = wanted | {"Tags": [{"Key": "group", "Value": "b"}]}
    arn, _ = stack.update(CERTIFICATE, arn, changed, wanted, "Certificate")
    stack.delete(CERTIFICATE, arn, changed, "Certificate")
    stack.delete(SUBDOMAIN, zone, outer, "Zone")


def _change(route53, zone, action, name, kind, *values):
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [{
        "Action": action, "ResourceRecordSet": {
            "Name": name, "Type": kind, "TTL": 300, "ResourceRecords": [{"Value": value} for value in values]}}]})
