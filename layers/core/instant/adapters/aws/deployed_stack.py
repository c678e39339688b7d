"""Read the outputs of a deployed stack; used on an operator's machine, by no function."""

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from instant.adapters.aws.client import client


class StackUnusable(Exception):
    """The stack cannot be described, or an output is missing; the message states the next step."""


def output_of(stack: str, name: str) -> str:
    """The value of one output; raises `StackUnusable` if the stack or output is missing, or access is denied."""
    try:
        (found,) = client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except NoCredentialsError:
        message = "No AWS credentials were found. Sign in, or set AWS_PROFILE, and try again."
        raise StackUnusable(message) from None
    except ClientError as error:
        raise StackUnusable(_refusal(stack, error)) from None
    except BotoCoreError as error:
        raise StackUnusable(f"AWS cannot be reached: {error}") from None
    for output in found.get("Outputs", []):
        if output["OutputKey"] == name:
            return str(output["OutputValue"])
    status = found["StackStatus"]
    raise StackUnusable(f"The stack {stack} ({status}) has no output {name}. Deploy this template to it: make deploy.")


def _refusal(stack: str, error: ClientError) -> str:
    details = error.response["Error"]
    if details["Code"] == "ValidationError" and "does not exist" in details["Message"]:
        region = client("cloudformation").meta.region_name
        return f"There is no stack {stack} in {region}. Check STACK and REGION, or deploy it first: make deploy."
    return f"AWS refuses to describe the stack {stack}: {details['Code']}. Use credentials of its account that may."
