"""Deploys and deletes the README's example: a subdomain with a certificate, from the base domain down.

It is in TypeScript. `npm run packages:test` in `cdk/` proves that the example in Python creates the same templates.
"""

import unittest

from . import assembly, inventory
from .stack import Stack
from .world import BASE_DOMAIN, CONSUMER, NETWORKING, make_zone


class ReadmePage(unittest.TestCase):
    def test_it_deploys_a_subdomain_with_a_certificate(self):
        base_zone, _ = make_zone(NETWORKING, BASE_DOMAIN)
        accounts = {"Networking": NETWORKING, "Consumer": CONSUMER}
        templates = assembly.synthesize("typescript", accounts, (("Z00000000000000EXAMPLE", base_zone),))
        before = inventory.of(*accounts.values())
        stacks = [Stack(account, name) for name, account in accounts.items()]
        for stack in stacks:
            self.assertEqual(stack.create(templates[stack.name]), "CREATE_COMPLETE", stack.reasons("CREATE_FAILED"))

        name = f"dev.build.{BASE_DOMAIN}"
        ((arn, certificate),) = inventory.certificates(CONSUMER).items()
        self.assertEqual((certificate["status"], sorted(certificate["names"])), ("ISSUED", [f"*.{name}", name]))
        self.assertEqual(stacks[1].outputs(), {"CertificateArn": arn})
        (zone,) = inventory.zones(CONSUMER).values()
        (parent,) = (zone for zone in inventory.zones(NETWORKING).values() if zone["name"] == f"build.{BASE_DOMAIN}.")
        delegated, own = (sorted(found["record sets"][(f"{name}.", "NS")][1]) for found in (parent, zone))
        self.assertEqual(delegated, own)

        for stack in reversed(stacks):
            self.assertEqual(stack.delete(), "DELETE_COMPLETE", stack.reasons("DELETE_FAILED"))
        self.assertEqual(inventory.difference(before, inventory.of(*accounts.values())), [])


if __name__ == "__main__":
    unittest.main()
