"""Creates the translated template as a stack in moto's CloudFormation: with the defaults, and beside it with all that may be set.

What moto does not know (function URLs, schedules, alarms) it leaves out; `check_template.py` looks at those. What this
finds are references that lead nowhere, conditions that break, and parameters that don't fit their own patterns.
"""

import io
import json
import os
import sys
import zipfile

# Never a real account, whatever the environment holds.
os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_DEFAULT_REGION="us-east-1",
    MOTO_IAM_LOAD_MANAGED_POLICIES="false",
)

import boto3  # noqa: E402
from moto import mock_aws  # noqa: E402

UNKNOWN_TO_MOTO = {
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Url",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::Schedule",
}
ACCOUNT = {"TwilioAccountSid": "AC" + "0" * 31 + "1"}
# Everything that may be set, in one deployment.
ALL_SET = {
    "SweepMode": "act",
    "WebhookUrl": "https://hooks.example.com/twilio",
    "TwilioSecret": "arn:aws:secretsmanager:us-east-1:123456789012:secret:channel-janitor/twilio-AbCdEf",
    "TwilioSecretKeyArn": "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555",
    "TableKeyArn": "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555",
    "LogKeyArn": "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555",
    "TaskRouterWorkspaceSid": "WS" + "0" * 31 + "1",
    "ChatServiceSid": "IS" + "0" * 31 + "1",
    "ProxyServiceSid": "KS" + "0" * 31 + "1",
    "TwilioEdge": "dublin",
    "TwilioRegion": "ie1",
    "AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:alarms",
    "TraceRequests": "true",
    "IngestConcurrency": "0",
    "ParkTaskChannels": "TC" + "0" * 31 + "1:TC" + "0" * 31 + "2",
    "FlexLongLived": "sms,whatsapp",
    "SweepSchedule": "cron(0/10 7-20 ? * MON-SAT *)",
    "ScheduleTimezone": "Europe/Berlin",
}


def without_the_unknown(template):
    """The template with a word in the place of every attribute of a resource that moto leaves out."""
    # moto hands out the bus itself where its name is asked for.
    buses = {name: r["Properties"]["Name"] for name, r in template["Resources"].items() if r["Type"] == "AWS::Events::EventBus"}
    unknown = {name for name, r in template["Resources"].items() if r["Type"] in UNKNOWN_TO_MOTO}

    def walk(value):
        if isinstance(value, list):
            return [walk(part) for part in value]
        if not isinstance(value, dict):
            return value
        if value.get("Ref") in buses:
            return buses[value["Ref"]]
        if value.get("Fn::GetAtt", [None])[0] in unknown or value.get("Ref") in unknown:
            return "unknown-to-moto"
        if "Fn::Sub" in value and isinstance(value["Fn::Sub"], str):
            text = value["Fn::Sub"]
            for name in unknown:
                text = text.replace("${" + name + "}", "unknown-to-moto")
            return {"Fn::Sub": text}
        return {key: walk(part) for key, part in value.items()}

    kept = {name: r for name, r in template["Resources"].items() if name not in unknown}
    return walk({**template, "Resources": kept}), set(kept)


def bucket_with_code():
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="bucket")
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("bootstrap", "")
    s3.put_object(Bucket="bucket", Key="key", Body=code.getvalue())


def expect(holds, fault):
    if not holds:
        sys.exit(f"the stack in moto: {fault}")


def create(cloudformation, stack, template, names, parameters):
    """Creates a stack, and gives back its outputs."""
    parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    body = json.dumps(template)
    cloudformation.create_stack(StackName=stack, TemplateBody=body, Parameters=parameters, Capabilities=["CAPABILITY_IAM"])
    found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    expect(found["StackStatus"] == "CREATE_COMPLETE", f"{stack} is {found['StackStatus']}")
    made = {r.get("LogicalResourceId") for r in cloudformation.describe_stack_resources(StackName=stack)["StackResources"]}
    expect(names <= made, f"{stack} lacks {sorted(names - made)}")
    return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}


def settings():
    """What the functions are told, each as (name, value)."""
    functions = boto3.client("lambda").list_functions()["Functions"]
    return [pair for function in functions for pair in function["Environment"]["Variables"].items()]


@mock_aws
def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        template, names = without_the_unknown(json.load(file))
    bucket_with_code()
    cloudformation = boto3.client("cloudformation")
    always = {name for name in names if "Condition" not in template["Resources"][name]}
    outputs = create(cloudformation, "channel-janitor", template, always, ACCOUNT)
    expect("janitor connect" in outputs["NextStep"], "NextStep says the next command")
    expect(("SWEEP_MODE", "observe") in settings(), "a first deployment observes")
    empty = [name for name, value in settings() if value == ""]
    expect(not empty, f"{empty} are set to nothing")

    # Beside the first one: two stacks in one account must not fight over a name.
    unknown = set(ALL_SET) - set(template["Parameters"])
    expect(not unknown, f"there are no parameters {sorted(unknown)}")
    outputs = create(cloudformation, "another", template, names, {**ACCOUNT, **ALL_SET})
    expect(outputs["WebhookUrl"] == ALL_SET["WebhookUrl"], "the webhook's URL is the one that was given")
    for setting in (("SWEEP_MODE", "act"), ("TWILIO_REGION", "ie1"), ("WEBHOOK_URL", ALL_SET["WebhookUrl"])):
        expect(setting in settings(), f"the functions are told {setting}")
    print(f"{len(always)} resources were created, and {len(names)} beside them")


main()
