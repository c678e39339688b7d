"""The local AWS endpoint: policies enforced, calls recorded, one call at a time, events and schedules delivered."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.local.aws import ADMIN
from tests.local.stack import Stack
from tests.local.toy.calling import call

pytest_plugins = ["tests.local.toy.fixture"]

ADDS, THREADS = 1000, 8


def ask(toy: Stack, service: str, method: str, **arguments: Any) -> Any:
    """What CallerFunction gets when it makes this call: `code` is None if it was allowed."""
    event = {"service": service, "method": method, "arguments": arguments}
    return toy.invoke("CallerFunction", event).content


def row(toy: Stack, things: str, key: str) -> dict[str, Any]:
    found: dict[str, Any] = toy.client("dynamodb").get_item(TableName=things, Key={"id": {"S": key}})
    return dict(found.get("Item", {}))


def test_a_policy_allows_what_it_names(toy: Stack, things: str) -> None:
    toy.calls.clear()
    assert ask(toy, "dynamodb", "put_item", TableName=things, Item={"id": {"S": "a"}})["code"] is None
    assert ask(toy, "dynamodb", "get_item", TableName=things, Key={"id": {"S": "a"}})["code"] is None
    arn = toy.client("dynamodb").describe_table(TableName=things)["Table"]["TableArn"]
    assert {("CallerFunction", "dynamodb:PutItem", arn), ("CallerFunction", "dynamodb:GetItem", arn)} <= (
        toy.permissions.used
    )
    assert toy.calls.of("CallerFunction") == [("dynamodb", "PutItem"), ("dynamodb", "GetItem")]


def test_a_refusal_names_function_action_and_resource(toy: Stack, things: str) -> None:
    refused = ask(toy, "dynamodb", "scan", TableName=things)
    assert refused["code"] == "AccessDeniedException"
    assert (
        f"CallerFunction is not allowed dynamodb:Scan on arn:aws:dynamodb:us-east-1:123456789012:table/{things}"
        in (refused["message"])
    )


def test_an_index_is_a_resource_of_its_own(toy: Stack, things: str) -> None:
    condition = {"KeyConditionExpression": "kind = :k", "ExpressionAttributeValues": {":k": {"S": "x"}}}
    assert ask(toy, "dynamodb", "query", TableName=things, IndexName="by_kind", **condition)["code"] is None
    other = ask(toy, "dynamodb", "query", TableName=things, IndexName="by_kind_again", **condition)
    assert other["code"] == "AccessDeniedException"
    assert "/index/by_kind_again" in other["message"]


def test_batches_and_transactions_are_judged_by_their_parts(toy: Stack, things: str) -> None:
    put = {"Put": {"TableName": things, "Item": {"id": {"S": "t"}}}}
    check = {"ConditionCheck": {"TableName": things, "Key": {"id": {"S": "a"}}, "ConditionExpression": "size(id) > 0"}}
    assert ask(toy, "dynamodb", "transact_write_items", TransactItems=[put])["code"] is None
    both = ask(toy, "dynamodb", "transact_write_items", TransactItems=[put, check])
    assert "dynamodb:ConditionCheckItem" in both["message"]
    batch = {things: [{"PutRequest": {"Item": {"id": {"S": "b"}}}}]}
    assert "dynamodb:BatchWriteItem" in ask(toy, "dynamodb", "batch_write_item", RequestItems=batch)["message"]
    get = [{"Get": {"TableName": things, "Key": {"id": {"S": "t"}}}}]
    assert ask(toy, "dynamodb", "transact_get_items", TransactItems=get)["code"] is None


def test_keys_open_only_in_the_right_context(toy: Stack) -> None:
    key = toy.environment("CallerFunction")["SECRETS_KEY"]
    good = {"stage": "local", "user_id": "ann"}
    sealed = ask(toy, "kms", "encrypt", KeyId=key, Plaintext="b64:aGVsbG8=", EncryptionContext=good)
    assert sealed["code"] is None
    blob = sealed["answer"]["CiphertextBlob"]
    opened = ask(toy, "kms", "decrypt", KeyId=key, CiphertextBlob=blob, EncryptionContext=good)
    assert opened["answer"]["Plaintext"] == "b64:aGVsbG8="
    assert ask(toy, "kms", "decrypt", CiphertextBlob=blob, EncryptionContext=good)["code"] is None
    for context in ({"stage": "local"}, {"stage": "prod", "user_id": "ann"}, {}):
        refused = ask(toy, "kms", "encrypt", KeyId=key, Plaintext="b64:aGVsbG8=", EncryptionContext=context)
        assert refused["code"] == "AccessDeniedException"
    stranger = ask(toy, "kms", "decrypt", CiphertextBlob=blob, EncryptionContext={**good, "user_id": "bob"})
    assert stranger["code"] == "InvalidCiphertextException"


def test_objects_are_judged_by_method_and_path(toy: Stack) -> None:
    bucket = toy.environment("CallerFunction")["MEDIA_BUCKET"]
    put = {"Bucket": bucket, "Body": "b64:aGVsbG8="}
    assert ask(toy, "s3", "put_object", Key="media/exe_1/a b", **put)["code"] is None
    assert ask(toy, "s3", "put_object", Key="other/x", **put)["code"] == "AccessDenied"
    assert ask(toy, "s3", "get_object", Bucket=bucket, Key="media/exe_1/a b")["code"] == "AccessDenied"
    assert ask(toy, "s3", "list_objects_v2", Bucket=bucket)["code"] == "AccessDenied"
    stored = toy.client("s3").get_object(Bucket=bucket, Key="media/exe_1/a b")
    assert stored["Body"].read() == b"hello"


def test_what_is_not_recognised_is_refused(toy: Stack) -> None:
    refused = ask(toy, "kms", "list_keys")
    assert refused["message"] == "CallerFunction called kms:ListKeys, which the local stack does not know"
    refused = ask(toy, "sts", "get_caller_identity")
    assert refused["code"] == "AccessDenied"
    assert refused["message"] == "CallerFunction called sts:GetCallerIdentity, which the local stack does not know"
    assert call(toy.aws_url, "GET", "/bucket/key").status == 403


def test_functions_invoke_one_another_only_with_permission(toy: Stack) -> None:
    assert ask(toy, "lambda", "invoke", FunctionName="EchoFunction", Payload="{}")["code"] is None
    assert ask(toy, "lambda", "invoke", FunctionName="ActFunction", Payload="{}")["code"] == "AccessDeniedException"


def test_events_reach_the_functions_whose_patterns_match(toy: Stack, things: str) -> None:
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
def test_deliveries_are_tried_three_times(toy: Stack, things: str, failures: int, tries: str) -> None:
    event = {"detail-type": f"fails {failures}", "detail": {"failures": failures}}
    toy.invoke("ListenerFunction", event, asynchronous=True)
    toy.settle()
    assert row(toy, things, f"fails {failures}")["tries"] == {"N": tries}


def test_schedules_are_fired_by_hand(toy: Stack, things: str) -> None:
    toy.fire("ListenerFunction")
    toy.settle()
    assert row(toy, things, "Scheduled Event")["tries"] == {"N": "1"}
    with pytest.raises(KeyError):
        toy.fire("EchoFunction")


def test_anybody_on_this_machine_may_invoke(toy: Stack) -> None:
    door = "/2015-03-31/functions/{}/invocations"
    event = {"detail-type": "by hand", "detail": {}}
    queued = call(toy.aws_url, "POST", door.format("ListenerFunction"), event, **{"X-Amz-Invocation-Type": "Event"})
    assert queued.status == 202
    failed = call(toy.aws_url, "POST", door.format("ActFunction"), {"do": "raise"})
    assert (failed.status, failed.headers["X-Amz-Function-Error"]) == (200, "Unhandled")
    assert failed.json["errorMessage"] == "as ordered"
    assert call(toy.aws_url, "POST", door.format("Nobody"), {}).status == 404
    toy.settle()
    client = toy.client("lambda")
    assert client.invoke(FunctionName="ActFunction", Payload=b'{"do": "pid"}')["StatusCode"] == 200


class Adder:
    """Adds to one counter with many threads, as fast as they can."""

    def __init__(self, url: str, table: str) -> None:
        self._host = urlsplit(url).netloc
        body = {
            "TableName": table,
            "Key": {"id": {"S": "counter"}},
            "UpdateExpression": "ADD tries :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
        self._body = json.dumps(body)

    def add(self, times: int) -> None:
        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(self._add_some, [times // THREADS] * THREADS))

    def _add_some(self, times: int) -> None:
        connection = HTTPConnection(self._host)
        credential = f"Credential={ADMIN}/20260101/us-east-1/dynamodb/aws4_request"
        headers = {
            "Authorization": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=x",
            "X-Amz-Target": "DynamoDB_20120810.UpdateItem",
            "Content-Type": "application/x-amz-json-1.0",
        }
        for _ in range(times):
            connection.request("POST", "/", self._body, headers)
            connection.getresponse().read()
        connection.close()


def test_a_thousand_concurrent_adds_are_exact(toy: Stack, things: str) -> None:
    Adder(toy.aws_url, things).add(ADDS)
    assert row(toy, things, "counter")["tries"] == {"N": str(ADDS)}


@pytest.fixture
def bare_moto() -> Iterator[str]:
    """Moto's own threaded server: the local stack without its lock."""
    program = """
import sys
sys.setswitchinterval(1e-6)
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    with process:
        assert process.stdout
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.kill()


def test_without_the_lock_adds_get_lost(toy: Stack, bare_moto: str) -> None:
    client = toy.client("dynamodb", endpoint_url=bare_moto)
    client.create_table(
        TableName="T",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    adder, added, counted = Adder(bare_moto, "T"), 0, 0
    while added == counted < ADDS:
        adder.add(200)
        added += 200
        counted = int(client.get_item(TableName="T", Key={"id": {"S": "counter"}})["Item"]["tries"]["N"])
    assert counted < added
