"""Makes, replaces and checks the browser extension's token."""

import hmac
import re
import secrets

from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.connection_token import CONNECTION_TOKEN_PREFIX, VISIBLE_CHARACTERS, ConnectionToken
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.ports.connection_tokens import ConnectionTokens
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.ports.system import Clock
from flow2api.domain.secret import Secret

_PURPOSE = "connection_token"
_RANDOM_BYTES = 32
_SHORTEST = 32
_LONGEST = 256
_DISTINCT = 10
_TEXT = re.compile(r"[!-~][ -~]*[!-~]")
_LOOK_EVERY_S = 2.0


class ManageConnectionToken:
    """What lets the extension in, held in memory: whoever tries tokens makes the database read once in two seconds."""

    def __init__(self, tokens: ConnectionTokens, cipher: Cipher, clock: Clock) -> None:
        self._tokens = tokens
        self._cipher = cipher
        self._clock = clock
        self._held: ConnectionToken | None = None
        self._looked_at: float | None = None

    async def current(self) -> ConnectionToken | None:
        """The token that is good now, without its text; None lets nobody in."""
        self._held = await self._tokens.current()
        self._looked_at = self._clock.monotonic()
        return self._held

    async def rotate(self, wanted: str | None = None, actor: Actor | None = None) -> tuple[ConnectionToken, Secret]:
        """Make a token in the place of the former one, which opens nothing from now on.

        Args:
            wanted: What the operator wants it to be; None makes one.
            actor: Who does it; the change and its audit entry are one.

        Returns:
            The token, and its text, which is shown this once.

        Raises:
            UnsupportedInputError: The text that was given is too short or too simple to be safe, or no request could carry it.
        """
        if wanted is None:
            made = CONNECTION_TOKEN_PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
            text, prefix = Secret(made), made[:VISIBLE_CHARACTERS]
        else:
            check_connection_token(wanted)
            text, prefix = Secret(wanted), ""
        token = ConnectionToken(prefix=prefix, digest=self._digest(text), created_at=self._clock.now())
        await self._tokens.replace(token, self._entry(actor, AuditAction.CONNECTION_TOKEN_MADE))
        self._held, self._looked_at = token, self._clock.monotonic()
        return token, text

    async def revoke(self, actor: Actor | None = None) -> None:
        """Let no extension in until a new token is made."""
        await self._tokens.replace(None, self._entry(actor, AuditAction.CONNECTION_TOKEN_REVOKED))
        self._held, self._looked_at = None, self._clock.monotonic()

    async def accepts(self, presented: Secret) -> bool:
        """Whether this is the token. One that another process has made is known within two seconds."""
        digest = self._digest(presented)
        if self._is_held(digest):
            if self._is_recent():
                return True
        elif self._is_recent():
            return False
        await self.current()
        return self._is_held(digest)

    def _entry(self, actor: Actor | None, action: AuditAction) -> AuditEntry | None:
        return None if actor is None else AuditEntry(at=self._clock.now(), actor=actor, action=action)

    def _digest(self, text: Secret) -> bytes:
        return self._cipher.digest(text, purpose=_PURPOSE)

    def _is_held(self, digest: bytes) -> bool:
        return self._held is not None and hmac.compare_digest(self._held.digest, digest)

    def _is_recent(self) -> bool:
        return self._looked_at is not None and self._clock.monotonic() - self._looked_at < _LOOK_EVERY_S


def check_connection_token(text: str) -> None:
    """Refuse what could be guessed, or could never be presented.

    Raises:
        UnsupportedInputError: It is such a text.
    """
    if not _SHORTEST <= len(text) <= _LONGEST or not _TEXT.fullmatch(text) or len(set(text)) < _DISTINCT:
        raise UnsupportedInputError(
            f"A connection token has {_SHORTEST} to {_LONGEST} characters of ASCII, at least {_DISTINCT} of them different; "
            "leave it empty to have one made.",
            param="connection_token",
        )
