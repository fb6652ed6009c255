import unittest

from aws_cdk import App, Environment, Stack
from aws_cdk.assertions import Template
from zone_delegation import DelegatedSubdomain, PublishedZone


class ConsumerTest(unittest.TestCase):
    def test_the_subdomain_has_its_name_and_its_certificate_is_in_us_east_1(self):
        stack = Stack(App(), "Consumer", env=Environment(account="222222222222", region="eu-west-1"))
        delegation = PublishedZone.delegation(
            networking_account="111111111111", account="222222222222", parameter_prefix="/zone-delegation/dev", zone_name="build.example.com"
        )
        subdomain = DelegatedSubdomain(stack, "Subdomain", subdomain="dev", delegation=delegation)
        subdomain.certificate("Certificate", region="us-east-1")
        self.assertEqual(subdomain.zone_name, "dev.build.example.com")
        Template.from_stack(stack).has_resource_properties(
            "Custom::SubdomainCertificate", {"DomainName": "dev.build.example.com", "Region": "us-east-1"}
        )
