from aws_cdk import App, Environment, Stack
from aws_cdk.aws_route53 import HostedZone
from zone_delegation import DelegationsOnDelete, PublishedZone

from migrating_stack import MigratingStack

app = App()
step = app.node.get_context("step")

# The existing zone is published as it is.
networking = Stack(app, "Networking", env=Environment(account="111111111111", region="us-east-1"))
published = PublishedZone(
    networking,
    "PublishedZone",
    zone=HostedZone.from_hosted_zone_attributes(networking, "Zone", hosted_zone_id="Z00000000000000EXAMPLE", zone_name="build.example.com"),
    parameter_prefix="/zone-delegation/dev",
    # The zone has delegations already. They must not prevent a rollback of the first deployment.
    delegations_on_delete=DelegationsOnDelete.IGNORE if step == "before" else None,
)

MigratingStack(
    app,
    "Consumer",
    env=Environment(account="222222222222", region="us-east-1"),
    step=step,
    hosted_zone_id=app.node.get_context("hostedZoneId"),
    delegation=published.allow_delegation(account="222222222222", names=["dev"]),
)

app.synth()
