"""The local AWS endpoint enforces each function's policies, and records what was called and used."""

from urllib.parse import urlsplit

import botocore.session
from botocore.config import Config

from tests.local.aws.presigned import SECRET
from tests.local.stack import Stack
from tests.local.toy.calling import ask, call

pytest_plugins = ["tests.local.toy.fixture"]


def test_policy_allows_the_actions_it_names(toy: Stack, things: str) -> None:
    toy.calls.clear()
    assert ask(toy, "dynamodb", "put_item", TableName=things, Item={"id": {"S": "a"}})["code"] is None
    assert ask(toy, "dynamodb", "get_item", TableName=things, Key={"id": {"S": "a"}})["code"] is None
    arn = toy.client("dynamodb").describe_table(TableName=things)["Table"]["TableArn"]
    assert {("CallerFunction", "dynamodb:PutItem", arn), ("CallerFunction", "dynamodb:GetItem", arn)} <= (
        toy.permissions.used
    )
    assert toy.calls.of("CallerFunction") == [("dynamodb", "PutItem"), ("dynamodb", "GetItem")]


def test_denial_names_function_action_and_resource(toy: Stack, things: str) -> None:
    refused = ask(toy, "dynamodb", "scan", TableName=things)
    assert refused["code"] == "AccessDeniedException"
    assert (
        f"CallerFunction is not allowed dynamodb:Scan on arn:aws:dynamodb:us-east-1:123456789012:table/{things}"
        in (refused["message"])
    )


def test_table_index_requires_its_own_permission(toy: Stack, things: str) -> None:
    condition = {"KeyConditionExpression": "kind = :k", "ExpressionAttributeValues": {":k": {"S": "x"}}}
    assert ask(toy, "dynamodb", "query", TableName=things, IndexName="by_kind", **condition)["code"] is None
    other = ask(toy, "dynamodb", "query", TableName=things, IndexName="by_kind_again", **condition)
    assert other["code"] == "AccessDeniedException"
    assert "/index/by_kind_again" in other["message"]


def test_batches_and_transactions_require_permission_for_each_part(toy: Stack, things: str) -> None:
    put = {"Put": {"TableName": things, "Item": {"id": {"S": "t"}}}}
    check = {"ConditionCheck": {"TableName": things, "Key": {"id": {"S": "a"}}, "ConditionExpression": "size(id) > 0"}}
    assert ask(toy, "dynamodb", "transact_write_items", TransactItems=[put])["code"] is None
    both = ask(toy, "dynamodb", "transact_write_items", TransactItems=[put, check])
    assert "dynamodb:ConditionCheckItem" in both["message"]
    batch = {things: [{"PutRequest": {"Item": {"id": {"S": "b"}}}}]}
    assert "dynamodb:BatchWriteItem" in ask(toy, "dynamodb", "batch_write_item", RequestItems=batch)["message"]
    get = [{"Get": {"TableName": things, "Key": {"id": {"S": "t"}}}}]
    assert ask(toy, "dynamodb", "transact_get_items", TransactItems=get)["code"] is None


def test_kms_decrypt_requires_the_right_encryption_context(toy: Stack) -> None:
    key = toy.environment("CallerFunction")["SECRETS_KEY"]
    good = {"stage": "local", "user_id": "ann"}
    sealed = ask(toy, "kms", "encrypt", KeyId=key, Plaintext="b64:aGVsbG8=", EncryptionContext=good)
    assert sealed["code"] is None
    blob = sealed["answer"]["CiphertextBlob"]
    opened = ask(toy, "kms", "decrypt", KeyId=key, CiphertextBlob=blob, EncryptionContext=good)
    assert opened["answer"]["Plaintext"] == "b64:aGVsbG8="
    assert ask(toy, "kms", "decrypt", CiphertextBlob=blob, EncryptionContext=good)["code"] is None
    for context in ({"stage": "local"}, {"stage": "prod", "user_id": "ann"}, {**good, "purpose": "other"}, {}):
        refused = ask(toy, "kms", "encrypt", KeyId=key, Plaintext="b64:aGVsbG8=", EncryptionContext=context)
        assert refused["code"] == "AccessDeniedException"
    stranger = ask(toy, "kms", "decrypt", CiphertextBlob=blob, EncryptionContext={**good, "user_id": "bob"})
    assert stranger["code"] == "InvalidCiphertextException"


def test_s3_permissions_depend_on_method_and_path(toy: Stack) -> None:
    bucket = toy.environment("CallerFunction")["MEDIA_BUCKET"]
    put = {"Bucket": bucket, "Body": "b64:aGVsbG8="}
    assert ask(toy, "s3", "put_object", Key="media/exe_1/a b", **put)["code"] is None
    assert ask(toy, "s3", "put_object", Key="other/x", **put)["code"] == "AccessDenied"
    assert ask(toy, "s3", "get_object", Bucket=bucket, Key="media/exe_1/a b")["code"] == "AccessDenied"
    assert ask(toy, "s3", "list_objects_v2", Bucket=bucket)["code"] == "AccessDenied"
    stored = toy.client("s3").get_object(Bucket=bucket, Key="media/exe_1/a b")
    assert stored["Body"].read() == b"hello"


def test_presigned_url_has_the_permissions_of_its_signer(toy: Stack) -> None:
    bucket = toy.environment("CallerFunction")["MEDIA_BUCKET"]
    signer = botocore.session.get_session().create_client(
        "s3",
        region_name="us-east-1",
        endpoint_url=toy.aws_url,
        aws_access_key_id="CallerFunction",
        aws_secret_access_key=SECRET,
        config=Config(signature_version="s3v4"),
    )

    def follow(method: str, operation: str) -> int:
        url = signer.generate_presigned_url(operation, {"Bucket": bucket, "Key": "media/signed"})
        return call(url, method, "?" + urlsplit(url).query, b"hello" if method == "PUT" else None).status

    assert follow("PUT", "put_object") == 200
    assert follow("GET", "get_object") == 403
    signer.close()


def test_endpoint_rejects_unrecognised_calls(toy: Stack) -> None:
    refused = ask(toy, "kms", "list_keys")
    assert refused["message"] == "CallerFunction called kms:ListKeys, which the local stack does not know"
    refused = ask(toy, "sts", "get_caller_identity")
    assert refused["code"] == "AccessDenied"
    assert refused["message"] == "CallerFunction called sts:GetCallerIdentity, which the local stack does not know"
    assert call(toy.aws_url, "GET", "/bucket/key").status == 403


def test_function_invocation_requires_permission(toy: Stack) -> None:
    assert ask(toy, "lambda", "invoke", FunctionName="EchoFunction", Payload="{}")["code"] is None
    assert ask(toy, "lambda", "invoke", FunctionName="ActFunction", Payload="{}")["code"] == "AccessDeniedException"
