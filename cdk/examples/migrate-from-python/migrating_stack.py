from pathlib import Path

from aws_cdk import CustomResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_route53 import ARecord, HostedZone, RecordTarget
from zone_delegation import DelegatedSubdomain

NAME = "dev.build.example.com"
# What the sample has in the networking account: a role that this account may assume, and the parameter with the parent zone's id.
ROLE = "arn:aws:iam::111111111111:role/sample-delegation"
PARAMETER = "/sample/zone"
STEPS = ("before", "retained", "taken-over", "after")


class MigratingStack(Stack):
    """A consumer's stack that migrates from a custom resource in Python. The name resolves at every moment.

        `step` is the current step, `before`, `retained`, `taken-over` or `after`, one deployment each. `hosted_zone_id` is the zone that the
        sample created, `delegation` the parent zone, published by its account.
        """

    def __init__(self, scope, id, *, step, hosted_zone_id, delegation, **more):
        super().__init__(scope, id, **more)
        if step not in STEPS:
            raise ValueError(f"step must be one of {', '.join(STEPS)}, but it is {step!r}.")
        is_taken_over = step in ("taken-over", "after")
        zone = HostedZone.from_hosted_zone_attributes(
            self, "Zone", hosted_zone_id=hosted_zone_id if is_taken_over else self._sample(step).ref, zone_name=NAME
        )
        # The id of its zone does not change, so CloudFormation does not touch the record set.
        ARecord(self, "Www", zone=zone, record_name="www", target=RecordTarget.from_ip_addresses("192.0.2.80"))

        if is_taken_over:
            # The parent delegates to this zone already: the subdomain adopts the NS record set as it is.
            subdomain = DelegatedSubdomain(
                self, "Subdomain", subdomain="dev", delegation=delegation, zone=zone, adopt_delegation=True
            )
            if step == "taken-over":
                # Without this policy, CloudFormation deletes the NS record set if the deployment that adds the subdomain fails and is rolled back.
                subdomain.apply_removal_policy(RemovalPolicy.RETAIN)

    def _sample(self, step):
        """The sample's function and its custom resource, whose physical id is the zone's."""
        handler = lambda_.Function(
            self,
            "SampleFunction",
            runtime=lambda_.Runtime.PYTHON_3_12,
            handler="index.handler",
            code=lambda_.Code.from_inline(Path(__file__).with_name("sample.py").read_text()),
            timeout=Duration.minutes(1),
            initial_policy=[
                iam.PolicyStatement(actions=["sts:AssumeRole"], resources=[ROLE]),
                iam.PolicyStatement(actions=["route53:CreateHostedZone", "route53:GetHostedZone", "route53:DeleteHostedZone"], resources=["*"]),
            ],
        )
        return CustomResource(
            self,
            "SampleSubdomain",
            resource_type="Custom::SampleSubdomain",
            service_token=handler.function_arn,
            properties={"Name": NAME, "Role": ROLE, "Parameter": PARAMETER},
            # Without it, the sample deletes the NS record set in the parent when its resource leaves the template.
            removal_policy=RemovalPolicy.RETAIN if step == "retained" else None,
        )
