"""`cargo xtask aws` in Python: shows the plan, runs the trial, or deletes what an earlier one left.

It ends with 0 if all steps passed and nothing is left, with 130 after Ctrl-C, and with 1 otherwise.
"""

import argparse
import fcntl
import os
import pathlib
import secrets
import signal
import sys
import time

import botocore

from . import accounts, clean_up, plan
from .report import Report
from .steps import Trial


class Interrupted(BaseException):
    """The user has stopped the trial."""


def say(text):
    print(text, flush=True)


def _hint(text):
    say(f"        {text}")


def _arguments():
    parser = argparse.ArgumentParser(prog="cargo xtask aws")
    parser.add_argument("command", choices=("plan", "run", "clean-up"))
    for name in ("networking-profile", "consumer-profile", "base-zone"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--region")
    parser.add_argument("--functions", type=pathlib.Path)
    parser.add_argument("--architecture")
    parser.add_argument("--revision", default="unknown")
    parser.add_argument("--report", type=pathlib.Path)
    parser.add_argument("--lock", type=pathlib.Path)
    return parser.parse_args()


def _locked(path):
    """Whether this process has the lock of `cargo xtask aws`, which it keeps until its end."""
    try:
        fcntl.flock(os.open(path, os.O_RDWR | os.O_CREAT), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _interrupt(number, _frame):
    raise Interrupted(signal.Signals(number).name)


def _end_at_once(number, _frame):
    say("\nStopped at once. Add --clean-up to the same command to delete what is left.")
    os._exit(130)


def _on_signals(handler):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handler)


def _clean_up(world, stacks, report=None):
    """Deletes everything, and prints and returns what is left. A second signal ends it."""
    _on_signals(_end_at_once)
    say("  Deleting everything that was created; Ctrl-C again ends this at once.")
    began = time.monotonic()
    left = clean_up.run(world, stacks, _hint)
    if report:
        report.step("Everything deleted", time.monotonic() - began, "nothing is left" if not left else f"left: {len(left)}")
        report.left(left)
    for one in left:
        say(f"    left: {one}")
    say(f"  {'✗' if left else '✓'} Everything deleted in {time.monotonic() - began:.0f} s: {'see above' if left else 'nothing is left'}")
    return left


def _run(world, arguments):
    external_id = secrets.token_hex(16)
    report = Report(arguments.report, world, [external_id])
    report.line(f"zone-delegation {arguments.revision}, {arguments.architecture}, botocore {botocore.__version__}")
    stacks, interrupted = clean_up.all_stacks(world), None
    trial = Trial(world, stacks, arguments.functions, arguments.architecture, external_id, report, _hint)
    name, began = "", time.monotonic()
    try:
        for number, (name, work) in enumerate(trial.steps(), 1):
            say(f"  [{number}/{len(trial.steps()) + 1}] {name}")
            began = time.monotonic()
            said = work()
            report.step(name, time.monotonic() - began, said)
            say(f"    ✓ {time.monotonic() - began:.0f} s: {said}")
    except Interrupted as signalled:
        interrupted = str(signalled)
        report.failed(name, time.monotonic() - began, f"stopped by {interrupted}")
        say(f"\n  Stopped by {interrupted}.")
    except Exception as failure:  # noqa: BLE001 - whatever the failure is, everything that was created has to be deleted
        report.failed(name, time.monotonic() - began, f"{type(failure).__name__}: {failure}")
        say(f"    ✗ {type(failure).__name__}: {failure}")
    left = _clean_up(world, stacks, report)
    say(f"\n  The report: {report.path}")
    if interrupted:
        return 130
    return 1 if left or report.failures else 0


def main():
    arguments = _arguments()
    _on_signals(_interrupt)
    try:
        world = accounts.opened(arguments.networking_profile, arguments.consumer_profile, arguments.base_zone, arguments.region)
        if arguments.command == "plan":
            say(plan.text(world))
            return 0
        if not _locked(arguments.lock):
            raise accounts.Problem("Another trial of this checkout runs. Wait until it ends, or stop it.")
        if arguments.command == "clean-up":
            return 1 if _clean_up(world, clean_up.all_stacks(world)) else 0
        return _run(world, arguments)
    except accounts.Problem as problem:
        sys.exit(f"\n{problem}")
    except Interrupted:
        return 130


if __name__ == "__main__":
    sys.exit(main())
