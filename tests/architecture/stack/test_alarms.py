"""The alarms report failures, throttled calls, dead letters and server errors."""

from typing import Any

import pytest

from tests.architecture.project import Json, template
from tests.architecture.stack.failures import FILTERS, counts
from tests.architecture.stack.roles import if_encrypted, of_type

ALARMS = of_type("AWS::CloudWatch::Alarm")


def alarm_on(metric: str) -> Json:
    (found,) = (alarm for alarm in ALARMS.values() if alarm["MetricName"] == metric)
    return found


def dimensions(alarm: Json) -> dict[str, Json]:
    return {dimension["Name"]: dimension["Value"] for dimension in alarm.get("Dimensions", [])}


@pytest.mark.parametrize("name", ALARMS)
def test_alarm_notifies_the_topic(name: str) -> None:
    alarm = ALARMS[name]
    assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]
    assert alarm["Statistic"] == "Sum"
    assert alarm["TreatMissingData"] == ("breaching" if name == "CatalogAgeAlarm" else "notBreaching")


def test_alarm_metrics_belong_to_this_stack() -> None:
    counted = {body["Properties"]["MetricTransformations"][0]["MetricName"] for body in FILTERS.values()}
    ours = {alarm["MetricName"] for alarm in ALARMS.values() if alarm["Namespace"] == {"Ref": "AWS::StackName"}}
    assert ours == counted >= {"Failures", "LostExecutions", "CatalogSyncs"}
    assert (alarm_on("Throttles")["Namespace"], dimensions(alarm_on("Throttles"))) == ("AWS/Lambda", {})
    letters = dimensions(alarm_on("ApproximateNumberOfMessagesVisible"))
    assert letters == {"QueueName": {"Fn::GetAtt": ["DeadLetterQueue", "QueueName"]}}
    (api,) = of_type("AWS::ApiGateway::RestApi").values()
    assert dimensions(alarm_on("5XXError")) == {"ApiName": api["Body"]["info"]["title"], "Stage": {"Ref": "Stage"}}


def test_catalog_alarm_covers_hours_that_cloudwatch_can_evaluate() -> None:
    """An alarm on periods of an hour looks back seven days at most."""
    alarm, age = ALARMS["CatalogAgeAlarm"], template()["Parameters"]["CatalogMaxAgeHours"]
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (3600, {"Ref": "CatalogMaxAgeHours"})
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert age["MaxValue"] <= 7 * 24
    assert age["Default"] > 24, "the default schedule is daily"


@pytest.mark.parametrize("name", FILTERS)
def test_metric_filter_counts_lines_of_the_shared_log_group(name: str) -> None:
    properties = FILTERS[name]["Properties"]
    assert properties["LogGroupName"] == {"Ref": "LogGroup"}
    (metric,) = properties["MetricTransformations"]
    assert (metric["MetricNamespace"], metric["MetricValue"]) == ({"Ref": "AWS::StackName"}, "1")


@pytest.mark.parametrize(
    ("line", "counted"),
    [
        ({"level": "ERROR", "errorMessage": "boom", "errorType": "ValueError"}, True),
        ({"level": "ERROR", "message": "Something failed on our side."}, True),
        ({"level": "CRITICAL", "message": "boom"}, True),
        ({"log_level": "ERROR", "errorMessage": "boom", "errorType": "ValueError"}, True),
        ({"log_level": "CRITICAL", "message": "boom"}, True),
        ({"log_level": "ERROR", "errorMessage": "Unauthorized", "errorType": "Exception"}, False),
        ({"level": "ERROR", "errorMessage": "Unauthorized", "errorType": "Exception"}, False),
        ({"level": "WARNING", "errorMessage": "boom"}, False),
        ({"level": "INFO", "message": "ERROR"}, False),
        ({"type": "platform.report", "record": {"status": "timeout", "requestId": "r"}}, True),
        ({"type": "platform.report", "record": {"status": "failure", "requestId": "r"}}, True),
        ({"type": "platform.report", "record": {"status": "error", "errorType": "Runtime.ExitError"}}, True),
        ({"type": "platform.report", "record": {"status": "error", "errorType": "Runtime.OutOfMemory"}}, True),
        (
            {"type": "platform.initReport", "record": {"status": "error", "errorType": "Runtime.ImportModuleError"}},
            True,
        ),
        (
            {"type": "platform.report", "record": {"status": "error", "errorType": "Function.ResponseSizeTooLarge"}},
            True,
        ),
        ({"type": "platform.report", "record": {"status": "error", "errorType": "Exception"}}, False),
        ({"type": "platform.report", "record": {"status": "success", "requestId": "r"}}, False),
    ],
)
def test_failure_filter_counts_errors_but_ignores_rejected_tokens(line: dict[str, Any], counted: bool) -> None:
    assert counts(line) is counted


def test_alarm_topic_is_encrypted_and_requires_this_account_and_tls() -> None:
    (topic,) = of_type("AWS::SNS::Topic").values()
    assert topic == {"KmsMasterKeyId": if_encrypted({"Ref": "OperationsKey"})}
    (policy,) = of_type("AWS::SNS::TopicPolicy").values()
    tls, alarms = policy["PolicyDocument"]["Statement"]
    assert (tls["Effect"], tls["Principal"], tls["Action"]) == ("Deny", "*", "sns:Publish")
    assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert alarms["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
