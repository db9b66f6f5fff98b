"""An account's secret does not work."""

from flow2api.domain.errors.base import Flow2ApiError


class CredentialError(Flow2ApiError):
    """An account's own secret was refused by the upstream."""

    code = "credential_refused"


class CredentialExpiredError(CredentialError):
    """The access token is dead; a fresh exchange may help."""

    code = "credential_expired"


class CredentialRevokedError(CredentialError):
    """The session token or key is refused; only a new one helps.

    Attributes:
        after_renewal: The exchange worked, and the access token that it brought is refused, or over. When many accounts meet
            this at once, it tells of the service or of our clock.
    """

    code = "credential_revoked"

    def __init__(self, message: str, *, after_renewal: bool = False) -> None:
        super().__init__(message)
        self.after_renewal = after_renewal
