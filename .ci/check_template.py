"""Checks promises of the translated template that no linter knows of."""

import json
import re
import sys
import tomllib
from pathlib import Path

with open(sys.argv[1], encoding="utf-8") as file:
    TEMPLATE = json.load(file)
RESOURCES = TEMPLATE["Resources"]
FAULTS = []

SETTINGS = {
    # for all
    "RUST_LOG",
    *("CHANNELS_TABLE", "NOTICE_BUS", "TWILIO_ACCOUNT_SID", "TWILIO_SECRET", "TWILIO_EDGE", "TWILIO_REGION"),
    # for those that must know our own webhook
    "WEBHOOK_URL",
    # for what speaks to Twilio
    *("TASKROUTER_WORKSPACE_SID", "CHAT_SERVICE_SID", "PROXY_SERVICE_SID"),
    # for sweep
    *("ABANDONED_CUTOFF", "ENDED_CUTOFF", "LONG_LIVED_CUTOFF", "RELEASE_LONG_LIVED", "INSPECT_AFTER", "ORPHAN_GRACE", "RETENTION"),
    *("QUIET_CUTOFF", "PUT_ASIDE_CUTOFF", "ORPHAN_CUTOFF"),
    *("SWEEP_MODE", "SWEEP_ACTION", "SWEEP_CONCURRENCY", "MAX_CLOSES_PER_SWEEP"),
    *("UNHEARD", "MAX_RESCUES_PER_SWEEP", "RESCUE_WITHIN"),
    # for sweep and checkup
    "WRAP_UP_LIMIT",
    # for checkup
    *("FLEX_JANITOR", "FLEX_LONG_LIVED"),
    # for park
    *("PARK_AFTER", "PARK_POLL_SECONDS", "PARK_TASK_CHANNELS", "PARK_ALLOWED_ORIGIN"),
}
# X-Ray knows no resources.
TRACES = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
# Only the operator can know these; a default would be wrong for everyone.
WITHOUT_DEFAULT = {"TwilioAccountSid"}
NO_VALUE = {"Ref": "AWS::NoValue"}
WEBHOOK_URL = str({"Fn::If": ["HasWebhookUrl", {"Ref": "WebhookUrl"}, {"Fn::GetAtt": ["IngestUrl", "FunctionUrl"]}]})
# What no parameter may be, whatever it is for: pasted with a quote, a placeholder, two values, a word of another alphabet.
WRONG = (" ", "two words", "'quoted'", "“AC”", "<your value>", "a;b", "a\nb", "$(id)", "é")


def expect(holds, fault):
    if not holds:
        FAULTS.append(fault)


def of_type(kind):
    return {name: r["Properties"] for name, r in RESOURCES.items() if r["Type"] == kind}


def arn(name):
    return {"Fn::GetAtt": [name, "Arn"]}


def as_list(value):
    return value if isinstance(value, list) else [value]


def strings(value):
    """Every string within a value, through all of CloudFormation's functions."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for part in value for text in strings(part)]
    return [value] if isinstance(value, str) else []


def statements(document):
    """The statements of a policy, with both sides of a condition."""
    for statement in as_list(document["Statement"]):
        sides = statement["Fn::If"][1:] if "Fn::If" in statement else [statement]
        yield from (side for side in sides if side != NO_VALUE)


def check_public_url():
    urls = of_type("AWS::Lambda::Url")
    called = sorted(url["TargetFunctionArn"]["Ref"] for url in urls.values())
    expect(called == ["Ingest", "ParkApi"], "only Ingest and ParkApi have a function URL")
    expect(not any("Cors" in url for url in urls.values()), "ParkApi answers preflights itself")
    public = {
        (p["FunctionName"].get("Ref"), p["Action"], p.get("FunctionUrlAuthType"), p.get("InvokedViaFunctionUrl"))
        for p in of_type("AWS::Lambda::Permission").values()
        if p["Principal"] == "*"
    }
    wanted = {
        (name, *permission)
        for name in ("Ingest", "ParkApi")
        for permission in (("lambda:InvokeFunctionUrl", "NONE", None), ("lambda:InvokeFunction", None, True))
    }
    expect(public == wanted, f"the public may do exactly {sorted(wanted, key=str)}, not {sorted(public, key=str)}")


def check_schedules():
    schedules = of_type("AWS::Scheduler::Schedule")
    expect(schedules, "there is a schedule")
    for name, schedule in schedules.items():
        target = schedule["Target"]
        retry = target.get("RetryPolicy", {})
        expect(schedule.get("ScheduleExpressionTimezone") == {"Ref": "ScheduleTimezone"}, f"{name} is told the time zone")
        expect(retry.get("MaximumRetryAttempts", 0) > 0, f"{name} retries a start")
        expect(60 <= retry.get("MaximumEventAgeInSeconds", 0) <= 3600, f"{name} gives a start up within the hour")
        expect(target.get("DeadLetterConfig", {}).get("Arn") == arn("DeadLetters"), f"{name} has a dead-letter queue")
        expect("Name" not in schedule, f"{name} has no fixed name, so that two stacks can live in one account")
    destinations = [c["DestinationConfig"]["OnFailure"]["Destination"] for c in of_type("AWS::Lambda::EventInvokeConfig").values()]
    expect(destinations and all(d == arn("DeadLetters") for d in destinations), "what fails goes to the dead letters")


def check_permissions():
    boundary = {"Fn::If": ["HasBoundary", {"Ref": "PermissionsBoundaryArn"}, NO_VALUE]}
    for name, role in of_type("AWS::IAM::Role").items():
        expect("ManagedPolicyArns" not in role, f"{name} has no managed policy")
        expect(role.get("PermissionsBoundary") == boundary, f"{name} is bounded by PermissionsBoundaryArn")
        for policy in role.get("Policies", []):
            for statement in statements(policy["PolicyDocument"]):
                if set(as_list(statement["Action"])) == TRACES:
                    continue
                wide = [text for text in strings([statement["Action"], statement["Resource"]]) if "*" in text]
                expect(not wide, f"{name} is allowed a wildcard: {wide}")
    roles = [str(function["Role"]) for function in of_type("AWS::Lambda::Function").values()]
    expect(len(roles) == len(set(roles)), "each function has a role of its own")
    for name, policy in of_type("AWS::SQS::QueuePolicy").items():
        for statement in statements(policy["PolicyDocument"]):
            source = statement.get("Condition", {}).get("ArnEquals", {}).get("aws:SourceArn")
            expect(source == arn("RejectedEventsRule"), f"{name} lets in nobody but the rule")


def check_table():
    tables = of_type("AWS::DynamoDB::Table")
    expect(list(tables) == ["Channels"], "there is one table, Channels")
    table = tables["Channels"]
    resource = RESOURCES["Channels"]
    attributes = {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]}
    expect(attributes == {"channel_sid": "S", "due_queue": "S", "since": "N"}, f"the key attributes are {attributes}")
    expect(table["KeySchema"] == [{"AttributeName": "channel_sid", "KeyType": "HASH"}], "Channels is keyed by channel_sid")
    due = {
        "IndexName": "due",
        "KeySchema": [
            {"AttributeName": "due_queue", "KeyType": "HASH"},
            {"AttributeName": "since", "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }
    expect(table.get("GlobalSecondaryIndexes") == [due], "Channels has the index due, by due_queue and since, keys only")
    ttl = {"AttributeName": "expires_at", "Enabled": True}
    expect(table.get("TimeToLiveSpecification") == ttl, "Channels expires by expires_at")
    recovery = table.get("PointInTimeRecoverySpecification", {})
    expect(recovery.get("PointInTimeRecoveryEnabled") is True, "Channels has point-in-time recovery")
    expect(table["BillingMode"] == "PAY_PER_REQUEST", "Channels is on demand")
    expect(table.get("DeletionProtectionEnabled") is True, "Channels is protected against deletion")
    for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
        expect(resource.get(policy) == "Retain", f"Channels has {policy} Retain")
    expect("Condition" not in resource, "Channels stays when TableName names another table")
    used = {"Fn::If": ["HasOtherTable", {"Ref": "TableName"}, {"Ref": "Channels"}]}
    for name, function in of_type("AWS::Lambda::Function").items():
        expect(function["Environment"]["Variables"]["CHANNELS_TABLE"] == used, f"{name} works with the table of TableName")
    other = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${TableName}"
    allowed = {
        str({"Fn::If": ["HasOtherTable", {"Fn::Sub": other}, arn("Channels")]}),
        str({"Fn::If": ["HasOtherTable", {"Fn::Sub": f"{other}/index/due"}, {"Fn::Sub": "${Channels.Arn}/index/due"}]}),
    }
    for name, role in of_type("AWS::IAM::Role").items():
        for policy in role.get("Policies", []):
            for statement in statements(policy["PolicyDocument"]):
                if any(action.startswith("dynamodb:") for action in as_list(statement["Action"])):
                    expect(str(statement["Resource"]) in allowed, f"{name} may use the table of TableName, or else Channels, and no other")


def check_functions():
    functions = of_type("AWS::Lambda::Function")
    expect(set(functions) == {"Ingest", "Sweep", "Park", "ParkApi", "Checkup"}, f"the functions are {sorted(functions)}")
    groups = of_type("AWS::Logs::LogGroup")
    maybe_empty = [{"Ref": name} for name, p in TEMPLATE["Parameters"].items() if p.get("Default") == ""]
    for name, function in functions.items():
        expect(function["Runtime"] == "provided.al2023", f"{name} runs on provided.al2023")
        expect(function["Architectures"] == ["arm64"], f"{name} runs on arm64")
        expect("ReservedConcurrentExecutions" in function, f"{name} has reserved concurrency")
        logging = function.get("LoggingConfig", {})
        expect((logging.get("LogFormat"), logging.get("SystemLogLevel")) == ("JSON", "WARN"), f"{name} logs JSON, the system's from WARN")
        group = groups.get(logging.get("LogGroup", {}).get("Ref"), {})
        expect("RetentionInDays" in group, f"{name} has a log group with a retention")
        for variable, value in function["Environment"]["Variables"].items():
            expect(variable in SETTINGS, f"{name} is given {variable}, which is not among the settings (or is a secret)")
            # Without pairs there is no Park to give them to.
            there = RESOURCES[name].get("Condition") == "Parks" and variable == "PARK_TASK_CHANNELS"
            expect(there or value not in maybe_empty, f"{name} may be given an empty {variable}")
        for variable in ("CHANNELS_TABLE", "NOTICE_BUS", "TWILIO_ACCOUNT_SID", "TWILIO_SECRET"):
            expect(variable in function["Environment"]["Variables"], f"{name} is given {variable}")
    # The sweep knows our webhook on a channel by the URL under which parking installed it.
    webhooks = {str(functions[name]["Environment"]["Variables"].get("WEBHOOK_URL")) for name in ("Sweep", "Park", "ParkApi", "Checkup")}
    expect(webhooks == {WEBHOOK_URL}, "Sweep, Park, ParkApi and Checkup know our webhook by the same URL")


def watched_by(alarm):
    """The metrics that an alarm looks at, as (namespace, name, whose)."""
    metrics = [m["MetricStat"]["Metric"] for m in alarm.get("Metrics", []) if "MetricStat" in m] or [alarm]
    return {(m["Namespace"], m["MetricName"], str(m["Dimensions"][0]["Value"])) for m in metrics}


def telling_alarms():
    """The alarms that tell people; the others are parts of these."""
    alarms = {**of_type("AWS::CloudWatch::Alarm"), **of_type("AWS::CloudWatch::CompositeAlarm")}
    return {name: alarm for name, alarm in alarms.items() if "AlarmActions" in alarm}


def check_queues_and_alarms():
    alarms = of_type("AWS::CloudWatch::Alarm")
    looked_at = set().union(*map(watched_by, alarms.values()))
    watched = {(name, whose) for _, name, whose in looked_at}
    queues = {"RejectedEvents": "ApproximateNumberOfMessagesVisible", "DeadLetters": "NumberOfMessagesSent"}
    for name, queue in of_type("AWS::SQS::Queue").items():
        expect(queue.get("SqsManagedSseEnabled") is True, f"{name} is encrypted")
        expect(queue.get("MessageRetentionPeriod") == 14 * 24 * 60 * 60, f"{name} keeps messages for 14 days")
        expect((queues[name], str({"Fn::GetAtt": [name, "QueueName"]})) in watched, f"an alarm watches the {queues[name]} of {name}")
    for name in of_type("AWS::Lambda::Function"):
        expect(("Errors", str({"Ref": name})) in watched, f"an alarm watches the errors of {name}")
    for metric, function in (("Throttles", "Ingest"), ("Duration", "Ingest"), ("Unavailable", "Ingest"), ("Missed", "Sweep"), ("Sweeps", "Sweep"), ("Throttles", "Park")):
        expect((metric, str({"Ref": function})) in watched, f"an alarm watches the {metric} of {function}")
    # Anyone can have these counted. Throttles count beside work that was late or lost.
    strangers = {"BadSignature", "Unsigned", "Url4xxCount", "Url5xxCount", "UrlRequestCount"} & {name for name, _ in watched}
    expect(not strangers, f"no alarm looks at what strangers can cause: {sorted(strangers)}")
    rules = " ".join(alarm["AlarmRule"]["Fn::Sub"] for alarm in of_type("AWS::CloudWatch::CompositeAlarm").values())
    topics = [{"Fn::If": ["HasAlarmTopic", {"Ref": "AlarmTopicArn"}, NO_VALUE]}, {"Fn::If": ["HasAlarmEmail", {"Ref": "AlarmTopic"}, NO_VALUE]}]
    telling = telling_alarms()
    for name, alarm in {**alarms, **telling}.items():
        expect(alarm.get("AlarmDescription"), f"{name} says what it means")
        if name in telling:
            expect(alarm["AlarmActions"] == alarm.get("OKActions") == topics, f"{name} tells the topic and the address of trouble and of its end")
        else:
            expect(f"${{{name}}}" in rules, f"{name} tells people, or is a part of an alarm that does")
    topic = of_type("AWS::SNS::Topic").get("AlarmTopic", {})
    expect(topic.get("Subscription") == [{"Protocol": "email", "Endpoint": {"Ref": "AlarmEmail"}}], "AlarmEmail is subscribed to the topic")
    check_figures({name for namespace, name, _ in looked_at if namespace == NAMESPACE})
    rule = of_type("AWS::Events::Rule").get("RejectedEventsRule", {})
    pattern = {"source": ["channel-janitor"], "detail-type": ["EventRejected"]}
    expect(rule.get("EventPattern") == pattern, "the rule takes rejected events")
    expect([t["Arn"] for t in rule.get("Targets", [])] == [arn("RejectedEvents")], "rejected events are kept")


def check_replies():
    rule = of_type("AWS::Events::Rule").get("RepliesRule", {})
    pattern = {"source": ["channel-janitor"], "detail-type": ["ReplyReceived"]}
    expect(rule.get("EventPattern") == pattern, "the rule takes replies")
    expect([t["Arn"] for t in rule.get("Targets", [])] == [arn("Park")], "replies wake Park")
    buses = [
        p for p in of_type("AWS::Lambda::Permission").values() if p["Principal"] == "events.amazonaws.com"
    ]
    expect([p.get("SourceArn") for p in buses] == [arn("RepliesRule")], "nobody but the rule wakes Park by the bus")


NAMESPACE = "ChannelJanitor"


def check_figures(watched):
    """What an alarm or the dashboard shows is told by a function, under this very name."""
    sources = [path for path in Path("functions").rglob("src/**/*.rs")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    told = set(re.findall(r"^\s+([A-Z][A-Za-z]+) = ", code, flags=re.MULTILINE))
    bodies = [d["DashboardBody"]["Fn::Sub"][0] for d in of_type("AWS::CloudWatch::Dashboard").values()]
    widgets = [w for body in bodies for w in json.loads(body)["widgets"]]
    shown = {m[1] for w in widgets for m in w["properties"]["metrics"] if m[0] == NAMESPACE}
    expect(shown, "the dashboard shows our own figures")
    for name in sorted(watched | shown):
        expect(name in told, f"the figure {name} is told by a function")
    for name in sorted(told):
        expect(name in shown, f"the dashboard shows {name}")


def check_runbook():
    """The runbook opens with stopping everything. Then each alarm has its section, and no section outlives its alarm."""
    text = Path("docs/runbook.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    named = [section.split("\n", 1)[0].strip() for section in sections]
    first, alarms = ["Stop everything", "Where to look"], sorted(telling_alarms())
    expect(named[:2] == first, f"the runbook begins with {first}")
    others = set(named[2:]) ^ set(alarms)
    expect(sorted(named[2:]) == alarms, f"the runbook has a section for each alarm and no other: {sorted(others)}")
    for name, section in list(zip(named, sections))[2:]:
        for part in ("**Means.**", "**Look.**", "**Do.**"):
            expect(part in section, f"the runbook's section {name} has {part}")
    for name in re.findall(r"see (?:the section )?([A-Z][a-z]+(?:[A-Z][a-z]+)+)\b", text):
        expect(name in named, f"the runbook refers to {name}, which has a section")


def check_regions():
    """The regions that the template refuses are those that the documentation names."""
    (assertion,) = TEMPLATE["Rules"]["RegionHasFunctionUrls"]["Assertions"]
    ((regions, region),) = [inner["Fn::Contains"] for inner in assertion["Assert"]["Fn::Not"]]
    expect(region == {"Ref": "AWS::Region"}, "the rule looks at the region")
    text = Path("docs/operations.md").read_text(encoding="utf-8")
    section = text.split("## Regions", 1)[-1].split("\n## ", 1)[0]
    named = re.findall(r"`([a-z]{2}(?:-gov)?-[a-z]+-[0-9])`", section)
    expect(sorted(named) == regions, f"docs/operations.md names the regions that are refused, and no other: {sorted(set(named) ^ set(regions))}")


def check_sam_settings():
    """A template that `sam build` left behind must not be deployed in the place of the present one."""
    settings = tomllib.loads(Path("samconfig.toml").read_text(encoding="utf-8"))["default"]
    named = {**settings["global"]["parameters"], **settings["deploy"]["parameters"]}.get("template_file")
    expect(named == "template.yaml", f"samconfig.toml lets sam deploy use template.yaml, not {named}")


def check_pages():
    """`sam deploy` refuses a bare NAME=, and ignores one beside another parameter."""
    for page in [Path("README.md"), Path("flex-plugin/README.md"), *sorted(Path("docs").glob("*.md"))]:
        emptied = set(re.findall(r"\b([A-Z]\w+)=(?=[`\s]|$)", page.read_text(encoding="utf-8")))
        emptied &= set(TEMPLATE["Parameters"])
        expect(not emptied, f"{page} writes NAME=\"\" in single quotes, not a bare NAME=: {sorted(emptied)}")


def check_parameters():
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    expect(grouped == list(TEMPLATE["Parameters"]), "every parameter stands in exactly one group, in the order in which it is asked for")
    few = [group["Label"]["default"].startswith("For few stacks") for group in groups]
    expect(any(few) and few == sorted(few), "what few stacks need comes last")
    for name, parameter in TEMPLATE["Parameters"].items():
        expect(parameter.get("Description"), f"{name} is described")
        bounded = {"AllowedPattern", "AllowedValues", "MinValue"} & set(parameter)
        expect(bounded and parameter.get("ConstraintDescription"), f"{name} is constrained, in words too")
        expect(("Default" in parameter) != (name in WITHOUT_DEFAULT), f"{name} has a default, or needs none")
        pattern = parameter.get("AllowedPattern")
        if pattern and "Default" in parameter:
            expect(re.fullmatch(pattern, parameter["Default"]), f"{name} allows its own default")
        for wrong in WRONG if pattern else ():
            expect(not re.search(pattern, wrong), f"{name} refuses {wrong!r}")
    mode = TEMPLATE["Parameters"].get("SweepMode", {}).get("Default")
    expect(mode == "observe", "a first deployment only observes")
    concurrency = TEMPLATE["Parameters"]["IngestConcurrency"]["Default"]
    expect(concurrency == 0, "the defaults deploy in a new account, which can reserve no concurrency")
    consoles = {"console.aws.amazon.com", "console.amazonaws.cn", "console.amazonaws-us-gov.com"}
    expect(consoles <= set(strings(TEMPLATE["Outputs"]["DashboardUrl"])), "DashboardUrl names the console of each partition")
    outputs = {"StopCommand", "WebhookUrl", "TableName", "BusName", "RejectedEventsQueueUrl", "DeadLettersQueueUrl", "DashboardUrl", "NextStep"}
    expect(outputs <= set(TEMPLATE["Outputs"]), f"the outputs hold {sorted(outputs)}")


check_public_url()
check_schedules()
check_permissions()
check_table()
check_functions()
check_queues_and_alarms()
check_replies()
check_parameters()
check_pages()
check_runbook()
check_regions()
check_sam_settings()
if FAULTS:
    sys.exit("template.yaml breaks its promises; expected:\n" + "\n".join(f"- {fault}" for fault in FAULTS))
print(f"{len(RESOURCES)} resources keep their promises")
