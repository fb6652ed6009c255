"""CloudFormation of the emulator behaves as `corrections/cloudformation.py` says."""

import json
import time
import urllib.parse

from botocore.exceptions import ClientError

from .emulator import Check, change, new_zone, ns_change, records
from .scripted_function import Script, function_resources


def success(physical_id, **more):
    return {"answer": {"Status": "SUCCESS", "PhysicalResourceId": physical_id, **more}}


def failed(reason, physical_id=None):
    answer = {"Status": "FAILED", "Reason": reason}
    return {"answer": {**answer, "PhysicalResourceId": physical_id} if physical_id else answer}


class Stacks(Check):
    """A stack of this check's account, by CreateStack and UpdateStack."""

    def setUp(self):
        super().setUp()
        self.cloudformation = self.client("cloudformation")
        self.name = f"stack-{self.account[-4:]}"

    def script(self, answers):
        script = Script(answers)
        self.addCleanup(script.stop)
        return script

    def stack(self, call, resources, outputs=None, **more):
        """Runs create_stack or update_stack to its end. Returns the stack's status."""
        template = {"Resources": resources, **({"Outputs": outputs} if outputs else {})}
        getattr(self.cloudformation, call)(StackName=self.name, TemplateBody=json.dumps(template),
                                           Capabilities=["CAPABILITY_IAM"], **more)
        return self.end()

    def end(self):
        for _ in range(300):
            found = self.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
            if not found["StackStatus"].endswith("_IN_PROGRESS"):
                return found["StackStatus"]
            time.sleep(0.1)
        raise AssertionError("the stack's operation did not end")

    def delete(self):
        stack_id = self.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]["StackId"]
        self.cloudformation.delete_stack(StackName=self.name)
        for _ in range(300):
            status = self.cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"]
            if not status.endswith("_IN_PROGRESS"):
                return status
            time.sleep(0.1)
        raise AssertionError("the delete did not end")

    def reasons(self):
        events = self.cloudformation.describe_stack_events(StackName=self.name)["StackEvents"]
        return [e.get("ResourceStatusReason", "") for e in events]

    def outputs(self):
        found = self.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0].get("Outputs", [])
        return {o["OutputKey"]: o["OutputValue"] for o in found}

    def custom(self, **props):
        return {"Type": "Custom::Thing", "Properties": {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}, **props}}


class Dependencies(Stacks):
    def template(self, script, **of_first):
        return {**function_resources(script.url), "First": {**self.custom(), **of_first}, "Second": {**self.custom(), "Condition": "Is"}}

    def create(self, resources, condition):
        template = {"Conditions": {"Is": {"Fn::Equals": [condition, "yes"]}}, "Resources": resources}
        self.cloudformation.create_stack(StackName=self.name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"])
        return self.end()

    def test_a_dependency_on_a_resource_whose_condition_is_false_is_refused(self):
        script = self.script(lambda e: success(e["LogicalResourceId"]))
        resources = self.template(script, DependsOn="Second")
        with self.assertRaisesRegex(ClientError, r"Unresolved resource dependencies \[Second\] in the Resources block"):
            self.create(resources, "no")
        self.assertEqual(self.create(resources, "yes"), "CREATE_COMPLETE")

    def test_a_reference_in_metadata_is_a_dependency(self):
        script = self.script(lambda e: success(e["LogicalResourceId"]))
        resources = self.template(script, Metadata={"Needs": [{"Fn::If": ["Is", {"Ref": "Second"}, {"Ref": "AWS::NoValue"}]}]})
        self.assertEqual(self.create(resources, "yes"), "CREATE_COMPLETE")
        self.assertEqual(self.delete(), "DELETE_COMPLETE")
        self.assertEqual([e["LogicalResourceId"] for e in script.seen], ["Second", "First", "First", "Second"])
        self.assertEqual(self.create(resources, "no"), "CREATE_COMPLETE")


class CustomResources(Stacks):
    def test_a_failed_create_is_deleted_with_its_own_id(self):
        script = self.script(lambda e: failed("no", "made-1") if e["RequestType"] == "Create" else success("made-1"))
        status = self.stack("create_stack", {**function_resources(script.url), "Thing": self.custom(Flag=True, N=3)})
        self.assertEqual(status, "ROLLBACK_COMPLETE")
        self.assertEqual(script.requests(), [("Create", None), ("Delete", "made-1")])
        created, deleted = script.seen
        self.assertEqual(created["ResourceProperties"]["Flag"], "true")
        self.assertEqual(created["ResourceProperties"], deleted["ResourceProperties"])
        self.assertNotEqual(created["RequestId"], deleted["RequestId"])
        self.assertTrue(any("Received response status [FAILED] from custom resource. Message returned: no" in r
                            for r in self.reasons()))

    def test_a_failed_create_without_an_id_gets_one_of_cloudformations_own(self):
        script = self.script(lambda e: failed("no") if e["RequestType"] == "Create" else success(e["PhysicalResourceId"]))
        self.assertEqual(self.stack("create_stack", {**function_resources(script.url), "Thing": self.custom()}),
                         "ROLLBACK_COMPLETE")
        self.assertRegex(script.requests()[1][1], f"^{self.name}-Thing-[0-9A-F]+$")

    def test_a_create_without_an_answer_times_out_and_is_deleted(self):
        script = self.script(lambda e: {"silent": True} if e["RequestType"] == "Create" else success("x"))
        self.assertEqual(self.stack("create_stack", {**function_resources(script.url),
                                                     "Thing": self.custom(ServiceTimeout=6)}), "ROLLBACK_COMPLETE")
        self.assertEqual([kind for kind, _ in script.requests()], ["Create", "Delete"])
        self.assertTrue(any("did not receive a response" in r for r in self.reasons()))

    def test_a_failed_delete_of_a_failed_create_fails_the_roll_back(self):
        script = self.script(lambda e: failed("no", "made-1"))
        self.assertEqual(self.stack("create_stack", {**function_resources(script.url), "Thing": self.custom()}),
                         "ROLLBACK_FAILED")

    def test_a_function_that_fails_is_invoked_three_times(self):
        script = self.script(lambda e: {"raise": "x"} if len(script.seen) < 3 else success("third"))
        self.assertEqual(self.stack("create_stack", {**function_resources(script.url), "Thing": self.custom()}),
                         "CREATE_COMPLETE")
        self.assertEqual(len({e["RequestId"] for e in script.seen}), 1)
        self.assertEqual(len(script.seen), 3)

    def test_the_urls_age_can_be_read(self):
        script = self.script(lambda e: success("x"))
        self.stack("create_stack", {**function_resources(script.url), "Thing": self.custom()})
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(script.seen[0]["ResponseURL"]).query)
        self.assertRegex(query["X-Amz-Date"][0], r"^\d{8}T\d{6}Z$")
        self.assertEqual(query["X-Amz-Expires"], ["7200"])

    def test_invalid_answers_fail_the_request(self):
        long, other = success("x", Data={"Text": "x" * 5000}), success("x", RequestId="another")
        for told, said in ((long, "Response object is too long."), (other, "Invalid RequestId"),
                           ({"answer": {"Status": "SUCCESS"}}, "Invalid PhysicalResourceId"),
                           (success("x" * 1025), "Invalid PhysicalResourceId")):
            with self.subTest(said):
                script = self.script(lambda e, told=told: told if e["RequestType"] == "Create" else success("x"))
                self.stack("create_stack", {**function_resources(script.url), "Thing": self.custom()})
                self.assertTrue(any(said in r for r in self.reasons()), self.reasons())
                self.delete()

    def test_a_put_with_a_content_type_is_403(self):
        script = self.script(lambda e: {**success("x"), "headers": {"Content-Type": "application/json"}}
                             if e["RequestType"] == "Create" else success("x"))
        self.stack("create_stack", {**function_resources(script.url), "Thing": self.custom(ServiceTimeout=6)})
        self.assertIn({"Refused": 403}, script.seen)

    def test_a_replacement_is_deleted_in_the_clean_up(self):
        script = self.script(lambda e: success(e["ResourceProperties"]["Id"] if e["RequestType"] != "Delete"
                                               else e["PhysicalResourceId"]))
        self.stack("create_stack", {**function_resources(script.url), "Thing": self.custom(Id="one")})
        self.assertEqual(self.stack("update_stack", {**function_resources(script.url), "Thing": self.custom(Id="two")}),
                         "UPDATE_COMPLETE")
        self.assertEqual(script.requests(), [("Create", None), ("Update", "one"), ("Delete", "one")])
        self.assertEqual(script.seen[1]["OldResourceProperties"]["Id"], "one")

    def test_a_clean_up_tries_three_times_and_continues_without_the_resource(self):
        script = self.script(lambda e: failed("no", e["PhysicalResourceId"]) if e["RequestType"] == "Delete" else success("one"))
        needed = {"Needed": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "x"}}}
        self.stack("create_stack", {**function_resources(script.url), **needed,
                                    "Thing": {**self.custom(), "DependsOn": "Needed"}},
                   {"Needed": {"Value": {"Ref": "Needed"}}})
        name = self.outputs()["Needed"]
        self.assertEqual(self.stack("update_stack", function_resources(script.url)), "UPDATE_COMPLETE")
        self.assertEqual(script.requests(), [("Create", None)] + [("Delete", "one")] * 3)
        self.assertEqual(len({e["RequestId"] for e in script.seen}), 4)
        self.assertEqual(len([r for r in self.reasons() if "Message returned: no" in r]), 3)
        stack = self.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        self.assertEqual(stack["StackStatusReason"], "Update successful. One or more resources could not be deleted.")
        self.refused("ParameterNotFound", self.client("ssm").get_parameter, Name=name)
        # The resource is not in the stack any more, and no other Delete is sent for it.
        self.assertEqual(self.delete(), "DELETE_COMPLETE")
        self.assertEqual(len(script.requests()), 4)

    def test_a_retained_replaced_resource_is_left_behind(self):
        script = self.script(lambda e: failed("no", "one") if e["RequestType"] == "Delete" and e["PhysicalResourceId"] == "one"
                             else success(e["PhysicalResourceId"] if e["RequestType"] == "Delete"
                                          else e["ResourceProperties"]["Id"]))
        self.stack("create_stack", {**function_resources(script.url), "Thing": self.custom(Id="one")})
        self.assertEqual(self.stack("update_stack", {**function_resources(script.url), "Thing": self.custom(Id="two")}),
                         "UPDATE_COMPLETE")
        self.assertEqual(self.delete(), "DELETE_COMPLETE")
        self.assertEqual(script.requests(), [("Create", None), ("Update", "one")] + [("Delete", "one")] * 3 + [("Delete", "two")])

    def test_a_failed_update_is_sent_back_with_the_properties_swapped(self):
        def answers(event):
            if event["ResourceProperties"].get("Fail") == "true" and event["RequestType"] != "Delete":
                return failed("no", event.get("PhysicalResourceId") or "second")
            return success(event["PhysicalResourceId"] if event["RequestType"] == "Delete"
                           else event["ResourceProperties"]["Id"])

        script = self.script(answers)
        first = {**function_resources(script.url), "Thing": self.custom(Id="one")}
        self.stack("create_stack", first)
        second = {**function_resources(script.url), "Thing": self.custom(Id="two"),
                  "Then": {**self.custom(Id="second", Fail=True), "DependsOn": "Thing"}}
        self.assertEqual(self.stack("update_stack", second), "UPDATE_ROLLBACK_COMPLETE")
        thing = [(e["RequestType"], e.get("PhysicalResourceId"), e["ResourceProperties"]["Id"])
                 for e in script.seen if e["LogicalResourceId"] == "Thing"]
        self.assertEqual(thing, [("Create", None, "one"), ("Update", "one", "two"), ("Update", "two", "one"),
                                 ("Delete", "two", "two")])
        then = [(e["RequestType"], e.get("PhysicalResourceId")) for e in script.seen
                if e["LogicalResourceId"] == "Then"]
        self.assertEqual(then, [("Create", None), ("Delete", "second")])

    def test_only_retain_keeps_a_resource_that_a_rolled_back_update_created(self):
        # https://aws.amazon.com/about-aws/whats-new/2023/07/aws-cloudformation-deletion-policies-dev-test-cycle/
        for policy, deleted in (("Retain", False), ("RetainExceptOnCreate", True), ("Delete", True)):
            with self.subTest(policy):
                script = self.script(lambda e: failed("no", "then") if (e["LogicalResourceId"], e["RequestType"]) == ("Then", "Create")
                                     else success(e.get("PhysicalResourceId") or e["LogicalResourceId"].lower()))
                first = {**function_resources(script.url), "Stays": self.custom()}
                self.stack("create_stack", first)
                second = {**first, "Made": {**self.custom(), "DeletionPolicy": policy},
                          "Then": {**self.custom(), "DependsOn": "Made"}}
                self.assertEqual(self.stack("update_stack", second), "UPDATE_ROLLBACK_COMPLETE")
                self.assertEqual(("Delete", "made") in script.requests(), deleted)
                self.delete()

    def test_a_change_of_the_deletion_policy_alone_invokes_no_function(self):
        # https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1543
        script = self.script(lambda e: success("one"))
        self.stack("create_stack", {**function_resources(script.url), "Thing": self.custom()})
        kept = {**function_resources(script.url), "Thing": {**self.custom(), "DeletionPolicy": "Retain"}}
        self.assertEqual(self.stack("update_stack", kept), "UPDATE_COMPLETE")
        self.assertEqual(self.stack("update_stack", function_resources(script.url)), "UPDATE_COMPLETE")
        self.assertEqual(script.requests(), [("Create", None)])


class Route53Resources(Stacks):
    def setUp(self):
        super().setUp()
        self.route53 = self.client("route53")
        self.parent, _ = new_zone(self.route53, "example.com")

    def resources(self, **record):
        return {
            "Zone": {"Type": "AWS::Route53::HostedZone", "Properties": {
                "Name": "Build.example.com", "HostedZoneConfig": {"Comment": "c"},
                "HostedZoneTags": [{"Key": "k", "Value": "v"}]}},
            "Delegation": {"Type": "AWS::Route53::RecordSet", "Properties": {
                "HostedZoneId": self.parent, "Name": "build.example.com", "Type": "NS", "TTL": "900",
                "ResourceRecords": {"Fn::GetAtt": ["Zone", "NameServers"]}, **record}},
        }

    OUTPUTS = {"Id": {"Value": {"Ref": "Zone"}},
               "Servers": {"Value": {"Fn::Join": [",", {"Fn::GetAtt": ["Zone", "NameServers"]}]}}}

    def test_a_templates_zone_has_its_own_servers_everywhere(self):
        self.assertEqual(self.stack("create_stack", self.resources(), self.OUTPUTS), "CREATE_COMPLETE")
        zone, servers = self.outputs()["Id"], self.outputs()["Servers"].split(",")
        self.assertEqual(self.route53.get_hosted_zone(Id=zone)["DelegationSet"]["NameServers"], servers)
        apex = [values for name, kind, _, values in records(self.route53, zone) if kind == "NS"]
        self.assertEqual(apex, [[s + "." for s in servers]])
        self.assertIn(("build.example.com.", "NS", 900, servers), records(self.route53, self.parent))
        tags = self.route53.list_tags_for_resource(ResourceType="hostedzone", ResourceId=zone)
        self.assertIn({"Key": "k", "Value": "v"}, tags["ResourceTagSet"]["Tags"])
        self.assertEqual(self.delete(), "DELETE_COMPLETE")
        self.refused("NoSuchHostedZone", self.route53.get_hosted_zone, Id=zone)
        self.assertEqual(len(records(self.route53, self.parent)), 2)

    def test_an_existing_record_set_fails_the_create_and_is_kept(self):
        change(self.route53, self.parent, ns_change("CREATE", "build.example.com", ["ns1.x."]))
        self.assertEqual(self.stack("create_stack", self.resources()), "ROLLBACK_COMPLETE")
        self.assertIn(("build.example.com.", "NS", 900, ["ns1.x."]), records(self.route53, self.parent))
        self.assertTrue(any("already exists" in r for r in self.reasons()))

    def test_a_zone_that_is_not_empty_fails_the_delete(self):
        self.stack("create_stack", self.resources(), self.OUTPUTS)
        zone = self.outputs()["Id"]
        change(self.route53, zone, ns_change("CREATE", "dev.build.example.com", ["ns1.x."]))
        self.assertEqual(self.delete(), "DELETE_FAILED")
        self.route53.get_hosted_zone(Id=zone)
        change(self.route53, zone, ns_change("DELETE", "dev.build.example.com", ["ns1.x."]))
        self.assertEqual(self.delete(), "DELETE_COMPLETE")

    def test_dependencies_are_kept_if_the_delete_of_a_resource_fails(self):
        resources = self.resources()
        resources["Other"] = {"Type": "AWS::Route53::HostedZone", "Properties": {"Name": "other.test"}}
        resources["Zone"]["DependsOn"] = "Needed"
        resources["Needed"] = {"Type": "AWS::Route53::HostedZone", "Properties": {"Name": "needed.test"}}
        self.stack("create_stack", resources, {**self.OUTPUTS, "Needed": {"Value": {"Ref": "Needed"}},
                                               "Other": {"Value": {"Ref": "Other"}}})
        made = self.outputs()
        change(self.route53, made["Id"], ns_change("CREATE", "dev.build.example.com", ["ns1.x."]))
        self.assertEqual(self.delete(), "DELETE_FAILED")
        self.route53.get_hosted_zone(Id=made["Needed"])
        self.refused("NoSuchHostedZone", self.route53.get_hosted_zone, Id=made["Other"])
        change(self.route53, made["Id"], ns_change("DELETE", "dev.build.example.com", ["ns1.x."]))
        self.assertEqual(self.delete(), "DELETE_COMPLETE")
        self.refused("NoSuchHostedZone", self.route53.get_hosted_zone, Id=made["Needed"])

    def test_a_changed_record_set_fails_the_delete(self):
        self.stack("create_stack", self.resources(), self.OUTPUTS)
        change(self.route53, self.parent, ns_change("UPSERT", "build.example.com", ["ns1.x."]))
        self.assertEqual(self.delete(), "DELETE_FAILED")
        self.assertIn(("build.example.com.", "NS", 900, ["ns1.x."]), records(self.route53, self.parent))

    def test_an_update_is_in_place_or_a_replacement(self):
        self.stack("create_stack", self.resources(), self.OUTPUTS)
        zone = self.outputs()["Id"]
        self.stack("update_stack", self.resources(TTL="60"), self.OUTPUTS)
        self.assertEqual(self.outputs()["Id"], zone)
        self.assertIn(60, [ttl for name, kind, ttl, _ in records(self.route53, self.parent)
                           if name == "build.example.com."])
        renamed = self.resources(Name="other.example.com")
        renamed["Zone"]["Properties"]["Name"] = "other.example.com"
        self.assertEqual(self.stack("update_stack", renamed, self.OUTPUTS), "UPDATE_COMPLETE")
        self.assertNotEqual(self.outputs()["Id"], zone)
        self.refused("NoSuchHostedZone", self.route53.get_hosted_zone, Id=zone)
        self.assertEqual([name for name, kind, *_ in records(self.route53, self.parent) if kind == "NS"],
                         ["example.com.", "other.example.com."])
