"""Runs a function's binary with Lambda's Runtime API and CloudFormation's URL for its answer, on loopback."""

import http.server
import json
import os
import queue
import subprocess
import threading
import time

_PATIENCE = 120


class Function:
    """A running binary. `invoke` sends it one event and returns the result of the invocation."""

    def __init__(self, binary, environment, timeout=900):
        self.timeout, self.log = timeout, []
        self._events, self._results, self.answers = queue.Queue(), queue.Queue(), queue.Queue()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._process = subprocess.Popen(
            [str(binary)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={"PATH": os.environ["PATH"], "AWS_LAMBDA_RUNTIME_API": self.url.removeprefix("http://"),
                 "AWS_LAMBDA_FUNCTION_NAME": binary.parent.name, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
                 "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "RUST_LOG": "info", **environment})
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        self.log.extend(self._process.stdout)

    def invoke(self, event):
        self._events.put(event)
        return self._results.get(timeout=_PATIENCE)

    def close(self):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()
        self._server.shutdown()
        self._server.server_close()


def _handler(function):
    class Handler(http.server.BaseHTTPRequestHandler):
        """The four calls that a function makes here."""

        protocol_version = "HTTP/1.1"

        def do_GET(self):
            event = function._events.get()
            deadline = int((time.time() + function.timeout) * 1000)
            self._reply(200, json.dumps(event).encode(), {
                "Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
                "Lambda-Runtime-Deadline-Ms": str(deadline), "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:f"})

        def do_POST(self):
            function._results.put(json.loads(self._body() or b"null"))
            self._reply(202, b"")

        def do_PUT(self):
            function.answers.put(json.loads(self._body()))
            self._reply(200, b"")

        def _body(self):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))

        def _reply(self, status, body, headers=()):
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **dict(headers)}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass
    return Handler
