"""A custom resource as teams write it today: boto3, cfnresponse, and the calls one after another."""

import uuid

import boto3
import cfnresponse

route53 = boto3.client("route53")
sts = boto3.client("sts")


def parent_client(role_arn):
    credentials = sts.assume_role(RoleArn=role_arn, RoleSessionName="delegation")["Credentials"]
    return boto3.client(
        "route53",
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def change(client, action, properties, servers):
    record_set = {
        "Name": properties["DomainName"],
        "Type": "NS",
        "TTL": 900,
        "ResourceRecords": [{"Value": server} for server in servers],
    }
    answer = client.change_resource_record_sets(
        HostedZoneId=properties["ParentHostedZoneId"],
        ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": record_set}]},
    )
    client.get_waiter("resource_record_sets_changed").wait(Id=answer["ChangeInfo"]["Id"])


def create(properties):
    zone = route53.create_hosted_zone(Name=properties["DomainName"], CallerReference=str(uuid.uuid4()))
    servers = zone["DelegationSet"]["NameServers"]
    change(parent_client(properties["NetworkRoleArn"]), "UPSERT", properties, servers)
    return zone["HostedZone"]["Id"], servers


def delete(zone_id, properties):
    servers = route53.get_hosted_zone(Id=zone_id)["DelegationSet"]["NameServers"]
    change(parent_client(properties["NetworkRoleArn"]), "DELETE", properties, servers)
    route53.delete_hosted_zone(Id=zone_id)


def handler(event, context):
    physical_id = event.get("PhysicalResourceId")
    try:
        data = {}
        if event["RequestType"] == "Create":
            physical_id, servers = create(event["ResourceProperties"])
            data = {"NameServers": ",".join(servers)}
        elif event["RequestType"] == "Delete":
            delete(physical_id, event["ResourceProperties"])
        cfnresponse.send(event, context, cfnresponse.SUCCESS, data, physical_id)
    except Exception as error:
        cfnresponse.send(event, context, cfnresponse.FAILED, {"Error": str(error)}, physical_id)
