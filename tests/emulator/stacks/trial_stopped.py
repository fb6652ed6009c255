"""`cargo xtask aws`, stopped by Ctrl-C: it deletes what it created, names what it could not delete, and `--clean-up` deletes that later."""

import re
import signal
import subprocess
import unittest

from . import inventory, trial
from .world import BASE_DOMAIN, NETWORKING, change


class Stopped(trial.Case):
    def test_a_stopped_trial_deletes_what_it_created_and_names_what_it_could_not_delete(self):
        before = self.all()
        running = subprocess.Popen(self.command("--yes"), env=self.environment, stdin=subprocess.DEVNULL, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(running.stdout.close)
        self.addCleanup(running.kill)
        kept, zone, said = (f"kept.zone-delegation-trial.{BASE_DOMAIN}", "TXT", '"x"'), None, ""
        for line in running.stdout:
            said += line
            if made := re.search(r"zone-delegation-trial\.\S+ is (\w+), delegated", line):
                # A person's record set prevents the delete of the zone. The trial is stopped while the
                # consumer's stacks are created.
                zone = made.group(1)
                change(NETWORKING, zone, "CREATE", *kept)
            if "how long a change is PENDING: 3" in line:
                running.send_signal(signal.SIGINT)
        print(said, flush=True)
        self.assertEqual(running.wait(), 130, said)
        self.assertIn("Stopped by SIGINT", said)
        left = [line for line in said.splitlines() if "left: " in line]
        self.assertIn("stack zone-delegation-trial-networking (DELETE_FAILED)", left[0])
        self.assertEqual({re.sub(r".*left: (\w+) (record set )?.*", r"\1", line) for line in left[1:]}, {"zone"}, left)
        self.assertIn(zone, self.report.read_text())

        code, refused = self.run_to_end("--yes")
        self.assertEqual(code, 1)
        self.assertIn("Add --clean-up", refused)
        change(NETWORKING, zone, "DELETE", *kept)
        self.assertEqual(self.run_to_end("--clean-up")[0], 0)
        self.assertEqual(inventory.difference(before, self.all()), [])


if __name__ == "__main__":
    unittest.main()
