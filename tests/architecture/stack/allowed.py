"""The complete permissions of each function, compared with the roles that SAM generates from the template."""

from typing import Any

EXECUTING = ("ExecuteFunction", "StreamFunction", "OpenaiFunction")

EXECUTION = {
    "dynamodb:BatchGetItem": "IntegrationsTable LimitsTable ModelsTable",
    "dynamodb:DeleteItem": "ExecutionsTable",
    "dynamodb:GetItem": "ExecutionsTable IntegrationsTable ResourcesTable",
    "dynamodb:PutItem": "ExecutionsTable ImagesTable",
    "dynamodb:Query": "ModelsTable/index/by_slug",
    "dynamodb:UpdateItem": "ExecutionsTable IntegrationsTable LimitsTable ResourceStatsTable UsageTable",
    "kms:Decrypt": "CredentialsKey",
    "s3:GetObject": "MediaBucket/media/*",
    "s3:PutObject": "MediaBucket/media/*",
}
"""What executing a resource needs, streamed or not."""

ALLOWED: dict[str, dict[str, str]] = {
    "AuthorizerFunction": {
        "dynamodb:GetItem": "ApiKeysTable",
        "dynamodb:UpdateItem": "ApiKeysTable",
    },
    "ExecuteFunction": EXECUTION,
    "StreamFunction": EXECUTION,
    "OpenaiFunction": {
        **EXECUTION,
        "dynamodb:Query": f"{EXECUTION['dynamodb:Query']} ResourcesTable/index/owned ResourcesTable/index/popular",
    },
    "ReconcileFunction": {
        "dynamodb:DeleteItem": "ExecutionsTable",
        "dynamodb:GetItem": "ExecutionsTable IntegrationsTable",
        "dynamodb:Query": "ExecutionsTable/index/open",
        "dynamodb:UpdateItem": "ExecutionsTable LimitsTable ResourceStatsTable UsageTable",
        "kms:Decrypt": "CredentialsKey",
        "sqs:SendMessage": "DeadLetterQueue",
    },
    "ExecutionsFunction": {
        "dynamodb:GetItem": "ExecutionsTable",
        "dynamodb:Query": "ExecutionsTable/index/by_api_key ExecutionsTable/index/by_user",
        "dynamodb:UpdateItem": "ExecutionsTable LimitsTable",
        "s3:GetObject": "MediaBucket/media/*",
        "s3:PutObject": "MediaBucket/media/outputs/*",
    },
    "UsageFunction": {
        "dynamodb:GetItem": "ModelsTable",
        "dynamodb:Query": "ExecutionsTable/index/by_user UsageTable",
        "dynamodb:UpdateItem": "LimitsTable",
    },
    "BudgetsFunction": {
        "dynamodb:BatchGetItem": "LimitsTable",
        "dynamodb:DeleteItem": "LimitsTable",
        "dynamodb:GetItem": "ApiKeysTable LimitsTable ResourcesTable",
        "dynamodb:UpdateItem": "LimitsTable",
    },
    "ImagesFunction": {
        "dynamodb:GetItem": "ExecutionsTable ImagesTable",
        "dynamodb:UpdateItem": "LimitsTable",
        "s3:GetObject": "MediaBucket/media/*",
    },
    "ResourcesFunction": {
        "dynamodb:BatchGetItem": "ModelsTable",
        "dynamodb:DeleteItem": "ResourcesTable",
        "dynamodb:GetItem": "ModelsTable ResourcesTable",
        "dynamodb:PutItem": "ResourcesTable",
        "dynamodb:Query": "ModelsTable/index/by_slug ResourceStatsTable ResourcesTable/index/owned"
        " ResourcesTable/index/popular ResourcesTable/index/public ResourcesTable/index/reliable",
        "dynamodb:UpdateItem": "LimitsTable ResourceStatsTable ResourcesTable",
    },
    "PreflightFunction": {},
    "PreviewFunction": {
        "dynamodb:BatchGetItem": "ModelsTable",
        "dynamodb:GetItem": "ModelsTable ResourcesTable",
        "dynamodb:Query": "ModelsTable/index/by_slug",
        "dynamodb:UpdateItem": "LimitsTable",
    },
    "RankResourcesFunction": {
        "dynamodb:Query": "ResourceStatsTable ResourcesTable/index/public",
        "dynamodb:UpdateItem": "ResourcesTable",
        "sqs:SendMessage": "DeadLetterQueue",
    },
    "IntegrationsFunction": {
        "dynamodb:DeleteItem": "IntegrationsTable",
        "dynamodb:GetItem": "IntegrationsTable",
        "dynamodb:PutItem": "IntegrationsTable",
        "dynamodb:UpdateItem": "IntegrationsTable LimitsTable",
        "kms:Encrypt": "CredentialsKey",
    },
    "PlatformIntegrationsFunction": {
        "dynamodb:DeleteItem": "IntegrationsTable",
        "dynamodb:GetItem": "IntegrationsTable",
        "dynamodb:PutItem": "IntegrationsTable",
        "dynamodb:UpdateItem": "IntegrationsTable LimitsTable",
        "kms:Encrypt": "CredentialsKey",
    },
    "IntegrationTestFunction": {
        "dynamodb:GetItem": "IntegrationsTable",
        "dynamodb:UpdateItem": "IntegrationsTable LimitsTable",
        "kms:Decrypt": "CredentialsKey",
    },
    "ApiKeysFunction": {
        "dynamodb:BatchGetItem": "ApiKeysTable",
        "dynamodb:ConditionCheckItem": "ApiKeysTable",
        "dynamodb:GetItem": "ApiKeysTable",
        "dynamodb:PutItem": "ApiKeysTable",
        "dynamodb:Query": "ApiKeysTable/index/by_user",
        "dynamodb:UpdateItem": "ApiKeysTable LimitsTable",
    },
    "CatalogFunction": {
        "dynamodb:GetItem": "LimitsTable",
        "dynamodb:Query": "ModelChangesTable ModelChangesTable/index/feed",
        "dynamodb:Scan": "ModelsTable",
        "dynamodb:UpdateItem": "LimitsTable",
        "events:PutEvents": "EventBus",
    },
    "ModelChangesFunction": {
        "dynamodb:GetItem": "ModelsTable",
        "dynamodb:Query": "ModelChangesTable ModelChangesTable/index/feed",
    },
    "ModelEndpointsFunction": {
        "dynamodb:GetItem": "ModelEndpointsTable",
    },
    "CatalogSyncFunction": {
        "dynamodb:BatchWriteItem": "ModelChangesTable ModelsTable",
        "dynamodb:PutItem": "ModelEndpointsTable",
        "dynamodb:Scan": "ModelsTable ResourcesTable/index/by_model",
        "dynamodb:UpdateItem": "LimitsTable",
        "events:PutEvents": "EventBus",
        "sqs:SendMessage": "DeadLetterQueue",
    },
    "ModelImpactFunction": {
        "dynamodb:BatchGetItem": "ModelsTable",
        "dynamodb:GetItem": "ModelsTable",
        "dynamodb:Query": "ModelChangesTable ModelsTable/index/by_slug ResourcesTable/index/by_model",
        "events:PutEvents": "EventBus",
        "sqs:SendMessage": "DeadLetterQueue",
    },
}
"""Function -> action -> allowed resources; MediaBucket/media/* is a key prefix."""

ENCRYPTION_CONTEXT_REQUIRED = {
    "StringEquals": {"kms:EncryptionContext:app": "instant", "kms:EncryptionContext:stage": {"Ref": "Stage"}},
    "Null": {"kms:EncryptionContext:user_id": "false", "kms:EncryptionContext:service": "false"},
    "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["app", "stage", "user_id", "service"]},
}
"""Encryption and decryption require an encryption context with this stage, a user, a service, and no other keys."""

RATE_LIMIT_KEYS = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": "calls#*"}}
"""Rate limiting can write only its own items; leases and the sync record are in the same table."""

RATE_LIMITED = [
    "ApiKeysFunction",
    "CatalogFunction",
    "ExecutionsFunction",
    "ImagesFunction",
    "IntegrationTestFunction",
    "IntegrationsFunction",
    "PlatformIntegrationsFunction",
    "PreviewFunction",
    "ResourcesFunction",
    "UsageFunction",
]

SYNC_RECORD_KEY = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["catalog#sync", "catalog#runs"]}}

KEY_STATUS_ATTRIBUTES = {
    "ForAllValues:StringEquals": {
        "dynamodb:Attributes": [
            "user_id",
            "service",
            "key_sha256",
            "status",
            "last_verified_at",
            "limit_remaining",
            "lacks_credits",
            "times_refused",
            "refused_at",
            "next_check_at",
        ]
    }
}
"""A function that uses a key can record its status, but cannot replace or enable it, or raise the cost limit."""

BUDGET_KEYS: list[tuple[str | list[str], tuple[str, ...]]] = [
    (["budget#*", "budgets-of#*", "spend#*"], ("GetItem", "BatchGetItem")),
    ("budget#*", ("DeleteItem",)),
    (["budget#*", "budgets-of#*", "calls#*"], ("UpdateItem",)),
]
"""The budgets function can read the amounts spent, but not write them."""

OWN_EVENT_SOURCE = {"StringEquals": {"events:source": "instant.resources"}}
EVENT_PUBLISHERS = ["CatalogFunction", "CatalogSyncFunction", "ModelImpactFunction"]

EXECUTION_CONDITIONS: dict[tuple[str, str], dict[str, Any]] = {
    ("dynamodb:UpdateItem", "LimitsTable"): {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["runs#*", "spend#*", "held#*"]}
    },
    ("dynamodb:BatchGetItem", "LimitsTable"): {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": "budget#*"}},
    ("dynamodb:UpdateItem", "IntegrationsTable"): KEY_STATUS_ATTRIBUTES,
    ("kms:Decrypt", "CredentialsKey"): ENCRYPTION_CONTEXT_REQUIRED,
}

CONDITIONS: dict[tuple[str, str, str], Any] = {
    **{(function, *place): condition for function in EXECUTING for place, condition in EXECUTION_CONDITIONS.items()},
    ("AuthorizerFunction", "dynamodb:UpdateItem", "ApiKeysTable"): {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": ["key_hash", "last_used_at"]}
    },
    ("ExecutionsFunction", "dynamodb:UpdateItem", "ExecutionsTable"): {
        "ForAllValues:StringEquals": {
            "dynamodb:Attributes": ["execution_id", "cancel_requested_at", "user_id", "streamed", "state"]
        }
    },
    ("IntegrationTestFunction", "dynamodb:UpdateItem", "IntegrationsTable"): KEY_STATUS_ATTRIBUTES,
    ("CatalogFunction", "dynamodb:GetItem", "LimitsTable"): SYNC_RECORD_KEY,
    ("CatalogSyncFunction", "dynamodb:UpdateItem", "LimitsTable"): SYNC_RECORD_KEY,
    ("ReconcileFunction", "dynamodb:UpdateItem", "LimitsTable"): {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["spend#*", "held#*"]}
    },
    ("ReconcileFunction", "kms:Decrypt", "CredentialsKey"): ENCRYPTION_CONTEXT_REQUIRED,
    ("IntegrationTestFunction", "kms:Decrypt", "CredentialsKey"): ENCRYPTION_CONTEXT_REQUIRED,
    ("IntegrationsFunction", "kms:Encrypt", "CredentialsKey"): ENCRYPTION_CONTEXT_REQUIRED,
    ("PlatformIntegrationsFunction", "kms:Encrypt", "CredentialsKey"): ENCRYPTION_CONTEXT_REQUIRED,
    **{
        ("PlatformIntegrationsFunction", f"dynamodb:{action}", "IntegrationsTable"): {
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": "#platform"}
        }
        for action in ("DeleteItem", "GetItem", "PutItem", "UpdateItem")
    },
    **{
        ("BudgetsFunction", f"dynamodb:{action}", "LimitsTable"): {
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": keys}
        }
        for keys, actions in BUDGET_KEYS
        for action in actions
    },
    **{(function, "events:PutEvents", "EventBus"): OWN_EVENT_SOURCE for function in EVENT_PUBLISHERS},
    **{(function, "dynamodb:UpdateItem", "LimitsTable"): RATE_LIMIT_KEYS for function in RATE_LIMITED},
}
CONDITIONS |= {
    ("OpenaiFunction", "dynamodb:UpdateItem", "LimitsTable"): [
        EXECUTION_CONDITIONS["dynamodb:UpdateItem", "LimitsTable"],
        {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["calls#*", "join#*"]}},
    ],
    ("ResourcesFunction", "dynamodb:UpdateItem", "ResourceStatsTable"): {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": ["resource_id", "bucket", "expires_at"]}
    },
    **{
        (function, "dynamodb:UpdateItem", "LimitsTable"): [
            RATE_LIMIT_KEYS,
            {
                "ForAllValues:StringLike": {"dynamodb:LeadingKeys": f"budget#{scope}#*"},
                "ForAllValues:StringEquals": {"dynamodb:Attributes": ["name", "expires_at"]},
            },
        ]
        for function, scope in (("ResourcesFunction", "resource"), ("ApiKeysFunction", "api_key"))
    },
}
"""The condition by function, action and resource, or one for each statement; others have no condition."""

MAY_DECRYPT = {*EXECUTING, "IntegrationTestFunction", "ReconcileFunction"}
MAY_ENCRYPT = {"IntegrationsFunction", "PlatformIntegrationsFunction"}
"""The functions that decrypt or encrypt users' keys; no function does both."""
