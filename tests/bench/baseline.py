"""A baseline for execute: the same calls with the same libraries, without validation, models and router.

It is a handler that runs from a copy and does not import the project.
"""

import json
import os
import uuid
from functools import cache
from typing import Any

import botocore.session
import httpx
from botocore.config import Config

_CONFIG = Config(parameter_validation=False)
_session = botocore.session.get_session()
dynamodb = _session.create_client("dynamodb", config=_CONFIG)
upstream = httpx.Client(trust_env=False)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Make the same AWS calls and the same upstream call as execute."""
    env, body = os.environ, json.loads(event["body"])
    limits = _key(name="runs#floor")
    dynamodb.update_item(**_set(env["LIMITS_TABLE"], limits, "leases", "one"))
    resource = dynamodb.get_item(
        TableName=env["RESOURCES_TABLE"], Key=_key(resource_id=body["resource_id"]), ConsistentRead=True
    )["Item"]
    own = _key(user_id="user_alice", service="openrouter")
    items = {
        env["INTEGRATIONS_TABLE"]: {"Keys": [own, {**own, "service": {"S": "#user"}}], "ConsistentRead": True},
        env["MODELS_TABLE"]: {"Keys": [{"openrouter_id": resource["ai_model_id"]}], "ConsistentRead": True},
        env["LIMITS_TABLE"]: {"Keys": [_key(name="budget#floor")], "ConsistentRead": True},
    }
    dynamodb.batch_get_item(RequestItems=items)
    integration = dynamodb.get_item(TableName=env["INTEGRATIONS_TABLE"], Key=own, ConsistentRead=True)["Item"]
    token = _decrypt(integration["ciphertext"]["B"])
    execution = _key(execution_id=f"exe_{uuid.uuid4()}")
    dynamodb.put_item(TableName=env["EXECUTIONS_TABLE"], Item={**execution, "state": {"S": "SENT"}})
    reply = upstream.post(
        env["OPENROUTER_BASE_URL"] + "/chat/completions",
        json={
            "model": resource["ai_model_id"]["S"],
            "messages": [{"role": "user", "content": body["inputs"]["prompt"]}],
        },
        headers={"Authorization": f"Bearer {token}"},
    )
    answer = json.dumps(reply.json()["choices"][0]["message"])
    dynamodb.transact_write_items(
        TransactItems=[
            {"Update": _set(env["EXECUTIONS_TABLE"], execution, "answer", answer)},
            {"Update": _add("RESOURCE_STATS_TABLE", _key(resource_id=body["resource_id"], bucket="floor#day"))},
            {"Update": _add("RESOURCE_STATS_TABLE", _key(resource_id=body["resource_id"], bucket="floor#total"))},
            {"Update": _add("USAGE_TABLE", _key(user_id="user_floor", bucket="floor#day"))},
        ]
    )
    dynamodb.update_item(**_set(env["LIMITS_TABLE"], limits, "leases", "none"))
    return {"statusCode": reply.status_code, "body": answer}


@cache
def _decrypt(ciphertext: bytes) -> str:
    context = {"app": "instant", "stage": os.environ["STAGE"], "user_id": "user_alice", "service": "openrouter"}
    kms = _session.create_client("kms", config=_CONFIG)
    plain: bytes = kms.decrypt(
        KeyId=os.environ["CREDENTIALS_KEY"], CiphertextBlob=ciphertext, EncryptionContext=context
    )["Plaintext"]
    return plain.decode()


def _key(**parts: str) -> dict[str, dict[str, str]]:
    return {name: {"S": value} for name, value in parts.items()}


def _set(table: str, key: Any, name: str, value: str) -> dict[str, Any]:
    return {
        "TableName": table,
        "Key": key,
        "UpdateExpression": "SET #name = :value",
        "ExpressionAttributeNames": {"#name": name},
        "ExpressionAttributeValues": {":value": {"S": value}},
    }


def _add(table: str, key: Any) -> dict[str, Any]:
    return {
        "TableName": os.environ[table],
        "Key": key,
        "UpdateExpression": "ADD calls :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
