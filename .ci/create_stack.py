"""Creates the translated template as a stack in moto's CloudFormation: with the defaults, and beside it with all that may be set.

With the translated template of an earlier version as a second argument, it also updates a stack of that version to this one,
rolls it back, and moves it to a restored table: the records have to be there after each step.

What moto does not know (function URLs, schedules, alarms) it leaves out; `check_template.py` looks at those. What this
finds are references that lead nowhere, conditions that break, and parameters that don't fit their own patterns.
"""

import io
import json
import os
import re
import sys
import zipfile
from pathlib import Path

# Never a real account, whatever the environment holds.
os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_DEFAULT_REGION="us-east-1",
    MOTO_IAM_LOAD_MANAGED_POLICIES="false",
)

import boto3  # noqa: E402
from cloudwatch import Template  # noqa: E402
from moto import mock_aws  # noqa: E402

UNKNOWN_TO_MOTO = {
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::CompositeAlarm",
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
    "AlarmEmail": "on-call@example.com",
    "PermissionsBoundaryArn": "arn:aws:iam::123456789012:policy/boundary",
    "TableName": "restored-channels",
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
        if "Fn::Sub" in value:
            text, *values = value["Fn::Sub"] if isinstance(value["Fn::Sub"], list) else [value["Fn::Sub"]]
            for name in unknown:
                text = text.replace("${" + name + "}", "unknown-to-moto")
            return {"Fn::Sub": [text, *walk(values)] if values else text}
        return {key: walk(part) for key, part in value.items()}

    kept = {name: r for name, r in template["Resources"].items() if name not in unknown}
    return walk({**template, "Resources": kept})


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


def deploy(action, stack, template, parameters):
    """Creates or updates a stack, and gives back its outputs and the names of its resources."""
    cloudformation = boto3.client("cloudformation")
    # moto's updates stumble over resources whose condition does not hold.
    there = Template(template, parameters).resources
    names, template = set(there), {**template, "Resources": there}
    parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    do = {"create": cloudformation.create_stack, "update": cloudformation.update_stack}[action]
    do(StackName=stack, TemplateBody=json.dumps(template), Parameters=parameters, Capabilities=["CAPABILITY_IAM"])
    found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    expect(found["StackStatus"] == f"{action.upper()}_COMPLETE", f"{stack} is {found['StackStatus']}")
    made = {r.get("LogicalResourceId") for r in cloudformation.describe_stack_resources(StackName=stack)["StackResources"]}
    expect(names <= made, f"{stack} lacks {sorted(names - made)}")
    return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}, names


def settings():
    """What the functions are told, each as (name, value)."""
    functions = boto3.client("lambda").list_functions()["Functions"]
    return [pair for function in functions for pair in function["Environment"]["Variables"].items()]


RECORD = {"channel_sid": {"S": "CH" + "0" * 31 + "1"}, "due_queue": {"S": "ended#0"}, "since": {"N": "1700000000"}}


def expect_records(table):
    """The record is in the table, and in its index."""
    found = boto3.client("dynamodb").query(
        TableName=table,
        IndexName="due",
        KeyConditionExpression="due_queue = :queue",
        ExpressionAttributeValues={":queue": RECORD["due_queue"]},
    )["Items"]
    expect([item["channel_sid"] for item in found] == [RECORD["channel_sid"]], f"the records are in {table}")


def functions_of(stack):
    return [f for f in boto3.client("lambda").list_functions()["Functions"] if f["FunctionName"].startswith(f"{stack}-")]


def tables_in_use(stack):
    return {function["Environment"]["Variables"]["CHANNELS_TABLE"] for function in functions_of(stack)}


def tables_allowed(stack):
    """The tables that the roles of the functions let them use. moto does not change a role's policies in an update."""
    roles, tables = boto3.client("iam"), set()
    for role in {function["Role"].rsplit("/", 1)[1] for function in functions_of(stack)}:
        for policy in roles.list_role_policies(RoleName=role)["PolicyNames"]:
            # moto gives the document as the text of a Python value.
            document = str(roles.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"])
            tables |= set(re.findall(r":dynamodb:[^:]*:[0-9]*:table/([\w.-]+)", document))
    return tables


def check_changes(earlier, template):
    """Upgrade, roll back, restore, and back to the stack's own table: no step loses a record."""
    dynamodb, stack = boto3.client("dynamodb"), "upgraded"
    own = deploy("create", stack, earlier, ACCOUNT)[0]["TableName"]
    dynamodb.put_item(TableName=own, Item=RECORD)
    for step, version in (("upgrade", template), ("roll back", earlier), ("upgrade again", template)):
        outputs, _ = deploy("update", stack, version, ACCOUNT)
        expect(outputs["TableName"] == own, f"{step}: the table was replaced")
        expect_records(own)

    restored = ALL_SET["TableName"]
    dynamodb.restore_table_to_point_in_time(SourceTableName=own, TargetTableName=restored, UseLatestRestorableTime=True)
    for given, used in ((restored, restored), ("", own)):
        outputs, _ = deploy("update", stack, template, {**ACCOUNT, "TableName": given})
        expect(outputs["TableName"] == used and used in outputs["NextStep"], f"the outputs name {used}")
        expect(tables_in_use(stack) == {used}, f"the functions use {used}, not {tables_in_use(stack)}")
        expect_records(own)
    expect(dynamodb.describe_table(TableName=restored)["Table"]["ItemCount"] == 1, "the restored table has the record")


@mock_aws
def main():
    versions = [json.loads(Path(path).read_text(encoding="utf-8")) for path in sys.argv[1:]]
    template, *earlier = map(without_the_unknown, versions)
    bucket_with_code()
    outputs, always = deploy("create", "channel-janitor", template, ACCOUNT)
    expect("janitor connect" in outputs["NextStep"], "NextStep says the next command")
    expect(("SWEEP_MODE", "observe") in settings(), "a first deployment observes")
    empty = [name for name, value in settings() if value == ""]
    expect(not empty, f"{empty} are set to nothing")

    # Beside the first one: two stacks in one account must not fight over a name.
    unknown = set(ALL_SET) - set(template["Parameters"])
    expect(not unknown, f"there are no parameters {sorted(unknown)}")
    outputs, names = deploy("create", "another", template, {**ACCOUNT, **ALL_SET})
    expect(names == set(template["Resources"]), f"{sorted(set(template['Resources']) - names)} can't be had with all that may be set")
    expect(outputs["WebhookUrl"] == ALL_SET["WebhookUrl"], "the webhook's URL is the one that was given")
    for setting in (("SWEEP_MODE", "act"), ("TWILIO_REGION", "ie1"), ("WEBHOOK_URL", ALL_SET["WebhookUrl"])):
        expect(setting in settings(), f"the functions are told {setting}")
    for tables in (tables_in_use("another"), tables_allowed("another")):
        expect(tables == {ALL_SET["TableName"]}, f"the functions use, and may use, the table of TableName alone, not {tables}")
    subscriptions = boto3.client("sns").list_subscriptions()["Subscriptions"]
    expect([s["Endpoint"] for s in subscriptions] == [ALL_SET["AlarmEmail"]], "the address of AlarmEmail is subscribed")
    print(f"{len(always)} resources were created, and {len(names)} beside them")
    if earlier:
        check_changes(earlier[0], template)
        print("an earlier version was upgraded, rolled back and moved to a restored table, and kept its records")


if __name__ == "__main__":
    main()
