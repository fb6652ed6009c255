# Refused: names of account 333333333333 must not have "dev", which account 222222222222 already has: the owner of a name could capture all names below it.
from aws_cdk import App, Stack
from zone_delegation import PublishedZone

app = App()
published = PublishedZone(Stack(app, "Networking"), "PublishedZone", zone_name="build.example.com", parameter_prefix="/zone-delegation/dev")
for account in ["222222222222", "333333333333"]:
    published.allow_delegation(account=account, names=["dev"])
app.synth()
