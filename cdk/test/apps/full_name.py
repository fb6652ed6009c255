# Refused: subdomain must be relative to "build.example.com", and so not end in it (write "dev"), but it is "dev.build.example.com".
from aws_cdk import App, Environment, Stack
from zone_delegation import DelegatedSubdomain, PublishedZone

app = App()
networking = Stack(app, "Networking", env=Environment(account="111111111111", region="us-east-1"))
published = PublishedZone(networking, "PublishedZone", zone_name="build.example.com", parameter_prefix="/zone-delegation/dev")
consumer = Stack(app, "Consumer", env=Environment(account="222222222222", region="us-east-1"))
delegation = published.allow_delegation(account="222222222222", names=["dev"])
DelegatedSubdomain(consumer, "Subdomain", subdomain="dev.build.example.com", delegation=delegation)
app.synth()
