"""The error of a broken invariant."""


class Violation(BaseException):
    """An invariant does not hold; a BaseException, so that the code under test does not handle it as an error."""
