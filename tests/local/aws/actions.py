"""Parses an AWS API call: its service, its operation, and the permissions that it requires."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from tests.local.api.server import Request
from tests.local.aws.arns import arn, function_arn, last_part

_SERVICES = {"DynamoDB_20120810": "dynamodb", "TrentService": "kms", "AWSEvents": "events", "AmazonSQS": "sqs"}
_TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}
_S3_OBJECT = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
_S3_BUCKET = {"GET": "ListBucket", "HEAD": "ListBucket"}
_S3_QUERY = re.compile(r"(X-Amz-.*|x-id|response-.*|list-type|prefix|delimiter|max-keys|continuation-token)$")
_S3_HEADERS = ("x-amz-copy-source", "x-amz-tagging", "x-amz-acl")  # each requires another action
_BARE_WORD = re.compile(r"(?<![#:.\w])[A-Za-z_]\w*\b(?!\s*\()")
_KEYWORDS = {"SET", "REMOVE", "ADD", "DELETE", "AND", "OR", "NOT", "BETWEEN", "IN"}
_INVOKE = re.compile(r"/2015-03-31/functions/([^/]+)/invocations$")


@dataclass(frozen=True)
class Need:
    """A required permission: one action on one resource, with the context keys for conditions."""

    action: str
    resource: str
    context: Mapping[str, str | list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One API call; a call without needs is unknown and always denied."""

    service: str
    operation: str
    needs: tuple[Need, ...]


def read_call(request: Request) -> Call:
    """Parse the API call of a request."""
    if invoked := _INVOKE.match(unquote(request.path)):
        need = Need("lambda:InvokeFunction", function_arn(last_part(invoked[1])))
        return Call("lambda", "Invoke", (need,))
    if target := request.header("X-Amz-Target"):
        prefix, _, operation = target.partition(".")
        service = _SERVICES.get(prefix, prefix)
        body = json.loads(request.body or b"{}")
        return Call(service, operation, tuple(_needs(service, operation, body)))
    if (service := _signed_for(request)) != "s3":
        action = parse_qs(request.body.decode("utf-8", "replace")).get("Action", [request.method])
        return Call(service, action[0], ())
    return _s3(request)


def _signed_for(request: Request) -> str:
    """The service in the signature's scope; S3 if there is no Authorization header, as with presigned URLs."""
    scope = re.search(r"Credential=[^/]+/[^/]+/[^/]+/([^/]+)/", request.header("Authorization") or "")
    return scope[1] if scope else "s3"


def _needs(service: str, operation: str, body: Any) -> Iterator[Need]:
    match service:
        case "dynamodb":
            yield from _dynamodb(operation, body)
        case "kms" if operation in ("Encrypt", "Decrypt", "GenerateDataKey"):
            given = body.get("EncryptionContext", {})
            values = {f"kms:EncryptionContext:{key}": value for key, value in given.items()}
            names = {"kms:EncryptionContextKeys": list(given)} if given else {}
            yield Need(f"kms:{operation}", _key(operation, body), values | names)
        case "sqs" if operation == "SendMessage":
            yield Need("sqs:SendMessage", arn("sqs", last_part(body["QueueUrl"])))
        case "events" if operation == "PutEvents":
            for entry in body.get("Entries", []):
                context = {"events:source": entry.get("Source"), "events:detail-type": entry.get("DetailType")}
                bus = arn("events", f"event-bus/{last_part(entry.get('EventBusName', 'default'))}")
                yield Need("events:PutEvents", bus, {k: v for k, v in context.items() if v is not None})


def _dynamodb(operation: str, body: Any) -> Iterator[Need]:
    match operation:
        case "UpdateItem":
            context = {"dynamodb:Attributes": sorted(_attributes(body)), **_leading_key(body)}
            yield Need("dynamodb:UpdateItem", _table(body["TableName"]), context)
        case "GetItem":
            yield Need("dynamodb:GetItem", _table(body["TableName"]), _leading_key(body))
        case "PutItem" | "DeleteItem" | "DescribeTable":
            yield Need(f"dynamodb:{operation}", _table(body["TableName"]))
        case "Query" | "Scan":
            index = f"/index/{body['IndexName']}" if "IndexName" in body else ""
            yield Need(f"dynamodb:{operation}", _table(body["TableName"]) + index)
        case "BatchGetItem" | "BatchWriteItem":
            for table in body["RequestItems"]:
                yield Need(f"dynamodb:{operation}", _table(table))
        case "TransactWriteItems" | "TransactGetItems":
            for item in body["TransactItems"]:
                for kind, part in item.items():
                    yield Need(f"dynamodb:{_TRANSACTION[kind]}", _table(part["TableName"]))


def _attributes(body: Any) -> set[str]:
    """The attributes that an update names: in its key, as `#placeholders`, and literally in its expressions."""
    expressions = f"{body.get('UpdateExpression', '')} {body.get('ConditionExpression', '')}"
    bare = {word for word in _BARE_WORD.findall(expressions) if word.upper() not in _KEYWORDS}
    return {*body["Key"], *body.get("ExpressionAttributeNames", {}).values(), *bare}


def _leading_key(body: Any) -> dict[str, list[str]]:
    """The partition key, if the key of the request has only one attribute."""
    keys = [value["S"] for value in body["Key"].values()]
    return {"dynamodb:LeadingKeys": keys} if len(keys) == 1 else {}


def _table(name: str) -> str:
    return name if name.startswith("arn:") else arn("dynamodb", f"table/{name}")


def _key(operation: str, body: Any) -> str:
    """The ARN of the key; for a Decrypt without KeyId, the key id is read from moto's ciphertext."""
    key = str(body.get("KeyId", ""))
    if operation == "Decrypt" and not key:
        key = base64.b64decode(body["CiphertextBlob"])[:36].decode("ascii", "replace")
    return key if key.startswith("arn:") else arn("kms", f"key/{key}")


def _s3(request: Request) -> Call:
    bucket, _, key = unquote(request.path).lstrip("/").partition("/")
    action = (_S3_OBJECT if key else _S3_BUCKET).get(request.method, request.method)
    resource = f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"
    plain = all(_S3_QUERY.match(name) for name in parse_qs(request.query, keep_blank_values=True))
    plain = plain and not any(request.header(name) for name in _S3_HEADERS)
    known = plain and bucket and action != request.method
    operation = {"HEAD": "HeadObject"}.get(request.method, action) if key else action
    return Call("s3", operation, (Need(f"s3:{action}", resource),) if known else ())
