"""Everything that the functions could have created or changed in an account, for a comparison."""

from .world import REGION, client, pages

_KEYS = ["RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"]


def _tags(found):
    return {tag["Key"]: tag["Value"] for tag in found}


def zones(account):
    """Hosted zones by id: name, comment, tags and every record set."""
    route53 = client("route53", account)
    found = {}
    for zone in pages(route53, "list_hosted_zones", "HostedZones"):
        zone_id = zone["Id"].removeprefix("/hostedzone/")
        tags = route53.list_tags_for_resource(ResourceType="hostedzone", ResourceId=zone_id)["ResourceTagSet"]["Tags"]
        found[zone_id] = {
            "name": zone["Name"], "comment": zone["Config"].get("Comment"), "tags": _tags(tags),
            "record sets": {
                (r["Name"], r["Type"]): (r.get("TTL"), [value["Value"] for value in r.get("ResourceRecords", [])])
                for r in pages(route53, "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone_id)}}
    return found


def parameters(account):
    """Parameters by name: type, value, version and tags."""
    ssm = client("ssm", account)
    return {
        p["Name"]: {
            "type": p["Type"], "value": p["Value"], "version": p["Version"],
            "tags": _tags(ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=p["Name"])["TagList"])}
        for p in pages(ssm, "get_parameters_by_path", "Parameters", Path="/", Recursive=True)}


def certificates(account, regions=(REGION, "eu-west-1")):
    """Certificates by ARN: names, status and tags."""
    found = {}
    for region in regions:
        acm = client("acm", account, region)
        for summary in pages(acm, "list_certificates", "CertificateSummaryList", Includes={"keyTypes": _KEYS}):
            arn = summary["CertificateArn"]
            one = acm.describe_certificate(CertificateArn=arn)["Certificate"]
            found[arn] = {"names": one["SubjectAlternativeNames"], "status": one["Status"],
                          "tags": _tags(acm.list_tags_for_certificate(CertificateArn=arn)["Tags"])}
    return found


def of(*accounts):
    """Zones, record sets, parameters and certificates of these accounts."""
    return {account: {"zones": zones(account), "parameters": parameters(account), "certificates": certificates(account)}
            for account in accounts}


def difference(before, now, path=""):
    """The differences between two inventories, one line for each."""
    if isinstance(before, dict) and isinstance(now, dict):
        return [line for key in sorted({*before, *now}, key=str)
                for line in difference(before.get(key), now.get(key), f"{path}/{key}")]
    return [] if before == now else [f"{path}: {before} before, {now} now"]
