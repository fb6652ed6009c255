# Succeeds: a team in Python, with a certificate for CloudFront.
# A template has: "DomainName":"dev.build.example.com"
from aws_cdk import App, Environment, Stack
from zone_delegation import DelegatedSubdomain, PublishedZone

app = App()
consumer = Stack(app, "Consumer", env=Environment(account="222222222222", region="eu-west-1"))
delegation = PublishedZone.delegation(
    networking_account="111111111111", account="222222222222", parameter_prefix="/zone-delegation/dev", region="us-east-1", zone_name="build.example.com"
)
DelegatedSubdomain(consumer, "Subdomain", subdomain="dev", delegation=delegation).certificate("Certificate", region="us-east-1")
app.synth()
