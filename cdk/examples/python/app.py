from aws_cdk import App, CfnOutput, Environment, Stack
from aws_cdk.aws_route53 import HostedZone
from zone_delegation import DelegatedSubdomain, PublishedZone

app = App()

# Account 111111111111 has example.com. It creates and publishes build.example.com, and allows account 222222222222 to delegate dev.build.example.com.
networking = Stack(app, "Networking", env=Environment(account="111111111111", region="us-east-1"))
published = PublishedZone(
    networking,
    "PublishedZone",
    zone_name="build.example.com",
    parent_zone=HostedZone.from_hosted_zone_attributes(networking, "Base", hosted_zone_id="Z00000000000000EXAMPLE", zone_name="example.com"),
    parameter_prefix="/zone-delegation/dev",
)
delegation = published.allow_delegation(account="222222222222", names=["dev"])

# Account 222222222222 creates dev.build.example.com, with a certificate for the name and all names in it.
consumer = Stack(app, "Consumer", env=Environment(account="222222222222", region="us-east-1"))
consumer.node.add_dependency(networking)  # no reference between accounts ensures the order
subdomain = DelegatedSubdomain(consumer, "Subdomain", subdomain="dev", delegation=delegation)
certificate = subdomain.certificate("Certificate", subject_alternative_names=[f"*.{subdomain.zone_name}"])
CfnOutput(consumer, "CertificateArn", value=certificate.certificate_arn)

app.synth()
