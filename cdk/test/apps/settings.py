# Succeeds: settings of the functions are set once.
# A template has: "RetentionInDays":365
from aws_cdk import App, RemovalPolicy, Stack
from aws_cdk.aws_logs import RetentionDays
from zone_delegation import FunctionDefaults, PublishedZone

app = App()
FunctionDefaults.set(app, log_retention=RetentionDays.ONE_YEAR, log_removal_policy=RemovalPolicy.RETAIN, environment={"RUST_LOG": "debug"})
published = PublishedZone(Stack(app, "Networking"), "PublishedZone", zone_name="build.example.com", parameter_prefix="/zone-delegation/dev")
published.allow_delegation(account="222222222222", names=["dev"])
app.synth()
