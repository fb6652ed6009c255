"""Queries a name over DNS continuously, and keeps every unexpected answer."""

import socket
import struct
import threading

_A = 1
SOA = 6
_PATIENCE = 3.0


def ask(server, name, kind=_A):
    """(response code, whether authoritative, number of records) of one query over UDP, or None if there was
    no answer."""
    question = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    query = struct.pack("!6H", 1, 0, 1, 0, 0, 0) + question + struct.pack("!2H", kind, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.settimeout(_PATIENCE)
        channel.connect(server)
        channel.send(query)
        try:
            reply = channel.recv(4096)
        except OSError:
            return None
    _, flags, _, answers, _, _ = struct.unpack("!6H", reply[:12])
    return flags & 0xF, bool(flags & 0x400), answers


def answers(server, name, kind=_A):
    """Whether the chain of name servers from the registered domain leads to the name's record, with
    authority."""
    return ask(server, name, kind) == (0, True, 1)


class Watch:
    """Queries `server` for the name's record continuously, until the end of the block."""

    def __init__(self, server, name, kind=_A):
        self.asked, self.failed = 0, []
        self._server, self._name, self._kind, self._ended = server, name, kind, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()

    def _run(self):
        # A gap lasts until a change is INSYNC, which takes a second, so none is missed between two queries.
        while not self._ended.wait(0.01):
            self.asked += 1
            if not answers(self._server, self._name, self._kind):
                self.failed.append(self.asked)
