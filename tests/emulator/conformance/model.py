"""Checks a request against AWS's own service models.

The models and the serializers are botocore's, which is an independent client. The request on the wire is parsed into the parameters of
an operation, these are validated against the model, and botocore serializes them again. Both must be the same on the wire.
"""

import json
import re
import urllib.parse
from xml.etree import ElementTree

import botocore.session
from botocore.serialize import create_serializer
from botocore.validate import ParamValidator

_SESSION = botocore.session.get_session()
_SERVICES = ("acm", "route53", "ssm", "stepfunctions", "sts")
_MODELS = {name: _SESSION.get_service_model(name) for name in _SERVICES}
# Not in the models of the pinned botocore, which the emulator pins: botocore 1.44.8 has them.
NEWER_THAN_THE_MODEL = {"ListResourceRecordSetProtections": ("GET", re.compile(r"/2013-04-01/hostedzone/[^/]+/rrsetprotection"))}
NEWER_PARAMETERS = {("ListCertificates", "RootHierarchyTypes")}


class Unknown(Exception):
    """No operation of the models has such a request."""


def operation_of(exchange):
    """The service's and the operation's name, and its model (None for those that are newer)."""
    if target := exchange.header("x-amz-target"):
        prefix, _, name = target.partition(".")
        for service, model in _MODELS.items():
            if model.metadata.get("targetPrefix") == prefix:
                return service, name, model.operation_model(name)
    path, _, query = exchange.target.partition("?")
    if path == "/" and exchange.method == "POST":
        (name,) = urllib.parse.parse_qs(exchange.body.decode())["Action"]
        return "sts", name, _MODELS["sts"].operation_model(name)
    for name, (method, pattern) in NEWER_THAN_THE_MODEL.items():
        if exchange.method == method and pattern.fullmatch(path):
            return "route53", name, None
    names = set(urllib.parse.parse_qs(query, keep_blank_values=True))
    fitting = []
    for name in _MODELS["route53"].operation_names:
        operation = _MODELS["route53"].operation_model(name)
        uri, _, fixed = operation.http["requestUri"].partition("?")
        if operation.http["method"] == exchange.method and set(filter(None, fixed.split("&"))) <= names \
                and _labels(uri, path) is not None:
            fitting.append(operation)
    if len(fitting) != 1:
        raise Unknown(f"{exchange.method} {exchange.target}")
    return "route53", fitting[0].name, fitting[0]


def _labels(uri, path):
    """The labels of a path by name, or None. Route 53 accepts a path with and without its last slash, and the models of the SDKs
    differ in that."""
    found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", uri.rstrip("/")), path.rstrip("/"))
    return found and found.groupdict()


def parameters_of(exchange, operation):
    """The operation's parameters, parsed from the wire."""
    protocol = operation.service_model.metadata["protocol"]
    if protocol == "json":
        return json.loads(exchange.body)
    if protocol == "query":
        return _from_query(dict(urllib.parse.parse_qsl(exchange.body.decode(), keep_blank_values=True)), operation)
    return _from_rest(exchange, operation)


def _from_query(fields, operation):
    if fields.pop("Action") != operation.name or fields.pop("Version") != operation.service_model.api_version:
        raise Unknown(f"{fields}")
    shapes = operation.input_shape.members
    return {name: _scalar(shapes[name], value) if name in shapes else value for name, value in fields.items()}


def _from_rest(exchange, operation):
    path, _, query = exchange.target.partition("?")
    uri, _, fixed = operation.http["requestUri"].partition("?")
    labels = _labels(uri, path)
    queried = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
    for one in filter(None, fixed.split("&")):
        queried.pop(one)
    found, root = {}, ElementTree.fromstring(exchange.body) if exchange.body else None
    for name, shape in operation.input_shape.members.items() if operation.input_shape else ():
        location, wire = shape.serialization.get("location"), shape.serialization.get("name", name)
        if location == "uri":
            found[name] = _scalar(shape, urllib.parse.unquote(labels.pop(wire)))
        elif location == "querystring":
            if wire in queried:
                found[name] = _scalar(shape, queried.pop(wire))
        elif root is not None and (element := _child(root, wire)) is not None:
            found[name] = _from_xml(element, shape)
    if labels or queried:
        raise Unknown(f"{exchange.method} {exchange.target}: {labels or queried}")
    return found


def _child(element, name):
    return next((one for one in element if one.tag.rpartition("}")[2] == name), None)


def _from_xml(element, shape):
    if shape.type_name == "structure":
        by_wire = {member.serialization.get("name", name): (name, member) for name, member in shape.members.items()}
        # An element that the model does not have becomes an unknown parameter.
        return {by_wire.get(tag, (tag, None))[0]: _from_xml(one, by_wire[tag][1]) if tag in by_wire else one.text
                for one in element for tag in [one.tag.rpartition("}")[2]]}
    if shape.type_name == "list":
        return [_from_xml(one, shape.member) for one in element]
    return _scalar(shape, element.text or "")


def _scalar(shape, text):
    if shape.type_name in ("integer", "long"):
        return int(text)
    return text == "true" if shape.type_name == "boolean" else text


def faults(exchange):
    """What is wrong with a request according to the model: unknown, missing and invalid parameters, and
    another form on the wire."""
    service, name, operation = operation_of(exchange)
    if operation is None:
        return []
    parameters = parameters_of(exchange, operation)
    if any((name, one) in NEWER_PARAMETERS for one in parameters):
        return []
    report = ParamValidator().validate(parameters, operation.input_shape) if operation.input_shape else None
    found = [f"{service} {name}: {report.generate_report()}"] if report and report.has_errors() else []
    found += [f"{service} {name}: {one}" for one in _constraints(operation.input_shape, parameters, "")]
    if not found:
        serializer = create_serializer(operation.service_model.metadata["protocol"], include_validation=False)
        found = [f"{service} {name}: {one}" for one in _differences(exchange, serializer.serialize_to_request(parameters, operation))]
    return found


def _constraints(shape, value, path):
    """Enumerations, patterns and most lengths, which botocore leaves to the service."""
    if shape is None:
        return
    rules = shape.metadata
    if shape.type_name == "structure":
        for name, one in value.items():
            yield from _constraints(shape.members.get(name), one, f"{path}.{name}")
    elif shape.type_name == "list":
        if len(value) > rules.get("max", len(value)):
            yield f"{path} has {len(value)} members"
        for one in value:
            yield from _constraints(shape.member, one, f"{path}[]")
    elif shape.type_name == "string":
        if getattr(shape, "enum", None) and value not in shape.enum:
            yield f"{path} is {value!r}, not one of {shape.enum}"
        if len(value) > rules.get("max", len(value)):
            yield f"{path} is {value!r}, longer than {rules['max']}"
        if (pattern := _python(rules.get("pattern"))) and not re.search(pattern, value):
            yield f"{path} is {value!r}, which does not match {pattern}"


def _python(pattern):
    """A pattern of a model in Python, without Java's POSIX and Unicode classes, none of which is used
    here."""
    return None if pattern is None or "\\p{" in pattern or "[:" in pattern else pattern


def _differences(exchange, wire):
    """Where the wire differs from what botocore writes."""
    query = "&".join(f"{urllib.parse.quote(str(k), safe='')}={urllib.parse.quote(str(v), safe='')}" for k, v in dict(wire["query_string"] or {}).items())
    path, _, asked = exchange.target.partition("?")
    wanted, _, fixed = wire["url_path"].partition("?")
    pairs = [("method", exchange.method, wire["method"]), ("path", *(urllib.parse.unquote(one).rstrip("/") for one in (path, wanted))),
             ("query", _fields(asked), _fields("&".join(filter(None, (fixed, query)))))]
    body = wire["body"]
    if isinstance(body, dict):
        pairs.append(("body", _fields(exchange.body.decode()), {k: [str(v)] for k, v in body.items()}))
    elif exchange.header("x-amz-target"):
        pairs += [("body", json.loads(exchange.body), json.loads(body)),
                  ("content type", exchange.header("content-type"), wire["headers"]["Content-Type"])]
    else:
        pairs.append(("body", _canonical(exchange.body), _canonical(body)))
    return [f"the {what} is {found!r}, botocore's {expected!r}" for what, found, expected in pairs if found != expected]


def _fields(text):
    return urllib.parse.parse_qs(text, keep_blank_values=True)


def _canonical(body):
    """The elements of a body. Those of a structure may have any order."""
    def tree(element):
        return element.tag, (element.text or "").strip(), sorted(map(tree, element))
    return tree(ElementTree.fromstring(body)) if body else None
