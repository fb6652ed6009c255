"""The launcher runs the version that it was written for, and on loopback alone."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import urllib.parse

from .emulator import HERE, Check, running


class Launch(unittest.TestCase):
    def test_another_version_is_refused_in_one_sentence(self):
        with tempfile.TemporaryDirectory() as folder:
            info = pathlib.Path(folder, "ministack-9.9.9.dist-info")
            info.mkdir()
            (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ministack\nVersion: 9.9.9\n")
            ended = subprocess.run([sys.executable, str(HERE / "launch.py"), "--port", "1"], capture_output=True,
                                   text=True, timeout=60, env={**os.environ, "PYTHONPATH": folder}, check=False)
        self.assertEqual(ended.returncode, 1)
        self.assertEqual(ended.stderr.strip(),
                         "The corrections are written for ministack 1.5.33, and this Python has 9.9.9: "
                         "install tests/emulator/requirements.txt.")


class Listeners(Check):
    def test_it_listens_on_loopback_alone(self):
        port = urllib.parse.urlsplit(running().endpoint).port
        table = pathlib.Path("/proc/net/tcp")
        if not table.exists():
            self.assertIn("127.0.0.1", running().endpoint)
            return
        listening = {(local.split(":")[0], int(local.split(":")[1], 16))
                     for _, local, _, state, *_ in map(str.split, table.read_text().splitlines()[1:]) if state == "0A"}
        self.assertEqual({address for address, at in listening if at == port}, {"0100007F"})
