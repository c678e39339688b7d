"""The local stack of `make run` and the end-to-end tests: the AWS services of the product on one machine."""

from tests.local.functions.layout import Built, Source
from tests.local.stack import Stack

__all__ = ["Built", "Source", "Stack"]
