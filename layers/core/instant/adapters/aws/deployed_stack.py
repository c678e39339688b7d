"""Read the outputs and the names of a deployed stack; used on an operator's machine, by no function."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from instant.adapters.aws.client import client


class StackUnusable(Exception):
    """The stack cannot be described, or an output is missing; the message states the next step."""


def output_of(stack: str, name: str) -> str:
    """The value of one output; raises `StackUnusable` if the stack or output is missing, or access is denied."""
    with _problems_of(stack):
        (found,) = client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    for output in found.get("Outputs", []):
        if output["OutputKey"] == name:
            return str(output["OutputValue"])
    status = found["StackStatus"]
    raise StackUnusable(f"The stack {stack} ({status}) has no output {name}. Deploy this template to it: make deploy.")


def names_of(stack: str) -> dict[str, str]:
    """The physical name of each resource of a stack by its id in the template; raises `StackUnusable`."""
    with _problems_of(stack):
        pages = client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
        found = [each for page in pages for each in page["StackResourceSummaries"]]
    return {each["LogicalResourceId"]: str(each["PhysicalResourceId"]) for each in found}


@contextmanager
def _problems_of(stack: str) -> Iterator[None]:
    """Raise `StackUnusable` if the stack is missing, or AWS refuses or cannot be reached."""
    try:
        yield
    except NoCredentialsError:
        message = "No AWS credentials were found. Sign in, or set AWS_PROFILE, and try again."
        raise StackUnusable(message) from None
    except ClientError as error:
        raise StackUnusable(_refusal(stack, error)) from None
    except BotoCoreError as error:
        raise StackUnusable(f"AWS cannot be reached: {error}") from None


def _refusal(stack: str, error: ClientError) -> str:
    details = error.response["Error"]
    if details["Code"] == "ValidationError" and "does not exist" in details["Message"]:
        region = client("cloudformation").meta.region_name
        return f"There is no stack {stack} in {region}. Check STACK and REGION, or deploy it first: make deploy."
    return f"AWS refuses to describe the stack {stack}: {details['Code']}. Use credentials of its account that may."
