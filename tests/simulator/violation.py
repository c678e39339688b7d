"""What must never happen, and did."""


class Violation(BaseException):
    """A promise is broken; nothing between here and the schedule may take this for an ordinary failure."""
