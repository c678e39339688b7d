"""What each function may do, and nothing else: compared with the roles that SAM really makes of the template."""

ALLOWED: dict[str, dict[str, str]] = {
    "AuthorizerFunction": {
        "dynamodb:GetItem": "ApiKeysTable",
        "dynamodb:UpdateItem": "ApiKeysTable",
    },
    "ExecuteFunction": {
        "dynamodb:BatchGetItem": "IntegrationsTable LimitsTable ModelsTable",
        "dynamodb:DeleteItem": "ExecutionsTable",
        "dynamodb:GetItem": "ExecutionsTable IntegrationsTable ResourcesTable",
        "dynamodb:PutItem": "ExecutionsTable ImagesTable",
        "dynamodb:Query": "ModelsTable/index/by_slug",
        "dynamodb:UpdateItem": "ExecutionsTable IntegrationsTable LimitsTable ResourceStatsTable UsageTable",
        "kms:Decrypt": "CredentialsKey",
        "s3:GetObject": "MediaBucket/media/*",
        "s3:PutObject": "MediaBucket/media/*",
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
        "dynamodb:Query": "ExecutionsTable/index/by_user",
        "dynamodb:UpdateItem": "LimitsTable",
        "s3:GetObject": "MediaBucket/media/*",
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
        "dynamodb:PutItem": "LimitsTable",
        "dynamodb:UpdateItem": "LimitsTable",
    },
    "ImagesFunction": {
        "dynamodb:GetItem": "ImagesTable",
        "dynamodb:UpdateItem": "LimitsTable",
        "s3:GetObject": "MediaBucket/media/*",
    },
    "ResourcesFunction": {
        "dynamodb:BatchGetItem": "ModelsTable",
        "dynamodb:DeleteItem": "ResourcesTable",
        "dynamodb:GetItem": "ModelsTable ResourcesTable",
        "dynamodb:PutItem": "ResourcesTable",
        "dynamodb:Query": "ModelsTable/index/by_slug ResourceStatsTable ResourcesTable/index/by_owner"
        " ResourcesTable/index/popular ResourcesTable/index/public ResourcesTable/index/reliable",
        "dynamodb:UpdateItem": "LimitsTable ResourcesTable",
    },
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
"""Function -> action -> the places it may be done to; MediaBucket/media/* is everything below one folder."""

ONE_USERS_KEY = {
    "StringEquals": {"kms:EncryptionContext:app": "instant", "kms:EncryptionContext:stage": {"Ref": "Stage"}},
    "Null": {"kms:EncryptionContext:user_id": "false", "kms:EncryptionContext:service": "false"},
    "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["app", "stage", "user_id", "service"]},
}
"""A key opens, and closes, only for this stage, in the name of a user and a service, and with no further word."""

COUNTING_CALLS = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": "calls#*"}}
"""Who counts calls reaches neither executions' leases nor the catalog's record, which lie in the same table."""

COUNTING = [
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

THE_SYNCS_RECORD = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": "catalog#sync"}}

WHAT_A_SERVICE_SAID = {
    "ForAllValues:StringEquals": {
        "dynamodb:Attributes": ["user_id", "service", "key_sha256", "status", "last_verified_at", "limit_remaining"]
    }
}
"""Whoever uses a key may note how that went; neither replace it nor switch it on, nor raise what a call may cost."""

SETTING_BUDGETS: list[tuple[str | list[str], tuple[str, ...]]] = [
    (["budget#*", "budgets-of#*", "spend#*"], ("GetItem", "BatchGetItem")),
    ("budget#*", ("PutItem", "DeleteItem")),
    (["budgets-of#*", "calls#*"], ("UpdateItem",)),
]
"""Who sets budgets sees what was spent, and cannot write it."""

IN_OUR_NAME = {"StringEquals": {"events:source": "instant.resources"}}
TELLING = ["CatalogFunction", "CatalogSyncFunction", "ModelImpactFunction"]

CONDITIONS = {
    ("AuthorizerFunction", "dynamodb:UpdateItem", "ApiKeysTable"): {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": ["key_hash", "last_used_at"]}
    },
    ("ExecuteFunction", "dynamodb:UpdateItem", "LimitsTable"): {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["runs#*", "spend#*"]}
    },
    ("ExecuteFunction", "dynamodb:BatchGetItem", "LimitsTable"): {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": "budget#*"}
    },
    ("ExecuteFunction", "dynamodb:UpdateItem", "IntegrationsTable"): WHAT_A_SERVICE_SAID,
    ("IntegrationTestFunction", "dynamodb:UpdateItem", "IntegrationsTable"): WHAT_A_SERVICE_SAID,
    ("CatalogFunction", "dynamodb:GetItem", "LimitsTable"): THE_SYNCS_RECORD,
    ("CatalogSyncFunction", "dynamodb:UpdateItem", "LimitsTable"): THE_SYNCS_RECORD,
    ("ExecuteFunction", "kms:Decrypt", "CredentialsKey"): ONE_USERS_KEY,
    ("ReconcileFunction", "dynamodb:UpdateItem", "LimitsTable"): {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": "spend#*"}
    },
    ("ReconcileFunction", "kms:Decrypt", "CredentialsKey"): ONE_USERS_KEY,
    ("IntegrationTestFunction", "kms:Decrypt", "CredentialsKey"): ONE_USERS_KEY,
    ("IntegrationsFunction", "kms:Encrypt", "CredentialsKey"): ONE_USERS_KEY,
    ("PlatformIntegrationsFunction", "kms:Encrypt", "CredentialsKey"): ONE_USERS_KEY,
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
        for keys, actions in SETTING_BUDGETS
        for action in actions
    },
    **{(function, "events:PutEvents", "EventBus"): IN_OUR_NAME for function in TELLING},
    **{(function, "dynamodb:UpdateItem", "LimitsTable"): COUNTING_CALLS for function in COUNTING},
}
"""The condition under which a function may do an action to a place; what is not here has none."""

MAY_DECRYPT = {"ExecuteFunction", "IntegrationTestFunction", "ReconcileFunction"}
MAY_ENCRYPT = {"IntegrationsFunction", "PlatformIntegrationsFunction"}
"""Who reaches users' keys, and from which side; nobody has both."""
