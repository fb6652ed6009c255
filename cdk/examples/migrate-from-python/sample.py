"""A custom resource as many projects have it: it reads the parent's id from Parameter Store in another account, creates the zone, and
writes its name servers to the parent with UPSERT."""

import json
import os
import urllib.request

import boto3


def network(properties):
    given = boto3.client("sts").assume_role(RoleArn=properties["Role"], RoleSessionName="sample")["Credentials"]
    session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], os.environ["AWS_REGION"])
    ssm, route53 = session.client("ssm"), session.client("route53")
    return ssm.get_parameter(Name=properties["Parameter"])["Parameter"]["Value"], route53


def record(action, properties, servers):
    zone, route53 = network(properties)
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": {
        "Name": properties["Name"], "Type": "NS", "TTL": 3600, "ResourceRecords": [{"Value": one} for one in servers]}}]})


def handler(event, context):
    own, properties = boto3.client("route53"), event["ResourceProperties"]
    answer = {"Status": "SUCCESS", "PhysicalResourceId": event.get("PhysicalResourceId", "none")}
    try:
        if event["RequestType"] == "Create":
            made = own.create_hosted_zone(Name=properties["Name"], CallerReference=event["RequestId"])
            record("UPSERT", properties, made["DelegationSet"]["NameServers"])
            answer["PhysicalResourceId"] = made["HostedZone"]["Id"].split("/")[-1]
        elif event["RequestType"] == "Delete":
            zone = own.get_hosted_zone(Id=answer["PhysicalResourceId"])
            record("DELETE", properties, zone["DelegationSet"]["NameServers"])
            own.delete_hosted_zone(Id=answer["PhysicalResourceId"])
    except Exception as failure:
        answer.update(Status="FAILED", Reason=str(failure))
    answer.update({key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")})
    put = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT", headers={"Content-Type": ""})
    urllib.request.urlopen(put).read()
