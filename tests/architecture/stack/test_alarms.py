"""The alarms report failures, throttled calls, dead letters and server errors."""

from typing import Any

import pytest

from tests.architecture.project import Json, resources
from tests.architecture.stack.failures import counts
from tests.architecture.stack.roles import if_encrypted, of_type

ALARMS = of_type("AWS::CloudWatch::Alarm")


def alarm_on(metric: str) -> Json:
    (found,) = (alarm for alarm in ALARMS.values() if alarm["MetricName"] == metric)
    return found


def dimensions(alarm: Json) -> dict[str, Json]:
    return {dimension["Name"]: dimension["Value"] for dimension in alarm.get("Dimensions", [])}


@pytest.mark.parametrize("name", ALARMS)
def test_alarm_notifies_the_topic_and_ignores_missing_data(name: str) -> None:
    alarm = ALARMS[name]
    assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]
    assert (alarm["Statistic"], alarm["TreatMissingData"]) == ("Sum", "notBreaching")


def test_alarm_metrics_belong_to_this_stack() -> None:
    assert len(ALARMS) == 4
    assert alarm_on("Failures")["Namespace"] == {"Ref": "AWS::StackName"}
    assert (alarm_on("Throttles")["Namespace"], dimensions(alarm_on("Throttles"))) == ("AWS/Lambda", {})
    letters = dimensions(alarm_on("ApproximateNumberOfMessagesVisible"))
    assert letters == {"QueueName": {"Fn::GetAtt": ["DeadLetterQueue", "QueueName"]}}
    (api,) = of_type("AWS::ApiGateway::RestApi").values()
    assert dimensions(alarm_on("5XXError")) == {"ApiName": api["Body"]["info"]["title"], "Stage": {"Ref": "Stage"}}


def test_failure_metric_filter_reads_the_shared_log_group() -> None:
    (failures,) = resources("AWS::Logs::MetricFilter").values()
    assert failures["Properties"]["LogGroupName"] == {"Ref": "LogGroup"}
    (metric,) = failures["Properties"]["MetricTransformations"]
    assert metric == {"MetricNamespace": {"Ref": "AWS::StackName"}, "MetricName": "Failures", "MetricValue": "1"}


@pytest.mark.parametrize(
    ("line", "counted"),
    [
        ({"level": "ERROR", "errorMessage": "boom", "errorType": "ValueError"}, True),
        ({"level": "ERROR", "message": "Something failed on our side."}, True),
        ({"level": "CRITICAL", "message": "boom"}, True),
        ({"level": "ERROR", "errorMessage": "Unauthorized", "errorType": "Exception"}, False),
        ({"level": "WARNING", "errorMessage": "boom"}, False),
        ({"level": "INFO", "message": "ERROR"}, False),
        ({"type": "platform.report", "record": {"status": "timeout", "requestId": "r"}}, True),
        ({"type": "platform.report", "record": {"status": "failure", "requestId": "r"}}, True),
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
