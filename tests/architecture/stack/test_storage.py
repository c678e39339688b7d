"""Stored data is retained, encrypted, recoverable and private; the template is checked because moto ignores this."""

import pytest

from tests.architecture.project import Json, functions, resources, template
from tests.architecture.stack.roles import if_encrypted

TABLES = resources("AWS::DynamoDB::Table")
BUCKETS = resources("AWS::S3::Bucket")
KEYS = resources("AWS::KMS::Key")
QUEUES = resources("AWS::SQS::Queue")
LOG_GROUPS = resources("AWS::Logs::LogGroup")
SERVICES_WITH_A_KEY: dict[str, list[str]] = {
    "CredentialsKey": [],
    "OperationsKey": ["LogsOfThisStack", "AlarmsOfThisAccount"],
}
TEN_MINUTES = 600_000
"""In ms; presigned URLs of the product expire after five minutes."""

FIXED_NAMES = {"TableName", "BucketName", "RoleName", "FunctionName", "LayerName", "LogGroupName", "Name"}


@pytest.mark.parametrize("name", TABLES)
def test_table_is_protected_recoverable_encrypted_and_on_demand(name: str) -> None:
    properties = TABLES[name]["Properties"]
    assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert properties["SSESpecification"]["SSEEnabled"] is True
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["DeletionProtectionEnabled"] == {"Fn::If": ["ProtectsTables", True, False]}


@pytest.mark.parametrize("name", [*TABLES, *BUCKETS, *KEYS, *QUEUES, *LOG_GROUPS])
def test_data_and_keys_are_retained_unless_their_creation_is_rolled_back(name: str) -> None:
    resource = template()["Resources"][name]
    assert (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")) == ("RetainExceptOnCreate", "Retain")


def test_no_resource_outlives_a_failed_first_deployment() -> None:
    policies = {
        name: body["DeletionPolicy"] for name, body in template()["Resources"].items() if "DeletionPolicy" in body
    }
    assert set(policies.values()) == {"RetainExceptOnCreate"}


@pytest.mark.parametrize("name", BUCKETS)
def test_bucket_is_private(name: str) -> None:
    properties = BUCKETS[name]["Properties"]
    block = properties["PublicAccessBlockConfiguration"]
    assert block == dict.fromkeys(
        ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
    )
    assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]


@pytest.mark.parametrize("name", BUCKETS)
def test_bucket_policy_denies_plain_http_and_old_signatures(name: str) -> None:
    policies = [policy["Properties"] for policy in resources("AWS::S3::BucketPolicy").values()]
    statements = [
        statement
        for policy in policies
        if policy["Bucket"] == {"Ref": name}
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    assert any(denies_plain_http(statement) for statement in statements)
    assert any(denies_old_signatures(statement) for statement in statements)
    assert all(statement["Effect"] == "Deny" for statement in statements), "a bucket policy should only deny"


@pytest.mark.parametrize("name", KEYS)
def test_kms_key_rotates(name: str) -> None:
    assert KEYS[name]["Properties"]["EnableKeyRotation"] is True


@pytest.mark.parametrize("name", KEYS)
def test_kms_key_policy_allows_only_account_and_listed_services(name: str) -> None:
    owner, *services = KEYS[name]["Properties"]["KeyPolicy"]["Statement"]
    root = {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}
    assert (owner["Principal"], owner["Action"], owner["Resource"]) == (root, "kms:*", "*")
    assert [statement["Sid"] for statement in services] == SERVICES_WITH_A_KEY[name]
    for statement in services:
        assert statement["Principal"].keys() == {"Service"}
        assert "*" not in str(statement["Action"])
        assert statement["Condition"], "without a condition, the service can act for any account"


@pytest.mark.parametrize("name", LOG_GROUPS)
def test_log_group_is_encrypted_and_has_the_configured_retention(name: str) -> None:
    assert LOG_GROUPS[name]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert LOG_GROUPS[name]["Properties"]["KmsKeyId"] == if_encrypted({"Fn::GetAtt": ["OperationsKey", "Arn"]})


def test_functions_log_to_the_shared_group_with_retention() -> None:
    assert template()["Globals"]["Function"]["LoggingConfig"]["LogGroup"] == {"Ref": "LogGroup"}
    own = [function.name for function in functions() if "LoggingConfig" in function.properties]
    assert own == []


def test_resources_do_not_have_fixed_names() -> None:
    made = template()["Resources"]
    named = [
        name
        for name, resource in made.items()
        for kind in FIXED_NAMES & resource.get("Properties", {}).keys()
        if not is_of_this_stack(resource["Properties"][kind])
    ]
    assert named == [], "a second stack in the same account would conflict"


def is_of_this_stack(name: Json) -> bool:
    """Whether a name is that of another resource, or contains the name of the stack."""
    others = [{"Ref": other} for other in template()["Resources"]]
    return name in others or name == {"Ref": "AWS::StackName"} or "${AWS::StackName}" in name.get("Fn::Sub", "")


def denies_plain_http(statement: Json) -> bool:
    """Whether the statement denies all access over plain HTTP."""
    wanted = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {name: statement.get(name) for name in wanted} == wanted


def denies_old_signatures(statement: Json) -> bool:
    """Whether the statement denies all access with a signature older than ten minutes."""
    age = statement.get("Condition", {}).get("NumericGreaterThan", {}).get("s3:signatureAge", "inf")
    denies = (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    return denies and float(age) <= TEN_MINUTES
