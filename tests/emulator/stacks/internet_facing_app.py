"""The example `cdk/examples/internet-facing-app`, deployed as far as the emulator goes: application, way in, and away again."""

import json
import re
import unittest

from botocore.exceptions import ClientError

from . import assembly, inventory, templates
from .stack import Stack
from .world import BASE_DOMAIN, CONSUMER, NETWORKING, client, make_zone

APPLICATION = "565656565656"

# What the emulator does not know, and so is not deployed here, with all that stands on it.
UNSUPPORTED = {
    "Application": [
        "AWS::EC2::FlowLog", "AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::VPCEndpointService", "AWS::EC2::VPCEndpointServicePermissions",
    ],
    "Ingress": [
        "AWS::EC2::FlowLog", "AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress",
        "AWS::WAFv2::LoggingConfiguration", "AWS::WAFv2::WebACLAssociation",
    ],
}
# An interface endpoint has no network interfaces there, whose addresses the example looks up: these stand for them. Nor does
# CloudFormation register a target group's targets there, or pass anything through a load balancer.
ADDRESSES = ("10.1.2.10", "10.1.3.10")


def with_addresses(template):
    """The ingress template with the addresses in place of their look-up."""
    look_up, _ = templates.only(template["Resources"], "Custom::AWS")
    text = json.dumps(template)
    for index, address in enumerate(ADDRESSES):
        text = text.replace(json.dumps({"Fn::GetAtt": [look_up, f"NetworkInterfaces.{index}.PrivateIpAddress"]}), json.dumps(address))
    return supported(json.loads(text), ["Custom::AWS"])


def supported(template, unsupported):
    """A template without resources of these types and without all that stands on them."""
    gone = {name for name, resource in template["Resources"].items() if resource["Type"] in unsupported}

    def stands_on_gone(part):
        return any(name in gone for name in re.findall(r'"(?:Ref": |Fn::GetAtt": \[)"(\w+)"', json.dumps(part)))

    while more := {n for n, r in template["Resources"].items() if n not in gone and stands_on_gone(r.get("Properties"))}:
        gone |= more
    left = {
        name: resource | {"DependsOn": [n for n in _list(resource.get("DependsOn")) if n not in gone]}
        for name, resource in template["Resources"].items() if name not in gone}
    return template | {"Resources": left, "Outputs": {n: o for n, o in template.get("Outputs", {}).items() if not stands_on_gone(o)}}


def _list(value):
    return value if isinstance(value, list) else [value] if value else []


class InternetFacingApp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # The networking stack grants `dev`.
        cls.templates = assembly.synthesize("internet-facing-app", {"Application": APPLICATION, "Ingress": CONSUMER}, (
            ("333333333333", APPLICATION), ('"Subdomain": "app"', '"Subdomain": "dev"')))
        base_zone, _ = make_zone(NETWORKING, BASE_DOMAIN)
        templates.provide(NETWORKING, templates.NETWORKING_STACK)
        cls.networking = Stack(NETWORKING, templates.NETWORKING_STACK)
        assert cls.networking.create(templates.app(templates.NETWORKING_STACK, base_zone)) == "CREATE_COMPLETE"

    def test_what_the_emulator_does_not_know_is_as_named(self):
        for name, types in UNSUPPORTED.items():
            with self.assertRaises(ClientError) as refused:
                client("cloudformation", CONSUMER).validate_template(TemplateBody=json.dumps(self.templates[name]))
            self.assertIn(f"Unrecognized resource types: [{', '.join(types)}]", str(refused.exception))

    def test_it_stands_and_goes_without_a_trace(self):
        before = inventory.of(NETWORKING, CONSUMER, APPLICATION)
        application, ingress = Stack(APPLICATION, "Application"), Stack(CONSUMER, "Ingress")
        made = self.templates | {"Ingress": with_addresses(self.templates["Ingress"])}
        for stack in (application, ingress):
            status = stack.create(supported(made[stack.name], UNSUPPORTED[stack.name]))
            self.assertEqual(status, "CREATE_COMPLETE", stack.reasons("CREATE_FAILED"))
        self.check_name(ingress)
        self.check_way_in(ingress)
        self.check_application(application)
        for stack in (ingress, application):
            self.assertEqual(stack.delete(), "DELETE_COMPLETE", stack.reasons("DELETE_FAILED"))
        self.assertEqual(inventory.difference(before, inventory.of(NETWORKING, CONSUMER, APPLICATION)), [])

    def check_name(self, ingress):
        """The name is delegated to a zone of the ingress account, in which it leads to the load balancer."""
        name = f"dev.build.{BASE_DOMAIN}"
        self.assertEqual(ingress.outputs()["Url"], f"https://{name}")
        (zone,) = (zone for zone in inventory.zones(CONSUMER).values() if zone["name"] == f"{name}.")
        _, servers = zone["record sets"][(f"{name}.", "NS")]
        (parent,) = (zone for zone in inventory.zones(NETWORKING).values() if zone["name"] == f"build.{BASE_DOMAIN}.")
        self.assertEqual(sorted(parent["record sets"][(f"{name}.", "NS")][1]), sorted(servers))
        self.assertIn((f"{name}.", "A"), zone["record sets"])

    def check_way_in(self, ingress):
        """The load balancer has the certificate, issued, and forwards to the target group of the endpoint."""
        balancers, resources = client("elbv2", CONSUMER), ingress.resources()
        ((arn, certificate),) = inventory.certificates(CONSUMER).items()
        self.assertEqual(certificate["status"], "ISSUED")
        listeners = {
            listener["Port"]: listener for balancer in balancers.describe_load_balancers()["LoadBalancers"]
            for listener in balancers.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]}
        self.assertEqual(sorted(listeners), [80, 443])
        self.assertEqual(listeners[443]["Certificates"][0]["CertificateArn"], arn)
        (group,) = (physical for logical, physical in resources.items() if re.fullmatch("Application[0-9A-F]{8}", logical))
        self.assertEqual(listeners[443]["DefaultActions"][0]["TargetGroupArn"], group)

    def check_application(self, application):
        """The service runs its tasks in the private subnets, behind the application load balancer."""
        ecs, resources = client("ecs", APPLICATION), application.resources()
        (cluster,) = (physical for logical, physical in resources.items() if re.fullmatch("Cluster[0-9A-F]{8}", logical))
        (service,) = ecs.describe_services(cluster=cluster, services=ecs.list_services(cluster=cluster)["serviceArns"])["services"]
        subnets = {physical for logical, physical in resources.items() if re.fullmatch(r"VpcApplicationSubnet\dSubnet\w{8}", logical)}
        self.assertEqual(set(service["networkConfiguration"]["awsvpcConfiguration"]["subnets"]), subnets)
        self.assertEqual((service["launchType"], service["desiredCount"]), ("FARGATE", 2))


if __name__ == "__main__":
    unittest.main()
