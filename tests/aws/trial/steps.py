"""The trial's steps in order, each with the facts that it proves."""

import json
import time

from botocore.exceptions import ClientError

from . import dns, probes
from .names import (BRANCH, CONSUMER, DEEP, DENIED, DEV, GRANTED, NETWORKING, OTHER, PREFIX, REFUSED, bucket, failing, only,
                    renamed, template, zone_name)
from .stacks import Failed, wait

TTL = 30


class Trial:
    """What the steps share."""

    def __init__(self, world, stacks, zips, architecture, external_id, report, say):
        self.world, self.stacks, self.zips, self.architecture = world, stacks, zips, architecture
        self.external_id, self.report, self.say = external_id, report, say
        self.zone, self.role, self.broke_at = None, None, None

    def steps(self):
        """(the title, the work, which returns a sentence)."""
        return (
            ("The functions' buckets", self.make_buckets),
            ("The networking stack", self.deploy_networking),
            ("A subdomain with a certificate", self.deploy_consumers),
            ("The names over DNS", self.ask_dns),
            ("A rename and a rollback", self.rename_and_roll_back),
            ("Alarms and logs", self.read_alarms_and_logs),
        )

    def make_buckets(self):
        for account in self.world.accounts:
            s3, name = account.client("s3"), bucket(account)
            place = {} if account.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": account.region}}
            try:
                s3.create_bucket(Bucket=name, **place)
            except s3.exceptions.BucketAlreadyOwnedByYou:
                pass  # an earlier trial left it
            for zipped in sorted(self.zips.glob("*.zip")):
                s3.upload_file(str(zipped), name, zipped.name)
        for account in self.world.accounts:
            try:
                limit = account.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
                self.report.line(f"Lambda concurrency of {account.id}: {limit}")
            except (ClientError, KeyError):
                self.report.line(f"Lambda concurrency of {account.id}: not known")
        return "one in each account"

    def _code(self, account):
        return {"FunctionBucket": bucket(account), "FunctionArchitecture": self.architecture}

    def deploy_networking(self):
        world, stack = self.world, self.stacks[NETWORKING]
        stack.begin_create(template("networking"), self._code(world.networking) | {
            "ZoneName": zone_name(world), "BaseHostedZoneId": world.base.id, "ParameterPrefix": PREFIX,
            "Consumer1Account": world.consumer.id, "Consumer1ExternalId": self.external_id,
            "Consumer1DomainNames": ",".join(f"{label}.{zone_name(world)}" for label in GRANTED)})
        self._expect([stack], ["CREATE_COMPLETE"])
        outputs = stack.outputs()
        self.zone, self.role = outputs["HostedZoneId"], outputs["Consumer1RoleArn"]
        self._break_the_function()
        return f"{zone_name(world)} is {self.zone}, delegated and published"

    def _subdomain(self, label, certificate):
        return self._code(self.world.consumer) | {
            "Subdomain": label, "Ttl": TTL, "ParameterPrefix": PREFIX, "NetworkRoleArn": self.role, "ExternalId": self.external_id,
            "Certificate": certificate}

    def deploy_consumers(self):
        consumer, deep, refused = (self.stacks[name] for name in (CONSUMER, DEEP, REFUSED))
        consumer.begin_create(template("consumer"), self._subdomain(DEV, "true"))
        # Nobody resolves these names, so no drain is needed.
        deep.begin_create(template("consumer"), self._subdomain(BRANCH, "false") | {"DrainSeconds": 0})
        refused.begin_create(template("consumer"), self._subdomain(DENIED, "false") | {"DrainSeconds": 0})
        probes.until_insync(self.world, self.zone, self.say, self.report)
        probes.guardrails(self.world, self.zone, self.report)
        probes.protections(self.world, self.zone, self.report)
        self._expect([consumer, deep, refused], ["CREATE_COMPLETE", "CREATE_COMPLETE", "ROLLBACK_COMPLETE"])
        reasons = list(refused.reasons("CREATE_FAILED").values())
        if not any("AccessDenied" in reason for reason in reasons):
            raise Failed(f"{refused.name} was refused, but not by IAM: {reasons}")
        self.report.fact("How does IAM word the refusal of a name that the role does not cover?", "The function's answer, with AWS's words:",
                         reasons)
        certificate = _times(consumer, "Custom::SubdomainCertificate", "CREATE_COMPLETE")
        subdomain = _times(consumer, "Custom::DelegatedSubdomain", "CREATE_COMPLETE")
        self.report.fact("How long do a subdomain and its certificate take?", f"The subdomain {subdomain}, then the certificate {certificate}.")
        return f"{consumer.outputs()['DomainName']} in {subdomain}, its certificate in {certificate}; {DENIED} was refused by IAM"

    def _break_the_function(self):
        """An event that no state machine sent ends with an error, which the alarm has to report."""
        (function,) = self.stacks[NETWORKING].resources("AWS::Lambda::Function").values()
        self.world.networking.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=b'{"Waiter": "no turn"}')
        self.broke_at = time.time()

    def ask_dns(self):
        name, said = zone_name(self.world), []
        parent = self.world.networking.client("route53").get_hosted_zone(Id=self.zone)["DelegationSet"]["NameServers"]
        # An empty non-terminal, a name that does not exist, a delegated name.
        empty = [f"{BRANCH.partition('.')[2]}.{name}", f"nothing.{name}", f"{BRANCH}.{name}"]
        for asked in empty:
            for server in parent:
                reply = dns.ask(server, asked, "A")
                said.append(f"{asked} A at {server}: {'no answer' if reply is None else reply[0]}")
        codes = {line.rpartition(": ")[2] for line in said if line.startswith(f"{empty[0]} ")}
        self.report.fact("Does Route 53 answer NXDOMAIN for an empty non-terminal?", f"It answers {', '.join(sorted(codes))}.", said)
        for label, stack in ((DEV, CONSUMER), (BRANCH, DEEP)):
            own = self._zone_of(stack)["DelegationSet"]["NameServers"]
            reply = dns.ask(own[0], f"{label}.{name}", "NS")
            if reply is None:
                raise Failed(f"{own[0]} does not answer. This machine must be allowed to ask name servers on UDP port 53.")
            if reply != ("NOERROR", True, {one.rstrip('.').lower() for one in own}):
                raise Failed(f"{own[0]} answers for {label}.{name}: {reply}")
        return f"both subdomains answer with authority; the empty non-terminal is {', '.join(sorted(codes))}"

    def _zone_of(self, stack):
        return self.world.consumer.client("route53").get_hosted_zone(Id=self.stacks[stack].outputs()["HostedZoneId"])

    def rename_and_roll_back(self):
        consumer, deep = self.stacks[CONSUMER], self.stacks[DEEP]
        before = consumer.outputs(), deep.outputs()
        consumer.begin_update(renamed(template("consumer")), self._subdomain(DEV, "true"))
        deep.begin_update(failing(template("consumer")), self._subdomain(OTHER, "false") | {"DrainSeconds": 0})
        self._expect([consumer, deep], ["UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
        if (consumer.outputs(), deep.outputs()) != before:
            raise Failed(f"The outputs were {before}, and are {(consumer.outputs(), deep.outputs())}.")
        zones = [one["Name"] for one in self.world.consumer.pages("route53", "list_hosted_zones", "HostedZones")]
        if f"{OTHER}.{zone_name(self.world)}." in zones:
            raise Failed(f"The zone of {OTHER} was not deleted when its update was rolled back.")
        closed = [line for line in deep.log() if line["message"] == "request closed"]
        self.report.fact("Which physical id does the Update of a rollback carry after a replacement that succeeded?",
                         "The requests of the stack whose update was rolled back, in their order:",
                         [" ".join(str(line.get(key)) for key in ("request_type", "logical_resource_id", "physical_resource_id", "outcome"))
                          for line in closed])
        return f"renamed in {consumer.took:.0f} s with the same zone and certificate; rolled back in {deep.took:.0f} s"

    def read_alarms_and_logs(self):
        networking, cloudwatch = self.stacks[NETWORKING], self.world.networking.client("cloudwatch")
        names = list(networking.resources("AWS::CloudWatch::Alarm").values())
        alarms = cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"]
        said = [f"{one['MetricName']}: {one['StateValue']}" + (
            f" {one['StateUpdatedTimestamp'].timestamp() - self.broke_at:.0f} s after the error" if one["StateValue"] == "ALARM" else "")
            for one in alarms]
        (function,) = networking.resources("AWS::Lambda::Function").values()
        points = cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda", MetricName="Errors", Dimensions=[{"Name": "FunctionName", "Value": function}],
            StartTime=self.broke_at - 600, EndTime=time.time(), Period=60, Statistics=["Sum"])["Datapoints"]
        said += [f"Errors at {point['Timestamp'].timestamp() - self.broke_at:.0f} s: {point['Sum']:.0f}"
                 for point in sorted(points, key=lambda point: point["Timestamp"])]
        self.report.fact("What do the alarms see?", "An event that no waiter sent ended in an error, which Lambda tries three times. "
                         f"{time.time() - self.broke_at:.0f} s later:", said)
        calls = [line for name in (NETWORKING, CONSUMER, DEEP) for line in self.stacks[name].log() if line["message"] == "AWS call"]
        refused = [f"{line['service']} {line['operation']} on {line['target']}: {line['outcome']}: {line.get('reason', '')}"
                   for line in calls if line["outcome"] != "ok"]
        self.report.fact("Which calls of the functions does AWS refuse on the way to success?",
                         f"{len(refused)} of {len(calls)}:", sorted({f"{refused.count(one)} times {one}" for one in refused}))
        checked = [f"{line['operation']}: {line['outcome']} {line.get('reason', '')}" for line in calls
                   if line["operation"] in ("GetDNSSEC", "ListResourceRecordSetProtections")]
        self.report.fact("May a function's role call GetDNSSEC and ListResourceRecordSetProtections?",
                         "What the functions heard before they deleted a zone:", sorted(set(checked)) or ["they were not called"])
        return f"{len(calls)} calls of the functions, {len(refused)} of them refused; {', '.join(said[:len(alarms)])}"

    def _expect(self, stacks, statuses):
        for stack, status, expected in zip(stacks, wait(stacks, self.say), statuses):
            if status != expected:
                raise Failed(f"{stack.name} is {status}, not {expected}: {json.dumps(stack.reasons('_FAILED'))}")


def _times(stack, kind, status):
    """How long the one resource of a type took, in words."""
    events = [event for event in stack.events() if event["ResourceType"] == kind]
    ended = next(event for event in reversed(events) if event["ResourceStatus"] == status)
    return f"{(ended['Timestamp'] - events[0]['Timestamp']).total_seconds():.0f} s"
