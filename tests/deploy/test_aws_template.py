"""The template for AWS: a stack of it has what a site needs, and its functions may do what they do."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from support.cloudformation import ACTIONS_OF_S3, Stack, granted
from support.sites import REPOSITORY
from warehouse14.adapters.dynamodb import schema
from warehouse14.adapters.s3.opening import BLOBS
from warehouse14.aws_lambda import _MAKERS
from warehouse14.bootstrap import assemble
from warehouse14.domain.services.incomingtexts import ERROR
from warehouse14.settings import settings_of_variables

CFN_LINT = Path(sys.executable).parent / "cfn-lint"
TEMPLATE = REPOSITORY / "deploy/aws/template.yaml"
BUCKET = "example-packages"
HANDLERS = {
    "HttpFunction": "http",
    "GateFunction": "gate",
    "S3EventsFunction": "s3_events",
    "UpkeepFunction": "upkeep",
}
#: What a deployment of the API is a copy of.
_COPIED = {
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Resource",
    "AWS::ApiGateway::Method",
    "AWS::ApiGateway::GatewayResponse",
}
#: Where the adapter says which request it makes.
_CALLS_OF_S3 = (
    r"client\.([a-z_]+)\(",
    r"_pages(?:\(|,)\s*\"(\w+)\"",
    r"get_paginator\(\"(\w+)\"",
    r"generate_presigned_url\(\s*\"(\w+)\"",
)


def stack(**parameters: Any) -> Stack:
    """Return the stack with everything that may be left out."""
    given = {
        "BucketName": BUCKET,
        "AlarmEmail": "ops@example.com",
        "DomainName": "packages.example.com",
        "CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/1",
        "IncomingAccount": "robot",
        "SettingsFile": "site.ini",
        "SecretArns": ["arn:aws:secretsmanager:us-east-1:123456789012:secret:corp-AbCdEf"],
    }
    return Stack(TEMPLATE, given | parameters, {})


def least() -> Stack:
    """Return the stack of somebody who says what must be said alone."""
    return Stack(TEMPLATE, {"BucketName": BUCKET}, {})


def variables(function: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = function["Environment"]["Variables"]
    return found


@pytest.mark.thorough
def test_cfn_lint_finds_nothing() -> None:
    words = [CFN_LINT, "--include-checks", "I", "--non-zero-exit-code", "informational"]
    done = subprocess.run([*words, TEMPLATE], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_each_handler_has_its_function() -> None:
    functions = stack().of_type("AWS::Lambda::Function")
    assert {name: function["Handler"] for name, function in functions.items()} == {
        name: f"warehouse14.aws_lambda.{handler}" for name, handler in HANDLERS.items()
    }
    assert set(HANDLERS.values()) == set(_MAKERS)


#: Each function of the stack with everything, and those of one with the least.
_MADE = [
    pytest.param(name, whole, marks=[] if (name, whole) == ("HttpFunction", True) else [pytest.mark.thorough])
    for name in HANDLERS
    for whole in (True, False)
    if (name, whole) != ("S3EventsFunction", False)
]


@pytest.mark.parametrize(("name", "whole"), _MADE)
def test_a_site_starts_with_the_settings_of_each_function(name: str, whole: bool) -> None:
    function = (stack() if whole else least()).of_type("AWS::Lambda::Function")[name]
    settings = settings_of_variables(variables(function))
    named = [settings.pop(key) for key in list(settings) if key.endswith("_arn")]
    assert named == (["Secret"] if whole or name == "HttpFunction" else [])
    warehouse, site, _ = assemble(settings, {})
    warehouse.close()
    assert (site.url is not None) == (name == "HttpFunction")


def test_a_site_has_the_address_that_people_use() -> None:
    assert variables(stack().of_type("AWS::Lambda::Function")["HttpFunction"])["WAREHOUSE14_URL"] == (
        "https://packages.example.com"
    )
    plain = least()
    assert variables(plain.of_type("AWS::Lambda::Function")["HttpFunction"])["WAREHOUSE14_URL"] == (
        "https://Api.execute-api.us-east-1.amazonaws.com/index"
    )
    assert not plain.of_type("AWS::ApiGateway::RestApi")["Api"]["DisableExecuteApiEndpoint"]
    assert stack().of_type("AWS::ApiGateway::RestApi")["Api"]["DisableExecuteApiEndpoint"]


def test_the_stage_changes_when_an_address_is_closed_or_opened() -> None:
    named, plain = (made.of_type("AWS::ApiGateway::Stage")["ApiStage"] for made in (stack(), least()))
    assert named != plain


def test_the_table_is_what_init_makes() -> None:
    [table] = stack().of_type("AWS::DynamoDB::Table").values()
    assert table == {
        "KeySchema": schema._SCHEMA,
        "AttributeDefinitions": schema._ATTRIBUTES,
        "BillingMode": "PAY_PER_REQUEST",
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "TimeToLiveSpecification": {"AttributeName": schema._ENDS, "Enabled": True},
        "DeletionProtectionEnabled": True,
    }


def test_a_table_that_was_restored_takes_the_place_of_that_of_the_stack_everywhere() -> None:
    restored = stack(RestoredTable="packages-restored")
    for name, function in restored.of_type("AWS::Lambda::Function").items():
        assert variables(function)["WAREHOUSE14_METADATA_TABLE"] == "packages-restored"
        role = restored.of_type("AWS::IAM::Role")[name.replace("Function", "Role")]
        tables = {resource for action, resource in granted(role) if action.startswith("dynamodb:")}
        assert tables == {"arn:aws:dynamodb:us-east-1:123456789012:table/packages-restored"}
    alarms = restored.of_type("AWS::CloudWatch::Alarm")
    for name in ("TableReadThrottles", "TableWriteThrottles"):
        assert alarms[name]["Dimensions"] == [{"Name": "TableName", "Value": "packages-restored"}]


def test_the_bucket_is_closed_and_no_rule_of_it_touches_a_blob() -> None:
    [bucket] = stack().of_type("AWS::S3::Bucket").values()
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    [policy] = stack().of_type("AWS::S3::BucketPolicy").values()
    [statement] = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert "CorsConfiguration" not in bucket
    staging, incoming = bucket["LifecycleConfiguration"]["Rules"]
    parts = {"DaysAfterInitiation": 1}
    for rule, name in ((staging, "staging"), (incoming, "incoming")):
        assert rule["Prefix"] == default_of(name)
        assert not BLOBS.startswith(rule["Prefix"])
        assert rule["AbortIncompleteMultipartUpload"] == parts
        assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}
    assert staging["ExpirationInDays"] == 1
    assert not [key for key in incoming if key.startswith("Expiration")]


def test_the_bucket_tells_of_what_comes_and_goes_below_incoming_alone() -> None:
    [bucket] = stack().of_type("AWS::S3::Bucket").values()
    told = bucket["NotificationConfiguration"]["QueueConfigurations"]
    assert [one["Event"] for one in told] == ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]
    for one in told:
        assert one["Queue"] == "IncomingEvents.Arn"
        assert one["Filter"] == {"S3Key": {"Rules": [{"Name": "prefix", "Value": default_of("incoming")}]}}
    [plain] = least().of_type("AWS::S3::Bucket").values()
    assert not plain.keys() & {"NotificationConfiguration", "Tags"}


def default_of(key: str) -> str:
    """Return the prefix that the adapter takes where no setting says one."""
    bare = {"metadata": "memory", "files": "s3", "files.bucket": BUCKET}
    warehouse, _, _ = assemble({f"warehouse14.{name}": value for name, value in bare.items()}, {})
    warehouse.close()
    return str(getattr(warehouse.store._options, key))


def test_what_people_would_miss_stays_when_the_stack_goes() -> None:
    for kind in ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::S3::BucketPolicy"):
        for resource in stack().resources.values():
            if resource["Type"] == kind:
                assert resource["DeletionPolicy"].startswith("Retain")
                assert resource["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("name", HANDLERS)
def test_a_role_is_for_one_function_and_names_what_it_may_touch(name: str) -> None:
    whole = stack()
    role = name.replace("Function", "Role")
    function = whole.of_type("AWS::Lambda::Function")[name]
    assert function["Role"] == f"{role}.Arn"
    log = name.replace("Function", "Log")
    assert function["LoggingConfig"]["LogGroup"] == log
    for action, resource in granted(whole.of_type("AWS::IAM::Role")[role]):
        assert "*" not in action
        assert "*" not in resource.removesuffix(ERROR).removesuffix("/*")
        if action.startswith("logs:"):
            assert resource == f"{log}.Arn"


def test_the_functions_together_may_ask_s3_for_what_the_adapter_asks_and_no_more() -> None:
    source = "\n".join(
        path.read_text(encoding="utf-8") for path in (REPOSITORY / "src/warehouse14/adapters/s3").glob("*.py")
    )
    called = {name for call in _CALLS_OF_S3 for name in re.findall(call, source)}
    # They find the bucket made; the rest is of the client itself.
    called -= {"create_bucket", "close", "get_paginator", "generate_presigned_url"}
    operations = [name.title().replace("_", "") for name in called]
    actions = {ACTIONS_OF_S3.get(operation, operation) for operation in operations}
    roles = stack().of_type("AWS::IAM::Role").values()
    allowed = {action for role in roles for action, _ in granted(role) if action.startswith("s3:")}
    assert allowed == {f"s3:{action}" for action in actions}


def test_below_incoming_nothing_but_texts_is_written() -> None:
    for role in stack().of_type("AWS::IAM::Role").values():
        written = {resource for action, resource in granted(role) if action == "s3:PutObject"}
        assert {name for name in written if "/incoming/" in name} <= {
            f"arn:aws:s3:::{BUCKET}/incoming/*{ERROR}"
        }


def test_whoever_takes_in_no_files_may_not_touch_incoming() -> None:
    for role in least().of_type("AWS::IAM::Role").values():
        assert not [resource for _, resource in granted(role) if "incoming" in resource]
    assert "incoming" not in json.dumps(granted(stack().of_type("AWS::IAM::Role")["HttpRole"]))


def test_without_a_file_of_settings_only_what_answers_requests_reads_the_secret_of_the_site() -> None:
    for name, role in least().of_type("AWS::IAM::Role").items():
        secrets = [resource for action, resource in granted(role) if action.startswith("secretsmanager:")]
        assert secrets == (["Secret"] if name == "HttpRole" else [])


def test_somebody_is_told_when_anything_fails() -> None:
    whole = stack()
    alarms = whole.of_type("AWS::CloudWatch::Alarm").values()
    found = set()
    for alarm in alarms:
        assert alarm["AlarmActions"] == ["Alerts"]
        found |= {(alarm["MetricName"], dimension["Value"]) for dimension in alarm["Dimensions"]}
    for function in HANDLERS:
        assert {("Errors", function), ("Throttles", function)} <= found
    assert {("ReadThrottleEvents", "Table"), ("WriteThrottleEvents", "Table"), ("5XXError", "index")} <= found
    assert ("AsyncEventsDropped", "GateFunction") in found
    assert ("ApproximateNumberOfMessagesVisible", "DroppedEvents.QueueName") in found
    assert whole.of_type("AWS::SNS::Subscription")["AlertsByMail"]["Endpoint"] == "ops@example.com"


def test_an_error_is_told_of_however_long_the_run_took_that_failed() -> None:
    whole = stack()
    for name, function in whole.of_type("AWS::Lambda::Function").items():
        alarm = whole.of_type("AWS::CloudWatch::Alarm")[name.replace("Function", "Errors")]
        # The period that is not over yet is not looked at.
        looked_at = (alarm["EvaluationPeriods"] - 1) * alarm["Period"]
        assert function["Timeout"] <= max(looked_at, 30), name
        assert alarm.get("DatapointsToAlarm", 1) == 1


@pytest.mark.parametrize("name", ["Http", "Gate"])
def test_runs_of_a_function_are_limited_and_kept_if_that_is_wished(name: str) -> None:
    limit = "ReservedConcurrentExecutions"
    assert limit not in stack().resources[f"{name}Function"]["Properties"]
    wished = stack(**{f"{name}Concurrency": 3}).resources
    assert [
        (function, resource["Properties"][limit])
        for function, resource in wished.items()
        if limit in resource.get("Properties", {})
    ] == [(f"{name}Function", 3)]


def test_however_many_files_come_few_are_taken_in_at_once() -> None:
    [mapping] = stack().of_type("AWS::Lambda::EventSourceMapping").values()
    assert (mapping["FunctionName"], mapping["EventSourceArn"]) == ("S3EventsFunction", "IncomingEvents.Arn")
    assert (mapping["BatchSize"], mapping["ScalingConfig"]) == (1, {"MaximumConcurrency": 2})
    invoked_by = {
        permission["Principal"] for permission in stack().of_type("AWS::Lambda::Permission").values()
    }
    assert "s3.amazonaws.com" not in invoked_by


def test_no_event_comes_again_while_the_function_is_at_it() -> None:
    queue = stack().of_type("AWS::SQS::Queue")["IncomingEvents"]
    assert (
        queue["VisibilityTimeout"]
        >= 6 * stack().of_type("AWS::Lambda::Function")["S3EventsFunction"]["Timeout"]
    )


def test_the_queue_of_events_takes_what_the_bucket_tells_and_nothing_else() -> None:
    [policy] = stack().of_type("AWS::SQS::QueuePolicy").values()
    [statement] = policy["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
    assert statement["Condition"] == {
        "ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{BUCKET}"},
        "StringEquals": {"aws:SourceAccount": "123456789012"},
    }
    for queue in stack().of_type("AWS::SQS::Queue").values():
        assert queue["SqsManagedSseEnabled"] is True


def test_an_event_of_the_bucket_that_is_given_up_is_kept_and_no_id_of_an_upload() -> None:
    queue = stack().of_type("AWS::SQS::Queue")["IncomingEvents"]
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == "DroppedEvents.Arn"
    told = stack().of_type("AWS::Lambda::EventInvokeConfig")
    assert "DestinationConfig" not in told["GateInvocations"]
    for name, function in stack().of_type("AWS::Lambda::Function").items():
        assert "DeadLetterConfig" not in function, name


def test_the_upkeep_is_not_tried_again() -> None:
    told = stack().of_type("AWS::Lambda::EventInvokeConfig")
    assert told["UpkeepInvocations"]["MaximumRetryAttempts"] == 0


def test_what_the_platform_refuses_as_too_large_names_the_command_and_its_failures_can_be_tried_again() -> (
    None
):
    answers = {
        answer["ResponseType"]: answer
        for answer in stack().of_type("AWS::ApiGateway::GatewayResponse").values()
    }
    for kind in ("REQUEST_TOO_LARGE", "DEFAULT_4XX"):
        template = answers[kind]["ResponseTemplates"]["application/json"]
        said = json.loads(template.replace("$context.error.messageString", '"Request Too Long"'))
        assert any("`warehouse14 upload`" in text for text in said.values())
    assert "StatusCode" not in answers["DEFAULT_4XX"]
    for kind, status in (("DEFAULT_5XX", "503"), ("THROTTLED", "429")):
        assert answers[kind]["StatusCode"] == status
        assert answers[kind]["ResponseParameters"]["gatewayresponse.header.Retry-After"].strip("'").isdigit()


def test_a_deployment_is_made_anew_when_the_api_changes() -> None:
    resources = stack().template["Resources"]
    copied = {name: resource for name, resource in resources.items() if resource["Type"] in _COPIED}
    digest = sha256(json.dumps(copied, sort_keys=True).encode()).hexdigest()[:8]
    [name] = [
        name for name, resource in resources.items() if resource["Type"] == "AWS::ApiGateway::Deployment"
    ]
    assert name == f"Deployment{digest}"
    assert set(resources[name]["DependsOn"]) == {
        name for name in copied if copied[name]["Type"].endswith(("Method", "GatewayResponse"))
    }
