"""Allows `Bearer <user>`, except for /forbidden; reads one item, so that its invocations can be counted."""

import os
from typing import Any

import botocore.session

_dynamodb = botocore.session.get_session().create_client("dynamodb")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Reject the token `wrong`; fail for `broken`, and return an invalid policy for `odd`."""
    _dynamodb.get_item(TableName=os.environ["THINGS_TABLE"], Key={"id": {"S": "token"}})
    headers = {name.lower(): value for name, value in event["headers"].items()}
    user = headers["authorization"].removeprefix("Bearer ")
    if user == "wrong":
        raise ValueError("Unauthorized")
    if user == "broken":
        raise ValueError("something else")
    if user == "odd":
        return {"principalId": user}
    stage = event["methodArn"].split("/")[0] + "/" + event["methodArn"].split("/")[1]
    statements = [
        {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": f"{stage}/*"},
        {"Effect": "Deny", "Action": "execute-api:Invoke", "Resource": f"{stage}/GET/forbidden"},
    ]
    return {
        "principalId": user,
        "policyDocument": {"Version": "2012-10-17", "Statement": statements[user == "denied" :]},
        "context": {"user_id": user, "level": 1, "admin": True},
    }
