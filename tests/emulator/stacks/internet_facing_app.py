"""The example `cdk/examples/internet-facing-app`, deployed as far as the emulator supports it: application, ingress, the options that
are turned on later, and the deletion."""

import json
import re
import unittest

from botocore.exceptions import ClientError

from . import assembly, inventory, templates
from .stack import Stack
from .world import BASE_DOMAIN, CONSUMER, NETWORKING, client, make_zone

APPLICATION = "565656565656"
ALLOWED = "192.0.2.0/24"

# The props that turn an option on, as a user writes them in `app.ts`: the stack, the prop, its value.
OPTIONS = {
    "allowed addresses": ("Ingress", "allowedAddresses", f"['{ALLOWED}']"),
    "Shield Advanced": ("Ingress", "shieldAdvanced", "true"),
    "fixed addresses": ("Ingress", "fixedAddresses", "true"),
    "egress through Network Firewall": ("Application", "egressTo", "['.example.org']"),
}
# The options that are turned on after the first deployment.
LATER = ("allowed addresses", "Shield Advanced", "egress through Network Firewall")
# The line of each stack after which its options are inserted.
LINES = {"Ingress": "  subdomain: 'app',\n", "Application": "  repositoryName: 'app',\n"}

# Resource types that the emulator does not know. They are not deployed here, and neither are the resources
# that depend on them.
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
# The additional types of an option.
UNSUPPORTED_OF = {
    # WAF's own API has it: a set that is created there replaces the template's.
    "allowed addresses": ["AWS::WAFv2::IPSet"],
    # That is the whole option.
    "Shield Advanced": ["AWS::Shield::Protection"],
    # The load balancer in front depends on the addresses, and is removed with them.
    "fixed addresses": ["AWS::EC2::EIP"],
    # The subnets of the firewalls and of the NAT gateways remain, with the latter's route to the Internet.
    "egress through Network Firewall": [
        "AWS::EC2::EIP", "AWS::EC2::NatGateway", "AWS::NetworkFirewall::Firewall", "AWS::NetworkFirewall::FirewallPolicy",
        "AWS::NetworkFirewall::LoggingConfiguration", "AWS::NetworkFirewall::RuleGroup",
    ],
}
# In the emulator, an interface endpoint has no network interfaces, whose addresses the example looks up:
# these replace them. It also does not register a target group's targets, nor forward traffic through a load
# balancer.
ADDRESSES = ("10.1.2.10", "10.1.3.10")


def with_addresses(template):
    """The ingress template with the addresses in place of their look-up."""
    look_up, _ = templates.only(template["Resources"], "Custom::AWS")
    text = json.dumps(template)
    for index, address in enumerate(ADDRESSES):
        text = text.replace(json.dumps({"Fn::GetAtt": [look_up, f"NetworkInterfaces.{index}.PrivateIpAddress"]}), json.dumps(address))
    return supported(json.loads(text), ["Custom::AWS"])


def with_address_set(template):
    """The ingress template with a set that WAF's API created in place of its own, and no other change."""
    name, address_set = templates.only(template["Resources"], "AWS::WAFv2::IPSet")
    properties = address_set["Properties"]
    made = client("wafv2", CONSUMER).create_ip_set(
        Name="allowed", Scope=properties["Scope"], IPAddressVersion=properties["IPAddressVersion"], Addresses=properties["Addresses"])
    assert properties["Addresses"] == [ALLOWED]
    text = json.dumps(template).replace(json.dumps({"Fn::GetAtt": [name, "Arn"]}), json.dumps(made["Summary"]["ARN"]))
    return json.loads(text)


def supported(template, unsupported):
    """A template without resources of these types and without the resources that depend on them."""
    removed = {name for name, resource in template["Resources"].items() if resource["Type"] in unsupported}

    def depends_on_removed(part):
        return any(name in removed for name in re.findall(r'"(?:Ref": |Fn::GetAtt": \[)"(\w+)"', json.dumps(part)))

    while more := {n for n, r in template["Resources"].items() if n not in removed and depends_on_removed(r.get("Properties"))}:
        removed |= more
    left = {
        name: resource | {"DependsOn": [n for n in _list(resource.get("DependsOn")) if n not in removed]}
        for name, resource in template["Resources"].items() if name not in removed}
    return template | {"Resources": left, "Outputs": {n: o for n, o in template.get("Outputs", {}).items() if not depends_on_removed(o)}}


def _list(value):
    return value if isinstance(value, list) else [value] if value else []


def synthesized(*options):
    """Both templates with these options."""
    edits = {}
    for option in options:
        stack, prop, value = OPTIONS[option]
        edits[LINES[stack]] = edits.get(LINES[stack], LINES[stack]) + f"  {prop}: {value},\n"
    # The networking stack grants `dev`.
    return assembly.synthesize("internet-facing-app", {"Application": APPLICATION, "Ingress": CONSUMER}, (
        ("333333333333", APPLICATION), ('"Subdomain": "app"', '"Subdomain": "dev"')), edits.items())


def unsupported(stack, *options):
    """The resource types in a stack with these options that the emulator does not know."""
    return sorted({*UNSUPPORTED[stack], *(kind for one in options if OPTIONS[one][0] == stack for kind in UNSUPPORTED_OF[one])})


class InternetFacingApp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Each of them uploads assets, so all of them run before the existing resources are listed.
        cls.templates, cls.later = synthesized(), synthesized(*LATER)
        base_zone, _ = make_zone(NETWORKING, BASE_DOMAIN)
        templates.provide(NETWORKING, templates.NETWORKING_STACK)
        cls.networking = Stack(NETWORKING, templates.NETWORKING_STACK)
        assert cls.networking.create(templates.app(templates.NETWORKING_STACK, base_zone)) == "CREATE_COMPLETE"

    def test_what_the_emulator_does_not_know_is_as_named(self):
        for options in ((), *((one,) for one in OPTIONS)):
            made = synthesized(*options) if options else self.templates
            for name in {OPTIONS[one][0] for one in options} or UNSUPPORTED:
                with self.subTest(name, options=options), self.assertRaises(ClientError) as refused:
                    client("cloudformation", CONSUMER).validate_template(TemplateBody=json.dumps(made[name]))
                self.assertIn(f"Unrecognized resource types: [{', '.join(unsupported(name, *options))}]", str(refused.exception))

    def test_it_is_deployed_and_deleted_without_leftovers(self):
        before = inventory.of(NETWORKING, CONSUMER, APPLICATION)
        application, ingress = Stack(APPLICATION, "Application"), Stack(CONSUMER, "Ingress")
        made = self.templates | {"Ingress": with_addresses(self.templates["Ingress"])}
        for stack in (application, ingress):
            status = stack.create(supported(made[stack.name], unsupported(stack.name)))
            self.assertEqual(status, "CREATE_COMPLETE", stack.reasons("CREATE_FAILED"))
        self.check_all(application, ingress)
        self.turn_options_on(application, ingress)
        self.check_all(application, ingress)
        for stack in (ingress, application):
            self.assertEqual(stack.delete(), "DELETE_COMPLETE", stack.reasons("DELETE_FAILED"))
        self.assertEqual(inventory.difference(before, inventory.of(NETWORKING, CONSUMER, APPLICATION)), [])

    def turn_options_on(self, application, ingress):
        """Turns the options on in existing stacks: nothing is replaced."""
        made = self.later | {"Ingress": with_addresses(with_address_set(self.later["Ingress"]))}
        for stack in (application, ingress):
            existing = stack.resources()
            status = stack.update(supported(made[stack.name], unsupported(stack.name, *LATER)))
            self.assertEqual(status, "UPDATE_COMPLETE", stack.reasons("UPDATE_FAILED"))
            self.assertEqual({i: stack.resources().get(i) for i in existing}, existing, "replaced or removed")
        self.check_allowed_addresses(ingress)
        self.check_way_out(application)

    def check_all(self, application, ingress):
        self.check_name(ingress)
        self.check_way_in(ingress)
        self.check_application(application)

    def check_allowed_addresses(self, ingress):
        """Requests from outside the set are blocked, before any other rule."""
        waf = client("wafv2", CONSUMER)
        (acl,) = (physical for logical, physical in ingress.resources().items() if re.fullmatch("WebAcl[0-9A-F]{8}", logical))
        name, acl_id, scope = acl.split("|")
        first, *others = waf.get_web_acl(Name=name, Id=acl_id, Scope=scope)["WebACL"]["Rules"]
        self.assertEqual((first["Priority"], first["Action"]), (0, {"Block": {}}))
        # The emulator keeps the template's spelling `Arn`. The API has `ARN`, so boto3 finds none.
        self.assertEqual(first["Statement"], {"NotStatement": {"Statement": {"IPSetReferenceStatement": {}}}})
        self.assertEqual(len(others), 3)

    def check_way_out(self, application):
        """Each zone has subnets for the firewall and the NAT gateway, and the latter has a route to the
        Internet."""
        ec2, resources = client("ec2", APPLICATION), application.resources()
        gateway = next(physical for physical in resources.values() if physical.startswith("igw-"))
        for kind, ways in (("Firewall", []), ("Nat", [gateway])):
            subnets = [physical for logical, physical in resources.items() if re.fullmatch(rf"Vpc{kind}Subnet\dSubnet\w{{8}}", logical)]
            self.assertEqual(len(subnets), 2)
            for subnet in subnets:
                (table,) = ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])["RouteTables"]
                self.assertEqual([route["GatewayId"] for route in table["Routes"] if route["DestinationCidrBlock"] == "0.0.0.0/0"], ways)

    def check_name(self, ingress):
        """The name is delegated to a zone of the ingress account, with a record for the load balancer."""
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
