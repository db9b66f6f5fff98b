"""What an operator is refused, or who would be one."""

from flow2api.domain.errors.request import RequestError


class OperatorError(RequestError):
    """An operator, or who would be one, is refused."""

    code = "operator_refused"


class SetupRequiredError(OperatorError):
    """There is no operator yet, so nobody can sign in."""

    code = "setup_required"

    def __init__(self) -> None:
        super().__init__("There is no operator yet. Make the first one with `flow2api operator create`.")


class SignInRefusedError(OperatorError):
    """Name and passphrase do not belong together; which of them is wrong is not told."""

    code = "invalid_credentials"

    def __init__(self) -> None:
        super().__init__("The name or the passphrase is wrong.")


class TooManyTriesError(OperatorError):
    """It was tried too often to sign in; the try was not even looked at.

    Attributes:
        retry_after_s: When the next one is.
    """

    code = "too_many_tries"

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"Too many tries to sign in. Wait {max(1, round(retry_after_s))} s before the next one.")
        self.retry_after_s = retry_after_s


class NotSignedInError(OperatorError):
    """No session was presented, or one that has ended."""

    code = "not_signed_in"

    def __init__(self, *, presented: bool) -> None:
        super().__init__(
            "The session has ended or never was. Sign in again at /api/admin/login."
            if presented
            else "Sign in at /api/admin/login, and send the token that it gives as `Authorization: Bearer TOKEN`."
        )
        self.presented = presented


class NotAllowedError(OperatorError):
    """The operator's role does not include this."""

    code = "not_allowed"


class ConnectionTokenError(OperatorError):
    """The browser extension has presented no token, or one that opens nothing."""

    code = "invalid_connection_token"

    def __init__(self) -> None:
        super().__init__("The connection token is wrong. Copy the present one into the extension's settings.")
