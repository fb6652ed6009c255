"""IAM and STS: conditions, resources and principals as AWS evaluates them.

Facts restored, with their sources:

- The condition keys of `route53:ChangeResourceRecordSets`, all multi-valued: normalized names (lowercase, no final dot, octal escapes),
  record types, and actions in upper case. The package does not know them, so `Null: false` on one denies every change and the
  contract's policy could not be tested.
  https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-conditions-route53.html
- `ssm:GetParameters` and `ssm:DeleteParameters` are checked with the ARN of each name, and `ssm:GetParametersByPath` with that of the
  path. The package checks `*`.
  https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html
- `route53:GetChange` is checked with the change's ARN.
  https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonroute53.html
- Tags in PutParameter need `ssm:AddTagsToResource`, in RequestCertificate `acm:AddTagsToCertificate`.
  https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
- `aws:PrincipalArn` of a role session is the role's ARN, not the session's. All accounts of the organization have the same
  `aws:PrincipalOrgID`. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
- `acm:ValidationMethod` of `acm:RequestCertificate` is the requested method.
  https://docs.aws.amazon.com/acm/latest/userguide/acm-conditions.html
- `aws:ResourceTag` of a certificate is the certificate's tag.
  https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscertificatemanager.html
- A denial names the resource and has a request id. Route 53's has its own envelope, in which the SDKs find the error code.
"""

import json

from ministack.core import iam_actions, iam_evaluator
from ministack.services import acm, tagging
from ministack.services import iam as service

from . import route53, route53_marks, seam

_ORGANIZATION = None
_NAMES = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
_TYPES = "route53:ChangeResourceRecordSetsRecordTypes"
_ACTIONS = "route53:ChangeResourceRecordSetsActions"


class Checks(str):
    """A resource ARN for which several checks are made. As a string it is the ARN of the first one."""

    def __new__(cls, checks):
        made = super().__new__(cls, checks[0][1])
        made.checks, made.denied = checks, None
        return made


def _json(body):
    try:
        data = json.loads(body or b"{}")
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _parameter_arn(name, region, account):
    if str(name).startswith("arn:"):
        return str(name)
    return f"arn:aws:ssm:{region}:{account}:parameter/{str(name).lstrip('/')}"


def _resource_arn(before):
    def resource_arn(service_name, method, path, headers, body, query, region, account):
        found = before(service_name, method, path, headers, body, query, region, account)
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if service_name == "ssm" and action in ("GetParameters", "DeleteParameters"):
            arns = [_parameter_arn(name, region, account) for name in _json(body).get("Names") or []]
            return Checks([(f"ssm:{action}", arn) for arn in arns]) if arns else found
        if service_name == "ssm" and action == "GetParametersByPath":
            return _parameter_arn(_json(body).get("Path", "/"), region, account)
        if service_name == "ssm" and action == "PutParameter" and _json(body).get("Tags"):
            return Checks([("ssm:PutParameter", found), ("ssm:AddTagsToResource", found)])
        if service_name == "acm" and action == "RequestCertificate" and _json(body).get("Tags"):
            # The certificate has no id yet:
            # https://docs.aws.amazon.com/acm/latest/userguide/security_iam_troubleshoot.html
            new = f"arn:aws:acm:{region}:{account}:certificate/*"
            return Checks([("acm:RequestCertificate", found), ("acm:AddTagsToCertificate", new)])
        if service_name == "route53" and (zone_ids := route53_marks.tagged_zones(path, body)):
            return Checks([("route53:ListTagsForResources", f"arn:aws:route53:::hostedzone/{i}") for i in zone_ids])
        if service_name == "route53" and "/change/" in path:
            return f"arn:aws:route53:::change/{path.rpartition('/')[2]}"
        return found
    return resource_arn


def _iam_action(before):
    def action(service_name, method, path, headers, body, query):
        if service_name == "route53" and (operation := route53_marks.operation_of(method, path)):
            return f"route53:{operation}"
        return before(service_name, method, path, headers, body, query)
    return action


def _context(before):
    """The request's condition keys: here those of a change of record sets and of a certificate request."""
    def context(service_name, action, body, params):
        keys = before(service_name, action, body, params)
        if action == "route53:ChangeResourceRecordSets":
            try:
                changes, _ = route53.changes_in(body)
            except route53.Refused:
                return keys
            keys[_NAMES] = sorted({record["Name"].rstrip(".") for _, record in changes})
            keys[_TYPES] = sorted({record["Type"] for _, record in changes})
            keys[_ACTIONS] = sorted({verb.upper() for verb, _ in changes})
        if action == "acm:RequestCertificate" and (method := _json(body).get("ValidationMethod")):
            keys["acm:ValidationMethod"] = method
        return keys
    return context


def _enforce(before):
    def enforce(access_key, action, service_name, region, resource_arn="*", service_context=None):
        if not isinstance(resource_arn, Checks):
            return before(access_key, action, service_name, region, resource_arn=resource_arn,
                          service_context=service_context)
        for checked, arn in resource_arn.checks:
            denied = before(access_key, checked, service_name, region, resource_arn=str(arn),
                            service_context=service_context)
            if denied:
                resource_arn.denied = (checked, str(arn))
                return denied
        return None
    return enforce


_RESOURCE_NAMED = frozenset({"route53", "acm", "sts", "states", "ssm"})


def _denial(before):
    def denial(service_name, action, principal_arn, request_id, *, error_code="", message="", headers=None,
               resource_arn="*", explicit_deny=False, resource_policy_arn=""):
        if isinstance(resource_arn, Checks) and resource_arn.denied:
            action, resource_arn = resource_arn.denied
        if service_name in _RESOURCE_NAMED and not error_code and not message:
            message = iam_actions.identity_denial_message(action, principal_arn, str(resource_arn), explicit_deny)
        status, reply_headers, body = before(
            service_name, action, principal_arn, request_id, error_code=error_code, message=message, headers=headers,
            resource_arn=str(resource_arn), explicit_deny=explicit_deny, resource_policy_arn=resource_policy_arn)
        if service_name == "route53":
            inner = body.decode().partition("<Error>")[2].partition("<RequestId>")[0]
            body = (f'<?xml version="1.0" encoding="UTF-8"?>\n<ErrorResponse xmlns="{route53.service.NS}">'
                    f"<Error><Type>Sender</Type>{inner}</Error><RequestId>{request_id}</RequestId></ErrorResponse>").encode()
            reply_headers = {"Content-Type": "text/xml"}
        # Services with JSON have the request id here.
        reply_headers.setdefault("x-amzn-RequestId", request_id)
        return status, reply_headers, body
    return denial


def _role_arn(session_arn):
    """The ARN of the role behind `arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION`, with its path."""
    account, name = session_arn.split(":")[4], session_arn.split("/")[1]
    role = service._roles.get_scoped(account, None, name) or {}
    return role.get("Arn") or f"arn:aws:iam::{account}:role/{name}"


def _condition_key(before):
    def value(key, context):
        wanted = key.lower()
        if wanted == "aws:principalarn" and ":assumed-role/" in context.principal_arn:
            return _role_arn(context.principal_arn)
        if wanted == "aws:principalorgpaths":
            return [f"{_ORGANIZATION}/r-root/"] if _ORGANIZATION else None
        return before(key, context)
    return value


def _certificate_tags():
    return [(arn, certificate.get("Tags", [])) for arn, certificate in acm._certificates.items()]


def apply(settings):
    """Corrects the evaluator, and what the dispatcher passes to it."""
    global _ORGANIZATION
    _ORGANIZATION = settings.organization
    seam.replace(iam_actions, "extract_resource_arn", _resource_arn(iam_actions.extract_resource_arn))
    seam.replace(iam_actions, "extract_iam_action", _iam_action(iam_actions.extract_iam_action))
    seam.replace(iam_actions, "request_tag_context", _context(iam_actions.request_tag_context))
    seam.replace(iam_actions, "access_denied_response", _denial(iam_actions.access_denied_response))
    seam.replace(iam_evaluator, "enforce", _enforce(iam_evaluator.enforce))
    seam.replace(iam_evaluator, "_resolve_condition_key", _condition_key(iam_evaluator._resolve_condition_key))
    seam.replace(iam_evaluator, "_principal_org_id", lambda _account: _ORGANIZATION)
    tagging._RESOURCE_TAG_COLLECTORS["acm"] = _certificate_tags
