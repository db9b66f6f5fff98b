"""What an operator is refused, or who would be one."""

from flow2api.domain.errors.request import RequestError

_LONGEST_SHOWN_HOST = 100


class OperatorError(RequestError):
    """An operator, or who would be one, is refused."""

    code = "operator_refused"


class HostNotAllowedError(OperatorError):
    """The request names a host that the server is not known by; a foreign page may have led a browser here."""

    code = "host_not_allowed"

    def __init__(self, host: str) -> None:
        shown = "".join(one for one in host if one.isascii() and one.isprintable())[:_LONGEST_SHOWN_HOST]
        super().__init__(
            f"This server does not know itself by the name {shown!r}. If it is right, add it to the setting allowed_hosts "
            "(FLOW2API_ALLOWED_HOSTS) and start again; an IP address needs no entry."
        )


class SetupRequiredError(OperatorError):
    """There is no operator yet, so nobody can sign in."""

    code = "setup_required"

    def __init__(self) -> None:
        super().__init__(
            "There is no operator yet. The first one sets himself up at /setup, or is made with `flow2api operator create`."
        )


class SetupClosedError(OperatorError):
    """There is an operator, so nobody sets himself up any more."""

    code = "setup_closed"

    def __init__(self) -> None:
        super().__init__("The server is set up already. Sign in, or have an owner make you an operator.")


class SetupCodeRefusedError(OperatorError):
    """The setup code is wrong, or has ended."""

    code = "invalid_setup_code"

    def __init__(self) -> None:
        super().__init__(
            "The setup code is wrong or has ended. The server's log tells the present one, and "
            "`flow2api operator setup-code` makes another."
        )


class SignInRefusedError(OperatorError):
    """Name, passphrase and code do not belong together; which of them is wrong is not told."""

    code = "invalid_credentials"

    def __init__(self) -> None:
        super().__init__("The name or the passphrase is wrong, or the code if one was sent.")


class SecondFactorRequiredError(OperatorError):
    """Name and passphrase are right; the operator has a second factor, and no code was given."""

    code = "totp_required"

    def __init__(self) -> None:
        super().__init__("Send the present code of your app too, or one of the recovery codes.")


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


class SessionTooOldError(OperatorError):
    """The session is good, but the passphrase was given too long ago for this."""

    code = "session_too_old"

    def __init__(self) -> None:
        super().__init__(
            "This takes a sign-in of the last 15 minutes. Sign in again, and repeat it with the new session."
        )


class ConnectionTokenError(OperatorError):
    """The browser extension has presented no token, or one that opens nothing."""

    code = "invalid_connection_token"

    def __init__(self) -> None:
        super().__init__("The connection token is wrong. Copy the present one into the extension's settings.")
