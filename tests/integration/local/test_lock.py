"""The local cloud serializes calls: concurrent additions are exact with its lock, and are lost without it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from tests.local.aws.endpoint import ADMIN
from tests.local.stack import Stack
from tests.local.toy.calling import row

pytest_plugins = ["tests.local.toy.fixture"]

ADDS, THREADS = 1000, 8


class Adder:
    """Adds to one counter in many concurrent threads."""

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


def test_lock_keeps_a_thousand_concurrent_adds_exact(toy: Stack, things: str) -> None:
    Adder(toy.aws_url, things).add(ADDS)
    assert row(toy, things, "counter")["tries"] == {"N": str(ADDS)}


@pytest.fixture
def bare_moto() -> Iterator[str]:
    """Start moto's own threaded server, which is the local stack without its lock."""
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


def test_missing_lock_loses_concurrent_adds(toy: Stack, bare_moto: str) -> None:
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
