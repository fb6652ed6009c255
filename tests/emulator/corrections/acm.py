"""ACM: certificates wait for their validation records, which must be reachable.

Facts restored, with their sources:

- A new certificate is PENDING_VALIDATION, and becomes ISSUED only when DNS has each of its CNAMEs. The package issues at once, so a
  broken delegation would pass every test.
- The record is `_<hex>.NAME CNAME _<hex>.<rand>.acm-validations.aws.`. The same account and name have the same CNAME in every Region,
  and a wildcard shares that of its apex. https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html
- ACM needs some time to issue, usually minutes: here `Settings.issue_seconds`.
- `ResourceRecord` may be absent for some time after RequestCertificate.
- The same IdempotencyToken within an hour returns the same certificate.
- Requests accept fewer key algorithms than imported certificates may have (botocore 1.44.8, `RequestCertificate`).
- ListCertificates returns only RSA_1024 and RSA_2048 unless others are requested.
- A PENDING_VALIDATION certificate has neither IssuedAt nor NotAfter.
- The nearest CAA record set of a name or its ancestors must allow one of Amazon's names, otherwise the certificate is FAILED with
  CAA_ERROR. https://repost.aws/knowledge-center/acm-troubleshoot-caa-errors
"""

import base64
import hashlib
import re
import time

from ministack.core.responses import error_response_json, get_account_id, json_response, now_iso
from ministack.services import acm as service

from . import resolution, seam
from .route53 import name_error, normalized

_REGISTERED = ()
# How long DescribeCertificate returns no ResourceRecord after RequestCertificate.
_RECORDS_AFTER_SECONDS = 1.0
# How long a certificate stays PENDING_VALIDATION after DNS has every record.
_ISSUED_AFTER_SECONDS = 0.0
_REQUESTABLE = frozenset({"RSA_2048", "EC_prime256v1", "EC_secp384r1"})
_BY_DEFAULT = frozenset({"RSA_1024", "RSA_2048"})


def validation_record(account, domain):
    """The CNAME that validates `domain` for `account`: (name, value), both with a final dot."""
    base = domain.removeprefix("*.").rstrip(".").lower()
    digest = hashlib.sha256(f"{account}/{base}".encode()).hexdigest()
    zone = base64.b32encode(bytes.fromhex(digest[48:60])).decode().lower().rstrip("=")
    return f"_{digest[:32]}.{base}.", f"_{digest[16:48]}.{zone}.acm-validations.aws."


_ISSUERS = frozenset({"amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"})
_CAA = re.compile(r'^\d+\s+(issue|issuewild)\s+"?([^";\s]*)')


def _caa_allows(domain):
    """Whether the nearest CAA record set allows Amazon to issue for `domain` (RFC 8659)."""
    labels = domain.removeprefix("*.").rstrip(".").split(".")
    for cut in range(len(labels)):
        found = resolution.lookup(normalized(".".join(labels[cut:])), "CAA", _REGISTERED)
        if found:
            rules = [match.groups() for match in map(_CAA.match, found) if match]
            wild = [issuer for tag, issuer in rules if tag == "issuewild"] if domain.startswith("*.") else []
            issuers = wild or [issuer for tag, issuer in rules if tag == "issue"]
            return not issuers or any(issuer in _ISSUERS for issuer in issuers)
    return True


def _advance(certificate):
    """Issues a waiting certificate when DNS has each of its records, or fails it."""
    if certificate.get("Status") != "PENDING_VALIDATION":
        return
    account = certificate["CertificateArn"].split(":")[4]
    for option in certificate["DomainValidationOptions"]:
        name, value = validation_record(account, option["DomainName"])
        if value in resolution.lookup(normalized(name), "CNAME", _REGISTERED):
            option["ValidationStatus"] = "SUCCESS" if _caa_allows(option["DomainName"]) else "FAILED"
    if any(option["ValidationStatus"] == "FAILED" for option in certificate["DomainValidationOptions"]):
        certificate.update(Status="FAILED", FailureReason="CAA_ERROR")
        return
    seen = all(option["ValidationStatus"] == "SUCCESS" for option in certificate["DomainValidationOptions"])
    now = time.time()
    if seen and now - certificate.setdefault("_seen", now) >= _ISSUED_AFTER_SECONDS:
        certificate.update(Status="ISSUED", IssuedAt=now_iso(), NotBefore=now_iso(),
                           NotAfter=service._future_iso(198 * 24 * 3600))


def _invalid(message):
    return error_response_json("InvalidParameterException", message, 400)


def _request_certificate(data):
    domain = data.get("DomainName", "")
    names = [domain] + [name for name in data.get("SubjectAlternativeNames", []) if name != domain]
    for name in names:
        if not name or name_error(name.removeprefix("*.")) or "*" in name.removeprefix("*.") or len(name) > 253:
            return error_response_json("ValidationException", f"Value {name!r} failed to satisfy constraint", 400)
    if len(domain) > 64:
        return error_response_json("InvalidDomainValidationOptionsException",
                                   "The first domain name can be no longer than 64 characters.", 400)
    if len(names) > 10:
        return error_response_json("LimitExceededException", "You have exceeded the limit of 10 domain names.", 400)
    token, algorithm = data.get("IdempotencyToken"), data.get("KeyAlgorithm", "RSA_2048")
    if token is not None and not re.fullmatch(r"\w{1,32}", token):
        return error_response_json("ValidationException", r"idempotencyToken must match \w{1,32}", 400)
    if algorithm not in _REQUESTABLE:
        return error_response_json("ValidationException", f"{algorithm!r} is not a key algorithm", 400)
    if data.get("ValidationMethod", "DNS") != "DNS":
        return _invalid("This emulator validates by DNS alone.")
    if token is not None:
        for arn, certificate in service._certificates.items():
            if certificate.get("_token") == token and time.time() - certificate["_made"] < 3600:
                return json_response({"CertificateArn": arn})
    arn = service._cert_arn()
    service._certificates[arn] = {
        "CertificateArn": arn,
        "DomainName": domain,
        "SubjectAlternativeNames": names,
        "Status": "PENDING_VALIDATION",
        "Type": "AMAZON_ISSUED",
        "KeyAlgorithm": algorithm,
        "CreatedAt": now_iso(),
        "DomainValidationOptions": [
            {"DomainName": name, "ValidationDomain": name, "ValidationMethod": "DNS",
             "ValidationStatus": "PENDING_VALIDATION"} for name in names],
        "ValidationMethod": "DNS",
        "Tags": data.get("Tags", []),
        "Options": {"CertificateTransparencyLoggingPreference": "ENABLED", "Export": "DISABLED"},
        "InUseBy": [],
        "_token": token,
        "_made": time.time(),
        "_pem_body": service._synthetic_pem(domain),
        "_pem_chain": "",
        "_private_key": "",
    }
    return json_response({"CertificateArn": arn})


def _shape(before):
    def shape(certificate):
        _advance(certificate)
        answer = before(certificate)
        answer.pop("Tags", None)  # only ListTagsForCertificate returns tags
        answer["KeyAlgorithm"] = certificate.get("KeyAlgorithm", "RSA_2048")
        answer["RenewalEligibility"] = "INELIGIBLE"
        if "FailureReason" in certificate:
            answer["FailureReason"] = certificate["FailureReason"]
        if certificate["Status"] != "ISSUED":
            for member in ("IssuedAt", "NotBefore", "NotAfter"):
                answer.pop(member, None)
        account = certificate["CertificateArn"].split(":")[4]
        shown = time.time() - certificate.get("_made", 0) >= _RECORDS_AFTER_SECONDS
        answer["DomainValidationOptions"] = [dict(option) for option in certificate["DomainValidationOptions"]]
        for option in answer["DomainValidationOptions"] if shown else []:
            name, value = validation_record(account, option["DomainName"])
            option["ResourceRecord"] = {"Name": name, "Type": "CNAME", "Value": value}
        return answer
    return shape


def _list_certificates(data):
    wanted = set(data.get("CertificateStatuses") or [])
    kinds = set((data.get("Includes") or {}).get("keyTypes") or _BY_DEFAULT)
    most, start = int(data.get("MaxItems", 100)), int(data.get("NextToken") or 0)
    found = []
    for arn, certificate in sorted(service._certificates.items()):
        _advance(certificate)
        algorithm = certificate.get("KeyAlgorithm", "RSA_2048")
        if algorithm not in kinds or (wanted and certificate["Status"] not in wanted):
            continue
        found.append({
            "CertificateArn": arn, "DomainName": certificate["DomainName"], "Status": certificate["Status"],
            "SubjectAlternativeNameSummaries": certificate.get("SubjectAlternativeNames", []),
            "HasAdditionalSubjectAlternativeNames": False, "Type": certificate.get("Type", "AMAZON_ISSUED"),
            "KeyAlgorithm": algorithm, "InUse": bool(certificate.get("InUseBy")),
            "CreatedAt": service._epoch(certificate["CreatedAt"]),
        })
    answer = {"CertificateSummaryList": found[start:start + most]}
    if len(found) > start + most:
        answer["NextToken"] = str(start + most)
    return json_response(answer)


def _delete_certificate(before):
    def delete(data):
        certificate = service._get_local_certificate(data.get("CertificateArn", ""))
        if certificate and certificate.get("InUseBy"):
            return error_response_json(
                "ResourceInUseException",
                f"Certificate {certificate['CertificateArn']} in account {get_account_id()} is in use.", 400)
        return before(data)
    return delete


def apply(settings):
    """Corrects the service's module."""
    global _REGISTERED, _RECORDS_AFTER_SECONDS, _ISSUED_AFTER_SECONDS
    _REGISTERED = tuple(settings.base_domains)
    _RECORDS_AFTER_SECONDS = settings.insync_seconds
    _ISSUED_AFTER_SECONDS = settings.issue_seconds
    seam.replace(service, "_request_certificate", _request_certificate)
    seam.replace(service, "_cert_shape", _shape(service._cert_shape))
    seam.replace(service, "_list_certificates", _list_certificates)
    seam.replace(service, "_delete_certificate", _delete_certificate(service._delete_certificate))
