"""A minimal client of Lambda's Runtime API for Python. The managed runtime does more before its first
request."""

import http.client
import json
import os
import types

ROOT = "/2018-06-01/runtime/invocation/"

# The managed runtime loads the handler before it requests an invocation.
from handler import handler

while True:
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    api.request("GET", ROOT + "next")
    answer = api.getresponse()
    request_id = answer.headers["Lambda-Runtime-Aws-Request-Id"]
    handler(json.loads(answer.read()), types.SimpleNamespace(log_stream_name="bench"))
    api.request("POST", f"{ROOT}{request_id}/response", "null")
    api.getresponse().read()
