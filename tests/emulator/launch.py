#!/usr/bin/env python3
"""Starts the pinned ministack with corrections for what differs from AWS.

It listens on loopback only, enforces IAM, and runs in the foreground until it gets SIGTERM. `corrections/` names each correction and its
reason.
"""

import argparse
import importlib.metadata
import os
import signal
import sys
import threading
from dataclasses import dataclass

VERSION = "1.5.33"


@dataclass(frozen=True)
class Settings:
    """The settings of a run of the emulator."""

    # (domain, account id): the registry delegates the domain to the account's oldest public zone of that
    # name.
    base_domains: tuple
    # The organization of all accounts, `o-...`, or None.
    organization: str | None
    # How long a Route 53 change is PENDING, and how long a new certificate has no records.
    insync_seconds: float
    # How long ACM needs to issue a certificate after DNS has its records.
    issue_seconds: float
    # How long Lambda waits before it repeats a failed asynchronous invocation (AWS: one minute, then two).
    retry_seconds: float


def _base_domain(text):
    domain, _, account = text.partition("=")
    if not domain or len(account) != 12 or not account.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not DOMAIN=ACCOUNT with an account id of 12 digits")
    return domain, account


def _arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--base-domain", type=_base_domain, action="append", default=[], metavar="DOMAIN=ACCOUNT",
                        help="a domain that the registry delegates to this account's zone of that name; repeatable")
    parser.add_argument("--organization", default=None, help="id of the organization of all accounts")
    parser.add_argument("--insync-seconds", type=float, default=1.0, help="how long a Route 53 change is PENDING")
    parser.add_argument("--issue-seconds", type=float, default=0.0,
                        help="how long ACM needs to issue after DNS has a certificate's records")
    parser.add_argument("--retry-seconds", type=float, default=2.0,
                        help="pause before Lambda repeats a failed asynchronous invocation")
    parser.add_argument("--node-modules", default=None, metavar="FOLDER",
                        help="what Lambda's Node.js runtime brings: the AWS SDK")
    parser.add_argument("--with-parent", action="store_true",
                        help="end, with all that it started, once standard input closes")
    return parser.parse_args()


def _end_with_parent():
    """Creates a process group of its own, which is killed as a whole when standard input is closed."""
    if os.getpgrp() != os.getpid():
        os.setpgrp()

    def watch():
        while sys.stdin.buffer.read(4096):
            pass
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def _environment(port):
    """Settings that ministack reads when it is imported."""
    os.environ.update({
        "GATEWAY_PORT": str(port),
        # Only loopback: the emulator treats every caller with a 12-digit access key as root.
        "BIND_HOST": "127.0.0.1", "SFTP_HOST": "127.0.0.1", "SFTP_ENABLED": "0", "IOT_MTLS_ENABLED": "0",
        "MINISTACK_HOST": "127.0.0.1",
        "AUTH": "true",
        # The endpoint that the functions call.
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        # The package treats its own key as a root key. Every caller's key here is its account id.
        "AWS_ACCESS_KEY_ID": "000000000000", "AWS_SECRET_ACCESS_KEY": "test",
    })
    os.environ.setdefault("MINISTACK_REGION", "us-east-1")
    os.environ.pop("AWS_SESSION_TOKEN", None)


def main():
    arguments = _arguments()
    try:
        found = importlib.metadata.version("ministack")
    except importlib.metadata.PackageNotFoundError:
        found = "none"
    if found != VERSION:
        sys.exit(f"The corrections are written for ministack {VERSION}, and this Python has {found}: "
                 "install tests/emulator/requirements.txt.")
    if arguments.with_parent:
        _end_with_parent()
    _environment(arguments.port)
    if arguments.node_modules:
        os.environ["NODE_PATH"] = arguments.node_modules

    import ministack.app

    import corrections

    corrections.apply(Settings(
        base_domains=tuple(arguments.base_domain), organization=arguments.organization,
        insync_seconds=arguments.insync_seconds, issue_seconds=arguments.issue_seconds,
        retry_seconds=arguments.retry_seconds))
    sys.argv = sys.argv[:1]
    ministack.app.main()


if __name__ == "__main__":
    main()
