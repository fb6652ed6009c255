"""CloudFormation: custom resources and Route 53 resources as it handles them.

Facts restored, with their sources:

- A failed Create is followed by a Delete, with the physical id of the FAILED answer or, if there was no answer, one of
  CloudFormation's own. The package sends none, so nobody would notice what a failed Create leaves behind.
  https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html
- The rollback of a failed update sends a replaced custom resource another Update with the properties swapped, before the clean-up
  deletes the new id. https://github.com/aws/aws-cdk/blob/main/docs/CLOUDFORMATION.md
- The function is invoked asynchronously, and twice more if it fails.
  https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
- The answer's PUT is pre-signed without a content type (otherwise 403), has at most 4,096 bytes, and names the request and a physical id
  of at most 1,024 bytes.
- A resource is deleted before its dependencies, so these are kept if its own Delete fails. The package deletes them nevertheless: a
  published zone whose Delete is refused would lose the delegation of its parent and its consumers' roles.
  https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-dependson.html
- The clean-up of an update attempts three times to delete what the update replaced or removed. Then it removes the resource from the
  stack and continues, even with the dependencies of that resource, and the stack reports that it could not delete everything. The
  package attempts once, and keeps what it could not delete in the stack.
  https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html
  https://repost.aws/knowledge-center/cloudformation-stack-cleanup-stuck
- A DependsOn on a resource whose condition is false is refused. The package ignores it silently.
  https://github.com/aws-cloudformation/cfn-lint/blob/main/docs/rules.md#E3005
- A reference in a resource's Metadata is a dependency, as one in its properties is. The package reads only properties.
  https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-metadata.html
- Zones and record sets of a template have the same rules as those of the API: own name servers, a CREATE that fails if the record set
  exists, no deletion of a zone that is not empty. And CloudFormation waits for INSYNC.
"""

import contextvars
import datetime
import json
import logging
import secrets
import threading
import time

import ministack.app as gateway
from ministack.core.responses import new_uuid, now_iso
from ministack.services import cloudformation as service
from ministack.services import lambda_svc
from ministack.services import route53 as route53_service
from ministack.services.cloudformation import changesets, custom_resource, engine, handlers, provisioners, stacks

from . import route53, seam

_SETTINGS = None
_LOG = logging.getLogger("cloudformation")
_MOST_BYTES = 4096
_ATTEMPTS = 3
_DELETES_IN_CLEAN_UP = 3


def _is_custom(resource_type):
    return resource_type.startswith("Custom::") or resource_type == "AWS::CloudFormation::CustomResource"


# --- dependencies ---------------------------------------------------------------


def _extract_deps(before):
    def extract_deps(resource_def, all_resource_names):
        in_metadata = engine._intrinsic_references(resource_def.get("Metadata", {}))
        return before(resource_def, all_resource_names) | {name for name, _ in in_metadata if name in all_resource_names}
    return extract_deps


def _validate(before):
    def validate_template_support(template, conditions, *args, **kwargs):
        resources = template.get("Resources", {})
        absent = {name for name, found in resources.items() if not conditions.get(found.get("Condition"), True)}
        for name in resources.keys() - absent:
            on = resources[name].get("DependsOn", [])
            unresolved = sorted(absent.intersection([on] if isinstance(on, str) else on))
            if unresolved:
                raise ValueError("Template format error: Unresolved resource dependencies "
                                 f"[{', '.join(unresolved)}] in the Resources block of the template")
        return before(template, conditions, *args, **kwargs)
    return validate_template_support


# --- one request to a custom resource's function -----------------------------

_REFUSED = "_emulator_refused"


def _response_url(token):
    """A URL with the parts of S3's pre-signed URLs from which a function may read the request's age."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return (f"{custom_resource._response_url(token)}?X-Amz-Algorithm=AWS4-HMAC-SHA256"
            f"&X-Amz-Date={now:%Y%m%dT%H%M%SZ}&X-Amz-SignedHeaders=host&X-Amz-Expires=7200"
            f"&X-Amz-Signature={secrets.token_hex(32)}")


def _post_body(before):
    """The answer's PUT: refused with a content type, failed if it is too long."""
    async def shortcuts(method, path, headers, body, query, request_id):
        if method == "PUT" and path.startswith("/_ministack/cfn-response/"):
            if headers.get("content-type"):
                return 403, {"Content-Type": "application/xml"}, (
                    b"<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not "
                    b"match the signature you provided. Check your key and signing method.</Message></Error>")
            try:
                answer = json.loads(body)
            except ValueError:
                answer = None
            if len(body) > _MOST_BYTES:
                answer = {_REFUSED: "Response object is too long."}
            elif not isinstance(answer, dict):
                answer = {_REFUSED: "Response is not valid JSON"}
            custom_resource.deliver_response(path.rpartition("/")[2], answer)
            return 200, {}, b""
        return await before(method, path, headers, body, query, request_id)
    return shortcuts


def _invoke(record, event):
    """An asynchronous invocation: at most three attempts, on a thread of its own."""
    context = contextvars.copy_context()

    def attempts():
        for attempt in range(_ATTEMPTS):
            if attempt:
                time.sleep(_SETTINGS.retry_seconds)
            try:
                result = lambda_svc._execute_function_with_config_scope(record, event)
            except Exception as failure:  # noqa: BLE001 - whatever the failure is, Lambda retries
                _LOG.warning("Invocation of a custom resource's function failed: %s", failure)
                continue
            if not (isinstance(result, dict) and result.get("error")):
                return

    threading.Thread(target=context.run, args=(attempts,), daemon=True, name="custom-resource").start()


def _own_id(stack_name, logical_id):
    return f"{stack_name}-{logical_id}-{secrets.token_hex(6).upper()}"


def _failure(answer, event):
    """Why CloudFormation treats the answer as a failure, or None."""
    if _REFUSED in answer:
        return answer[_REFUSED]
    for member in ("StackId", "RequestId", "LogicalResourceId"):
        if answer.get(member) != event[member]:
            return f"Invalid {member}"
    physical_id = answer.get("PhysicalResourceId")
    if not isinstance(physical_id, str) or not 1 <= len(physical_id.encode()) <= 1024:
        return "Invalid PhysicalResourceId"
    if answer.get("Status") == "SUCCESS":
        return None
    return (f"Received response status [{answer.get('Status')}] from custom resource. "
            f"Message returned: {answer.get('Reason', '')} (RequestId: {event['RequestId']})")


def _invoke_custom_resource(request_type, logical_id, props, stack_name, stack_id, resource_type,
                            physical_id=None, old_props=None):
    function, config, _ = lambda_svc._get_func_record_for_ref(props.get("ServiceToken", ""))
    if function is None:
        raise ValueError(f"Custom resource ServiceToken {props.get('ServiceToken')!r} not found.")
    timeout = int(props.get("ServiceTimeout") or 3600)
    token = new_uuid()
    event = {
        "RequestType": request_type, "RequestId": new_uuid(), "StackId": stack_id,
        "ResponseURL": _response_url(token), "ServiceToken": props.get("ServiceToken"),
        "ResourceType": resource_type, "LogicalResourceId": logical_id,
        "ResourceProperties": custom_resource._normalise_resource_properties(props),
    }
    if physical_id is not None:
        event["PhysicalResourceId"] = physical_id
    if old_props is not None:
        event["OldResourceProperties"] = custom_resource._normalise_resource_properties(old_props)
    answered = custom_resource.register_token(token)
    _invoke(lambda_svc._execution_record_for_config(function, config), event)
    answered.wait(timeout=timeout)
    with custom_resource._lock:
        answer = (custom_resource._pending.pop(token, None) or {}).get("result")
    if answer is None:
        reason = ("CloudFormation did not receive a response from your Custom Resource. Please check your logs for "
                  f"requestId [{event['RequestId']}].")
    else:
        reason = _failure(answer, event)
    if reason is None:
        return answer["PhysicalResourceId"], answer.get("Data") or {}
    if request_type == "Create":
        given = (answer or {}).get("PhysicalResourceId")
        _note_failed_create(stack_name, logical_id, resource_type, props,
                            given if isinstance(given, str) and given else _own_id(stack_name, logical_id))
    raise RuntimeError(reason)


# --- deletion ----------------------------------------------------------------

def _delete_resource(before):
    """Retries in a clean-up. Elsewhere a failed Delete removes the resource's dependencies from the stack's resources, which the
    deletion iterates over."""
    def delete(resource_type, physical_id, props, stack_name="", logical_id=None):
        stack = service._stacks.get(stack_name) or {}
        cleans_up = stack.get("StackStatus") in ("UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        for left in reversed(range(_DELETES_IN_CLEAN_UP if cleans_up else 1)):
            try:
                return before(resource_type, physical_id, props, stack_name, logical_id)
            except Exception as failure:  # noqa: BLE001 - whatever the failure is, CloudFormation retries
                if left:
                    stacks._add_event(stack["StackId"], stack_name, logical_id, resource_type, "DELETE_FAILED", str(failure),
                                      physical_id)
                    continue
                if cleans_up:
                    stack["_left_behind"] = True
                elif stack.get("StackStatus") in ("DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"):
                    _spare_what_it_needs(stack, logical_id)
                raise
    return delete


def _spare_what_it_needs(stack, logical_id):
    resources, declared = stack["_resources"], stack.get("_template", {}).get("Resources", {})
    needed = stacks._with_dependencies([logical_id], declared, set(resources)) - {logical_id}
    stack.setdefault("_spared", {}).update({one: resources.pop(one) for one in needed if one in resources})


def _deploy_stack(before):
    """Removes from the stack what the clean-up could not delete."""
    async def deploy_stack(stack_name, stack_id, template, *args, **kwargs):
        await before(stack_name, stack_id, template, *args, **kwargs)
        stack = service._stacks.get(stack_name)
        if stack is not None and stack.pop("_left_behind", False) and stack["StackStatus"] == "UPDATE_COMPLETE":
            stack["_resources"] = {i: r for i, r in stack["_resources"].items() if r["ResourceStatus"] != "DELETE_FAILED"}
            stack["StackStatusReason"] = "Update successful. One or more resources could not be deleted."
    return deploy_stack


def _put_back_spared(stack):
    if stack is not None:
        stack.setdefault("_resources", {}).update(stack.pop("_spared", {}))


def _delete_stack(before):
    async def delete_stack(stack_name, stack_id, *args, **kwargs):
        await before(stack_name, stack_id, *args, **kwargs)
        _put_back_spared(service._stacks.get(stack_name))
    return delete_stack


# --- roll-back ---------------------------------------------------------------

def _note_failed_create(stack_name, logical_id, resource_type, props, physical_id):
    """Keeps the leftover resource in the stack, so that a rollback or a delete finds it."""
    stack = service._stacks.get(stack_name)
    if stack is not None:
        stack.setdefault("_resources", {})[logical_id] = {
            "PhysicalResourceId": physical_id, "ResourceType": resource_type, "ResourceStatus": "CREATE_FAILED",
            "LogicalResourceId": logical_id, "Properties": props, "Attributes": {}, "Timestamp": now_iso()}


async def _send_back_replacements(stack_name, stack_id, stack, operation):
    """Sends another Update, with the properties swapped, to each custom resource that this update had
    replaced."""
    before = (operation.get("previous_stack") or {}).get("_resources", {})
    failed = []
    for logical_id in reversed(operation.get("created", [])):
        now, old = stack["_resources"].get(logical_id, {}), before.get(logical_id)
        kind = now.get("ResourceType", "")
        if old is None or not _is_custom(kind) or now["PhysicalResourceId"] == old["PhysicalResourceId"]:
            continue
        stacks._add_event(stack_id, stack_name, logical_id, kind, "UPDATE_IN_PROGRESS",
                          physical_id=now["PhysicalResourceId"])
        try:
            answered, attributes = await stacks.run_reentrant(
                _invoke_custom_resource, "Update", logical_id, old["Properties"], stack_name, stack_id, kind,
                now["PhysicalResourceId"], now["Properties"])
            old["PhysicalResourceId"], old["Attributes"] = answered, {**old.get("Attributes", {}), **attributes}
            stacks._add_event(stack_id, stack_name, logical_id, kind, "UPDATE_COMPLETE", physical_id=answered)
        except Exception as failure:  # noqa: BLE001 - the rollback continues and ends as failed
            stacks._add_event(stack_id, stack_name, logical_id, kind, "UPDATE_FAILED", str(failure),
                              now["PhysicalResourceId"])
            failed.append(logical_id)
    return failed


def _roll_back(before):
    async def roll_back(stack_name, stack_id, stack, operation, reason_override=""):
        failed_id = operation.get("failed_logical_id")
        record = stack.get("_resources", {}).get(failed_id, {})
        failed = []
        if operation.get("is_update") and operation.get("previous_stack"):
            failed = await _send_back_replacements(stack_name, stack_id, stack, operation)
        if record.get("ResourceStatus") == "CREATE_FAILED" and failed_id not in operation["created"]:
            operation = {**operation, "created": [*operation["created"], failed_id]}
        await before(stack_name, stack_id, stack, operation, reason_override)
        _put_back_spared(stack)
        if failed and stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE":
            stack["StackStatus"] = "UPDATE_ROLLBACK_FAILED"
            stack["StackStatusReason"] = f"The following resource(s) failed to update: [{', '.join(failed)}]."
    return roll_back


# --- Route 53 in templates ---------------------------------------------------

def _wait_for_insync():
    """Lets templates continue when a change is on the authoritative servers. Runs on a worker thread."""
    time.sleep(_SETTINGS.insync_seconds)


def _zone_attributes(zone):
    return {"Id": zone["id"], "NameServers": list(zone["name_servers"])}


def _tags(zone_id, props):
    tags = {tag["Key"]: tag["Value"] for tag in props.get("HostedZoneTags") or []}
    if tags:
        route53_service._tags[("hostedzone", zone_id)] = tags
    else:
        route53_service._tags.pop(("hostedzone", zone_id), None)


def _comment(props):
    return (props.get("HostedZoneConfig") or {}).get("Comment", "")


def _zone_create(_logical_id, props, _stack_name):
    vpcs = [{"VPCRegion": vpc["VPCRegion"], "VPCId": vpc["VPCId"]} for vpc in props.get("VPCs") or []]
    with route53_service._lock:
        zone = route53.create_zone(props.get("Name", ""), new_uuid(), _comment(props), vpcs)
    _tags(zone["id"], props)
    _wait_for_insync()
    return zone["id"], _zone_attributes(zone)


def _zone_update(physical_id, old_props, new_props, stack_name, _logical_id=None):
    if route53.normalized(old_props.get("Name", "")) != route53.normalized(new_props.get("Name", "")):
        return _zone_create(None, new_props, stack_name)  # replaced: the clean-up deletes the old one
    with route53_service._lock:
        zone = route53_service._zones.get(physical_id)
        if zone is None:
            raise ValueError(f"No hosted zone found with ID: {physical_id}")
        zone["comment"] = _comment(new_props)
    _tags(physical_id, new_props)
    return physical_id, _zone_attributes(zone)


def _zone_delete(physical_id, _props):
    with route53_service._lock:
        if physical_id in route53_service._zones:
            route53.delete_zone(physical_id)


def _change(zone_id, *changes):
    with route53_service._lock:
        route53.apply_changes(zone_id, list(changes))
    _wait_for_insync()


def _record_create(_logical_id, props, _stack_name):
    record = provisioners._r53_record_set_build_rs(props)
    _change(provisioners._r53_resolve_hosted_zone_id(props), ("CREATE", record))
    return record["Name"], {"Name": record["Name"]}


def _record_update(physical_id, old_props, new_props, stack_name):
    old, new = (provisioners._r53_record_set_build_rs(props) for props in (old_props, new_props))
    old_zone, new_zone = (provisioners._r53_resolve_hosted_zone_id(props) for props in (old_props, new_props))
    if (old_zone, route53_service._rs_key(old)) != (new_zone, route53_service._rs_key(new)):
        return _record_create(None, new_props, stack_name)
    _change(new_zone, ("UPSERT", new))
    return physical_id, {"Name": new["Name"]}


def _record_delete(_physical_id, props):
    zone_id, record = provisioners._r53_resolve_hosted_zone_id(props), provisioners._r53_record_set_build_rs(props)
    with route53_service._lock:
        standing = route53_service._records.get(zone_id, [])
    if any(route53_service._rs_key(r) == route53_service._rs_key(record) for r in standing):
        _change(zone_id, ("DELETE", record))


def _as_failure(handler):
    """An error in CloudFormation's words."""
    def handle(*args):
        try:
            return handler(*args)
        except route53.Refused as refused:
            raise RuntimeError(f"{refused.message} (Service: Route53, Status Code: {refused.status}, "
                               f"Error Code: {refused.code}, Request ID: {new_uuid()})") from refused
    return handle


def _on_a_worker(before):
    def on_a_worker(resource_type):
        return resource_type.startswith("AWS::Route53::") or before(resource_type)
    return on_a_worker


def apply(settings):
    """Corrects the service's modules."""
    global _SETTINGS
    _SETTINGS = settings
    extract_deps = _extract_deps(engine._extract_deps)
    for module in (engine, stacks):
        seam.replace(module, "_extract_deps", extract_deps)
    validate = _validate(engine.validate_template_support)
    for module in (engine, handlers, changesets):
        seam.replace(module, "validate_template_support", validate)
    seam.replace(custom_resource, "invoke_custom_resource", _invoke_custom_resource)
    seam.replace(gateway, "_handle_post_body_shortcuts", _post_body(gateway._handle_post_body_shortcuts))
    seam.replace(stacks, "_delete_resource", _delete_resource(stacks._delete_resource))
    deploy_stack = _deploy_stack(stacks._deploy_stack_async)
    for module in (stacks, handlers, changesets):
        seam.replace(module, "_deploy_stack_async", deploy_stack)
    delete_stack = _delete_stack(stacks._delete_stack_async)
    seam.replace(stacks, "_delete_stack_async", delete_stack)
    seam.replace(handlers, "_delete_stack_async", delete_stack)
    roll_back = _roll_back(stacks._roll_back_operation)
    seam.replace(stacks, "_roll_back_operation", roll_back)
    seam.replace(handlers, "_roll_back_operation", roll_back)
    seam.replace(stacks, "_runs_on_worker_thread", _on_a_worker(stacks._runs_on_worker_thread))
    provisioners._RESOURCE_HANDLERS["AWS::Route53::HostedZone"] = {
        "create": _as_failure(_zone_create), "update": _as_failure(_zone_update), "update_with_logical_id": True,
        "delete": _as_failure(_zone_delete)}
    provisioners._RESOURCE_HANDLERS["AWS::Route53::RecordSet"] = {
        "create": _as_failure(_record_create), "update": _as_failure(_record_update),
        "delete": _as_failure(_record_delete)}
