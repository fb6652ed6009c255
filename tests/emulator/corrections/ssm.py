"""Parameter Store: limits and missing parameters are refused as AWS refuses them.

Facts restored, with their sources:

- Tags of a missing parameter are `InvalidResourceId`. The package keeps them for a later parameter of that name, which would then have
  tags that its writer never set. The functions' proof of ownership relies on tags.
  https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_AddTagsToResource.html
- GetParameters and DeleteParameters accept at most ten names.
- A value has 1 to 4,096 bytes (standard tier). A StringList is not empty.
"""

from ministack.core.responses import error_response_json
from ministack.services import ssm as service

from . import seam


def _standing_only(before):
    def handle(data):
        if data.get("ResourceType") == "Parameter":
            _, parameter = service._lookup_parameter(data.get("ResourceId", ""), flexible_name=True)
            if parameter is None:
                return error_response_json(
                    "InvalidResourceId", "The resource ID isn't valid. Verify that you entered the correct ID and try again.", 400)
        return before(data)
    return handle


def _ten_at_most(before):
    def handle(data):
        names = data.get("Names") or []
        if not 1 <= len(names) <= 10:
            return error_response_json(
                "ValidationException",
                f"1 validation error detected: Value at 'names' failed to satisfy constraint: "
                f"Member must have length between 1 and 10, not {len(names)}", 400)
        return before(data)
    return handle


def _put_parameter(before):
    def put(data):
        value, name = data.get("Value", ""), data.get("Name", "")
        if not 1 <= len(value.encode()) <= 4096 and data.get("Tier") != "Advanced":
            return error_response_json(
                "ValidationException", f"Standard tier parameters support a maximum parameter value of 4096 characters; "
                f"a value has at least one. {name} has {len(value.encode())}.", 400)
        if data.get("Type") not in (None, "String", "StringList", "SecureString"):
            return error_response_json("UnsupportedParameterType", "The parameter type isn't supported.", 400)
        return before(data)
    return put


def apply(_settings):
    """Corrects the service's module."""
    for handler in ("_add_tags_to_resource", "_remove_tags_from_resource", "_list_tags_for_resource"):
        seam.replace(service, handler, _standing_only(getattr(service, handler)))
    for handler in ("_get_parameters", "_delete_parameters"):
        seam.replace(service, handler, _ten_at_most(getattr(service, handler)))
    seam.replace(service, "_put_parameter", _put_parameter(service._put_parameter))
