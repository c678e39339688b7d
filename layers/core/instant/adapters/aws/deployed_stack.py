"""What a deployed stack says of itself; read from an operator's machine, by no function."""

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from instant.adapters.aws.client import client


class StackUnusable(Exception):
    """The stack cannot be asked, or has not got what is needed; the text says what to do next."""


def output_of(stack: str, name: str) -> str:
    """One output's value; `StackUnusable` if there is no such stack or output, or AWS does not let us look."""
    try:
        (found,) = client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except NoCredentialsError:
        message = "There are no AWS credentials here. Sign in, or set AWS_PROFILE, and try again."
        raise StackUnusable(message) from None
    except ClientError as error:
        raise StackUnusable(_refusal(stack, error)) from None
    except BotoCoreError as error:
        raise StackUnusable(f"AWS cannot be asked: {error}") from None
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
