"""The function of a custom resource whose answers a check scripts."""

import http.server
import json
import threading

# Runs in the emulator, on its Python runtime: gets the answer from the check, and PUTs it.
SOURCE = """
import json, os, urllib.request

def handler(event, context):
    ask = urllib.request.Request(os.environ["CHECK"], json.dumps(event).encode(), method="POST")
    told = json.loads(urllib.request.urlopen(ask, timeout=30).read())
    if "raise" in told:
        raise RuntimeError(told["raise"])
    if told.get("silent"):
        return
    body = json.dumps({"StackId": event["StackId"], "RequestId": event["RequestId"],
                       "LogicalResourceId": event["LogicalResourceId"], **told["answer"]}).encode()
    put = urllib.request.Request(event["ResponseURL"], body, method="PUT", headers=told.get("headers") or {"Content-Type": ""})
    try:
        urllib.request.urlopen(put, timeout=30).read()
    except urllib.error.HTTPError as refused:
        ask = urllib.request.Request(os.environ["CHECK"], json.dumps({"Refused": refused.code}).encode(), method="POST")
        urllib.request.urlopen(ask, timeout=30).read()
"""


class Script:
    """The script of the function. `answers` maps an event to `{"answer": …}`. `seen` has the events."""

    def __init__(self, answers):
        self.seen = []
        script = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802 - the base class's name
                event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                script.seen.append(event)
                told = json.dumps(answers(event) if "RequestType" in event else {}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        """Ends the server."""
        self._server.shutdown()
        self._server.server_close()

    def requests(self):
        """The requests seen, as (type, physical id)."""
        return [(e["RequestType"], e.get("PhysicalResourceId")) for e in self.seen if "RequestType" in e]


def function_resources(url):
    """The function and its role, as resources of a template; the function is `Function`."""
    return {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {
            "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                                                    "Principal": {"Service": "lambda.amazonaws.com"}}]}}},
        "Function": {"Type": "AWS::Lambda::Function", "Properties": {
            "Runtime": "python3.12", "Handler": "index.handler", "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Timeout": 60, "Environment": {"Variables": {"CHECK": url}}, "Code": {"ZipFile": SOURCE}}},
    }
