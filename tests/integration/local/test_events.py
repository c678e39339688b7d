"""Events, schedules and external invocations on the local stack."""

import json
from typing import Any

import pytest

from tests.local.stack import Stack
from tests.local.toy.calling import ask, call, row

pytest_plugins = ["tests.local.toy.fixture"]


def test_events_reach_functions_with_matching_patterns(toy: Stack, things: str) -> None:
    def entry(source: str, kind: str, **detail: Any) -> dict[str, str]:
        return {"Source": source, "DetailType": kind, "Detail": json.dumps(detail)}

    entries = [entry("toy", "thing.made", size=4), entry("toy", "thing.small", size=3), entry("toy", "other", size=4)]
    answer = ask(toy, "events", "put_events", Entries=[*entries, {**entries[0], "Detail": "[]"}])["answer"]
    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][3]["ErrorCode"] == "MalformedDetail"
    toy.settle()
    assert row(toy, things, "thing.made")["tries"] == {"N": "1"}
    assert row(toy, things, "thing.small") == row(toy, things, "other") == {}
    refused = ask(toy, "events", "put_events", Entries=[entry("stranger", "thing.made", size=4)])
    assert refused["code"] == "AccessDeniedException"


@pytest.mark.parametrize(("failures", "tries"), [(2, "3"), (9, "3")])
def test_event_delivery_retries_up_to_three_attempts(toy: Stack, things: str, failures: int, tries: str) -> None:
    event = {"detail-type": f"fails {failures}", "detail": {"failures": failures}}
    toy.invoke("ListenerFunction", event, asynchronous=True)
    toy.settle()
    assert row(toy, things, f"fails {failures}")["tries"] == {"N": tries}


def test_dead_letter_queue_keeps_the_failed_event(toy: Stack) -> None:
    url = toy.client("sqs").list_queues()["QueueUrls"][0]
    toy.client("sqs").purge_queue(QueueUrl=url)
    event = {"detail-type": "fails for good", "detail": {"failures": 9}}
    toy.invoke("ListenerFunction", event, asynchronous=True)
    toy.invoke("ListenerFunction", {"detail-type": "fails once", "detail": {"failures": 1}}, asynchronous=True)
    toy.settle()
    (message,) = toy.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    record = json.loads(message["Body"])
    assert record["requestPayload"] == event
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["responsePayload"]["errorMessage"] == "as ordered"


def test_fire_runs_the_schedule_of_a_function(toy: Stack, things: str) -> None:
    toy.fire("ListenerFunction")
    toy.settle()
    assert row(toy, things, "Scheduled Event")["tries"] == {"N": "1"}
    with pytest.raises(KeyError):
        toy.fire("EchoFunction")


def test_invoke_endpoint_accepts_unsigned_local_requests(toy: Stack) -> None:
    url = "/2015-03-31/functions/{}/invocations"
    event = {"detail-type": "by hand", "detail": {}}
    queued = call(toy.aws_url, "POST", url.format("ListenerFunction"), event, **{"X-Amz-Invocation-Type": "Event"})
    assert queued.status == 202
    failed = call(toy.aws_url, "POST", url.format("ActFunction"), {"do": "raise"})
    assert (failed.status, failed.headers["X-Amz-Function-Error"]) == (200, "Unhandled")
    assert failed.json["errorMessage"] == "as ordered"
    assert call(toy.aws_url, "POST", url.format("Nobody"), {}).status == 404
    toy.settle()
    client = toy.client("lambda")
    assert client.invoke(FunctionName="ActFunction", Payload=b'{"do": "pid"}')["StatusCode"] == 200
