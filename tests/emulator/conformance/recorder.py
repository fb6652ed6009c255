"""A proxy between the functions and an implementation of AWS that records every request with its answer."""

import http.client
import http.server
import threading
import urllib.parse
from dataclasses import dataclass


@dataclass(frozen=True)
class Exchange:
    """A request on the wire, and its answer."""

    method: str
    target: str
    headers: tuple
    body: bytes
    status: int
    answer: bytes

    def header(self, name):
        """The value of a header, or None."""
        return next((value for found, value in self.headers if found.lower() == name.lower()), None)


class Recorder:
    """A proxy on loopback. The functions use `url` as AWS's endpoint."""

    def __init__(self, backend):
        self.exchanges = []
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, urllib.parse.urlsplit(backend).netloc))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self):
        self._server.shutdown()
        self._server.server_close()


def _handler(recorder, backend):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            onward = http.client.HTTPConnection(backend, timeout=60)
            onward.request(self.command, self.path, body, dict(self.headers.items()))
            reply = onward.getresponse()
            answer = reply.read()
            onward.close()
            recorder.exchanges.append(Exchange(
                self.command, self.path, tuple(self.headers.items()), body, reply.status, answer))
            self.send_response(reply.status)
            for name, value in reply.getheaders():
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PUT = do_DELETE = _serve

        def log_message(self, *_):
            pass
    return Handler
