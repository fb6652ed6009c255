"""`cargo xtask aws`: the plan, the trial, its report, and the deletion of everything.

The command itself runs, with profiles whose accounts are the emulator's. `trial_stopped` stops it.
"""

import os
import pathlib
import subprocess
import tempfile
import unittest

from . import inventory
from .world import BASE_DOMAIN, CONSUMER, ENDPOINT, NETWORKING, REGION, ZIPS, client, make_zone, pages

SETTLED = ("guardrail word its refusal", "to be INSYNC", "ListResourceRecordSetProtections exist", "empty non-terminal",
           "What do the alarms see", "Update of a rollback")


class Case(unittest.TestCase):
    """A base domain, profiles of both accounts, and a target folder of its own, so that two trials can run at
    the same time."""

    @classmethod
    def setUpClass(cls):
        cls.base_zone, _ = make_zone(NETWORKING, BASE_DOMAIN)
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.report = pathlib.Path(folder.name, "aws", "report.md")
        config = pathlib.Path(folder.name, "config")
        config.write_text("".join(
            f"[profile {name}]\nregion = {REGION}\nendpoint_url = {ENDPOINT}\naws_access_key_id = {account}\naws_secret_access_key = test\n"
            for name, account in (("networking", NETWORKING), ("consumer", CONSUMER))))
        cls.environment = os.environ | {"AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                                        "DNS_NAME_SERVERS": os.environ["DNS_ADDRESS"],
                                        "CARGO_TARGET_DIR": folder.name}

    def command(self, *more):
        return [os.environ["XTASK"], "aws", "--networking-profile", "networking", "--consumer-profile", "consumer",
                "--base-zone", self.base_zone, "--functions", ZIPS, *more]

    def run_to_end(self, *more):
        done = subprocess.run(self.command(*more), env=self.environment, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900)
        print(done.stdout, flush=True)
        return done.returncode, done.stdout

    def all(self):
        """Everything that a trial could leave in the accounts."""
        return inventory.of(NETWORKING, CONSUMER) | {
            "stacks": [one["StackName"] for account in (NETWORKING, CONSUMER) for one in pages(
                client("cloudformation", account), "list_stacks", "StackSummaries") if one["StackStatus"] != "DELETE_COMPLETE"],
            "buckets": [one["Name"] for account in (NETWORKING, CONSUMER) for one in client("s3", account).list_buckets()["Buckets"]],
            "roles": [one["RoleName"] for account in (NETWORKING, CONSUMER) for one in pages(client("iam", account), "list_roles", "Roles")]}


class Trial(Case):
    def test_nothing_happens_before_a_person_agrees(self):
        before = self.all()
        code, said = self.run_to_end()
        self.assertEqual(code, 1, said)
        self.assertIn("nobody can be asked", said)
        for shown in (NETWORKING, CONSUMER, BASE_DOMAIN, "0.50 USD a month", "zone-delegation-trial-networking"):
            self.assertIn(shown, said)
        self.assertEqual(self.run_to_end("--plan")[0], 0)
        self.assertEqual(inventory.difference(before, self.all()), [])

    def test_a_trial_answers_the_open_questions_and_leaves_nothing(self):
        before = self.all()
        code, said = self.run_to_end("--yes")
        self.assertEqual(code, 0, said)
        report = self.report.read_text()
        for question in SETTLED:
            self.assertRegex(report, f"### .*{question}")
        self.assertNotIn("| FAILED:", report)
        self.assertTrue(report.endswith("## What is left\n\nNothing.\n"), report)
        for private in (NETWORKING, CONSUMER, BASE_DOMAIN, self.base_zone):
            self.assertNotIn(private, report)
        self.assertEqual(inventory.difference(before, self.all()), [])


if __name__ == "__main__":
    unittest.main()
