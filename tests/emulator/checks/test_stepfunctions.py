"""What the waiter needs of Step Functions and Lambda: the CDK app's own definition runs."""

import json
import time

from .emulator import Check
from .scripted_function import Script, function_resources
from .test_iam import allow, policy

# The states of cdk/lib/waiter.ts.
DEFINITION = {
    "StartAt": "Call the function", "TimeoutSeconds": 3900,
    "States": {
        "Call the function": {
            "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": "${FunctionArn}", "Payload": {"Waiter.$": "$.Waiter",
                                                                           "Execution.$": "$$.Execution.Id"}},
            "OutputPath": "$.Payload", "TimeoutSeconds": 960,
            "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "BackoffRate": 2, "MaxAttempts": 3,
                       "JitterStrategy": "FULL"}],
            "Next": "Answered?"},
        "Answered?": {"Type": "Choice", "Choices": [{"Variable": "$.Done", "BooleanEquals": True, "Next": "Answered"}],
                      "Default": "Wait"},
        "Wait": {"Type": "Wait", "SecondsPath": "$.Seconds", "Next": "Call the function"},
        "Answered": {"Type": "Succeed"},
    },
}
TURN = """
import json, os, urllib.request

def handler(event, context):
    ask = urllib.request.Request(os.environ["CHECK"], json.dumps({"RequestType": "Turn", "Event": event,
        "Arn": context.invoked_function_arn, "At": __import__("time").time()}).encode(), method="POST")
    told = json.loads(urllib.request.urlopen(ask, timeout=30).read())
    if "raise" in told:
        raise RuntimeError(told["raise"])
    return told
"""


class Waiter(Check):
    def test_it_calls_the_function_waits_and_repeats_until_done(self):
        def answers(_event):
            turn = len(script.seen)
            if turn == 2:
                return {"raise": "once"}
            return {"Done": turn >= 4, "Seconds": 1, "Waiter": {"Turn": turn}}

        script = Script(answers)
        self.addCleanup(script.stop)
        states, machine = self.deployed(script.url, {"Fn::GetAtt": ["Function", "Arn"]})
        start = dict(stateMachineArn=machine, name="zd-1", input=json.dumps({"Waiter": {"Turn": 0}}))
        execution = states.start_execution(**start)["executionArn"]
        self.assertEqual(states.start_execution(**start)["executionArn"], execution, "same name and input: it joins")
        self.refused("ExecutionAlreadyExists", states.start_execution, **{**start, "input": "{}"})
        found = self.end(states, execution)
        self.assertEqual(found["status"], "SUCCEEDED", found)
        self.assertEqual([e["Event"]["Waiter"]["Turn"] for e in script.seen], [0, 1, 1, 3])
        executions = machine.replace(":stateMachine:", ":execution:")
        self.assertEqual({e["Event"]["Execution"] for e in script.seen}, {f"{executions}:zd-1"})
        self.assertTrue(all(e["Arn"].endswith(f":{self.account}:function:{e['Arn'].rpartition(':')[2]}")
                            for e in script.seen))
        self.assertGreaterEqual(script.seen[1]["At"] - script.seen[0]["At"], 0.9)

    def test_the_role_must_be_allowed_to_call_the_function(self):
        script = Script(lambda _: {"Done": True})
        self.addCleanup(script.stop)
        states, machine = self.deployed(script.url, "arn:aws:lambda:*:*:function:another", retry=False)
        execution = states.start_execution(stateMachineArn=machine, input='{"Waiter": {}}')["executionArn"]
        found = self.end(states, execution)
        self.assertEqual((found["status"], found["error"]), ("FAILED", "Lambda.AWSLambdaException"))
        self.assertIn("is not authorized to perform: lambda:InvokeFunction", found["cause"])
        self.assertEqual(script.seen, [])

    def end(self, states, execution):
        for _ in range(200):
            if (found := states.describe_execution(executionArn=execution))["status"] != "RUNNING":
                return found
            time.sleep(0.1)
        raise AssertionError("the execution did not end")

    def deployed(self, url, may_call, retry=True):
        """The function, the state machine and its role, which may call `may_call`."""
        definition = json.loads(json.dumps(DEFINITION))
        if not retry:
            del definition["States"]["Call the function"]["Retry"]
        resources = function_resources(url)
        resources["Function"]["Properties"]["Code"] = {"ZipFile": TURN}
        resources["WaiterRole"] = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": json.loads(policy({
            "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "states.amazonaws.com"}})),
            "Policies": [{"PolicyName": "p", "PolicyDocument": {
                "Version": "2012-10-17", "Statement": [allow("lambda:InvokeFunction", may_call)]}}]}}
        resources["Waiter"] = {"Type": "AWS::StepFunctions::StateMachine", "Properties": {
            "StateMachineName": "a-waiter", "RoleArn": {"Fn::GetAtt": ["WaiterRole", "Arn"]},
            "DefinitionString": json.dumps(definition),
            "DefinitionSubstitutions": {"FunctionArn": {"Fn::GetAtt": ["Function", "Arn"]}}}}
        cloudformation, states = self.client("cloudformation"), self.client("stepfunctions")
        cloudformation.create_stack(StackName="w", TemplateBody=json.dumps({"Resources": resources}),
                                    Capabilities=["CAPABILITY_IAM"])
        cloudformation.get_waiter("stack_create_complete").wait(StackName="w", WaiterConfig={"Delay": 1})
        machine = f"arn:aws:states:us-east-1:{self.account}:stateMachine:a-waiter"
        return states, machine
