"""The account and region of the local stack, and the ARNs of its resources."""

ACCOUNT = "123456789012"
REGION = "us-east-1"


def arn(service: str, resource: str) -> str:
    """The ARN of a regional resource, such as `arn("dynamodb", "table/Models")`."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def function_arn(name: str) -> str:
    """The ARN of a function, whose name is its logical id in the template."""
    return arn("lambda", f"function:{name}")


def last_part(name_or_arn: str) -> str:
    """The last part of a name or an ARN: the name of the table, bus or function."""
    return name_or_arn.rpartition(":")[2].rpartition("/")[2]
