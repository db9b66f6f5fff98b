"""What an operator gave for an account to sign in with, against what the account's upstream wants."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from flow2api.domain.account import Account, CredentialKind
from flow2api.domain.base_url import read_base_url
from flow2api.domain.credential_kinds import CredentialKinds
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.manage_accounts import read_api_key, read_session_token

SESSION_TOKEN, API_KEY, BASE_URL = "session_token", "api_key", "base_url"

_WORDS = {SESSION_TOKEN: "a session token", API_KEY: "an API key", BASE_URL: "a base URL"}
_WANTED = {
    CredentialKind.SESSION: (SESSION_TOKEN,),
    CredentialKind.API_KEY: (API_KEY,),
    CredentialKind.API_KEY_AND_BASE_URL: (API_KEY, BASE_URL),
}


@dataclass(frozen=True, slots=True)
class GivenCredential:
    """The texts as they came in; None was not given. ``repr`` shows none of them."""

    session_token: str | None = None
    api_key: str | None = None
    base_url: str | None = None

    def __repr__(self) -> str:
        return f"GivenCredential({', '.join(self.names())})"

    def names(self) -> Iterable[str]:
        """What was given."""
        given = ((SESSION_TOKEN, self.session_token), (API_KEY, self.api_key), (BASE_URL, self.base_url))
        return [name for name, text in given if text is not None]

    def read(
        self, upstream: str, kinds: CredentialKinds, called: Mapping[str, str] | None = None
    ) -> tuple[Secret, str | None]:
        """The secret, and the base URL if accounts of this upstream have one.

        Args:
            kinds: What accounts sign in with, and where base URLs may lead.
            called: What the operator calls the fields, where that is not their name.

        Raises:
            UnsupportedInputError: Something is missing, does not belong to this upstream, or cannot be what it is said
                to be. No secret is in the message.
        """
        kind = kinds.of(upstream)
        self._refuse_others(upstream, kind, called or {})
        if not kind.has_key:
            return read_session_token(self.session_token or ""), None
        key = read_api_key(self.api_key or "")
        return key, read_base_url(self.base_url or "", kinds.plain_hosts) if kind.has_base_url else None

    def read_for(
        self, account: Account, kinds: CredentialKinds, called: Mapping[str, str] | None = None
    ) -> tuple[Secret | None, str | None]:
        """The same for an account that is there: None is what is not to change.

        A new key alone is one for the host as it is known; no base URL but the present one may come without the key.

        Raises:
            UnsupportedInputError: Something does not belong to its upstream, or cannot be what it is said to be.
        """
        given, names, kind = self, self.names(), kinds.of(account.upstream)
        if not names:
            return None, None
        is_base_url_alone = kind.has_base_url and names == [BASE_URL]
        if is_base_url_alone and read_base_url(self.base_url or "", kinds.plain_hosts) == account.base_url:
            return None, account.base_url
        if kind.has_base_url and self.base_url is None:
            given = replace(self, base_url=account.base_url)
        return given.read(account.upstream, kinds, called)

    def _refuse_others(self, upstream: str, kind: CredentialKind, called: Mapping[str, str]) -> None:
        wanted, given = _WANTED[kind], self.names()
        missing = [one for one in wanted if one not in given]
        extra = [one for one in given if one not in wanted and getattr(self, one)]  # an empty column says nothing
        if not missing and not extra:
            return
        wants = " and ".join(f"{_WORDS[one]} ({called.get(one, one)})" for one in wanted)
        faults = [f"{called.get(one, one)} is missing" for one in missing]
        faults += [f"{called.get(one, one)} does not belong to it" for one in extra]
        raise UnsupportedInputError(
            f"An account of the upstream {upstream} wants {wants}: {', '.join(faults)}.", param=(missing + extra)[0]
        )
