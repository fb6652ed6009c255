"""Checks Signature Version 4: botocore computes it again from the request on the wire."""

import re
from xml.etree import ElementTree

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

_AUTHORIZATION = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?SignedHeaders=([\w;-]+), ?Signature=([0-9a-f]{64})")
# The headers that a signature has to cover at least.
_SIGNED = {"host", "x-amz-date"}


def secrets_in(exchange):
    """The keys in an answer of AssumeRole: (secret, session token) by access key."""
    if b"<SecretAccessKey>" not in exchange.answer:
        return {}
    found = {one.tag.rpartition("}")[2]: one.text for one in ElementTree.fromstring(exchange.answer).iter()}
    return {found["AccessKeyId"]: (found["SecretAccessKey"], found["SessionToken"])}


def fault(exchange, secrets):
    """What is wrong with the signature, or None. `secrets` are (secret, session token) by access key."""
    given = _AUTHORIZATION.fullmatch(exchange.header("authorization") or "")
    if given is None:
        return f"Authorization is {exchange.header('authorization')!r}"
    key, day, region, service, signed, signature = given.groups()
    secret, token = secrets[key]
    signed = set(signed.split(";"))
    needed = _SIGNED | {name.lower() for name, _ in exchange.headers if name.lower().startswith("x-amz-")}
    if not needed <= signed:
        return f"{sorted(needed - signed)} are not signed"
    if exchange.header("x-amz-security-token") != token:
        return "the session token is not the key's"
    auth = SigV4Auth(Credentials(key, secret, token), service, region)
    request = AWSRequest(exchange.method, f"http://{exchange.header('host')}{exchange.target}", data=exchange.body)
    request.context["timestamp"] = exchange.header("x-amz-date")
    if exchange.header("x-amz-date")[:8] != day:
        return "the date is not the credential scope's"
    request.headers = HTTPHeaders()
    for name, value in exchange.headers:
        if name.lower() in signed:
            request.headers[name] = value
    canonical = auth.canonical_request(request)
    expected = auth.signature(auth.string_to_sign(request, canonical), request)
    return None if signature == expected else f"the signature is {signature}, botocore's is {expected} of {canonical!r}"
