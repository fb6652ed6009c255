"""Deploys and deletes the example `cdk/examples/static-site`: zone, certificate, bucket, distribution and its
names."""

import unittest

from . import assembly, inventory
from .stack import Stack
from .world import BASE_DOMAIN, CONSUMER, NETWORKING, REGION, client, make_zone, pages


class StaticSite(unittest.TestCase):
    def test_it_is_deployed_and_deleted_without_leftovers(self):
        base_zone, _ = make_zone(NETWORKING, BASE_DOMAIN)
        accounts = {"Networking": NETWORKING, "Consumer": CONSUMER}
        templates = assembly.synthesize("static-site", accounts, (("Z00000000000000EXAMPLE", base_zone), ("eu-central-1", REGION)))
        before = inventory.of(*accounts.values())
        networking, site = stacks = [Stack(account, name) for name, account in accounts.items()]
        for stack in stacks:
            self.assertEqual(stack.create(templates[stack.name]), "CREATE_COMPLETE", stack.reasons("CREATE_FAILED"))
        self.check_site(site)
        for stack in (site, networking):
            self.assertEqual(stack.delete(), "DELETE_COMPLETE", stack.reasons("DELETE_FAILED"))
        self.assertEqual(inventory.difference(before, inventory.of(*accounts.values())), [])

    def check_site(self, site):
        """Both names lead to the distribution, which has an issued certificate for both, and reads the
        bucket."""
        names = [f"site.build.{BASE_DOMAIN}", f"www.site.build.{BASE_DOMAIN}"]
        self.assertEqual(site.outputs()["Url"], f"https://{names[0]}")
        ((arn, certificate),) = inventory.certificates(CONSUMER).items()
        self.assertEqual((certificate["status"], sorted(certificate["names"])), ("ISSUED", names))
        self.assertIn(":us-east-1:", arn)

        (distribution,) = client("cloudfront", CONSUMER).list_distributions()["DistributionList"]["Items"]
        self.assertEqual(sorted(distribution["Aliases"]["Items"]), names)
        self.assertEqual(distribution["ViewerCertificate"]["ACMCertificateArn"], arn)
        (origin,) = distribution["Origins"]["Items"]
        self.assertEqual(origin["DomainName"].split(".")[0], site.outputs()["Bucket"])

        (zone,) = inventory.zones(CONSUMER)
        targets = {(record["Name"], record["Type"]): record["AliasTarget"]["DNSName"].rstrip(".") for record in pages(
            client("route53", CONSUMER), "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone) if "AliasTarget" in record}
        self.assertEqual(targets, {(f"{name}.", kind): distribution["DomainName"] for name in names for kind in ("A", "AAAA")})


if __name__ == "__main__":
    unittest.main()
