"""What all errors have in common."""


class Flow2ApiError(Exception):
    """Base of every error that flow2api raises on purpose.

    Attributes:
        code: Stable, machine readable; part of the public interface.
        message: One sentence that says what happened and what to do; safe to show to a caller.
    """

    code: str = "internal_error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
