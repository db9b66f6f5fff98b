"""Writes answers by the profile of whoever asked."""

import time
from collections.abc import Callable, Mapping, Sequence

import structlog

from flow2api.domain.options import Options
from flow2api.domain.ports.responses import ResponseShaper, ShownResult
from flow2api.hookspecs import ResponseProfile

STANDARD = "standard"

_TOLD_EVERY_S = 60.0

log = structlog.get_logger(__name__)


class Profiles:
    """The response profiles, each made once, when it is first asked for. One that fails cannot fail an answer."""

    def __init__(self, named: Mapping[str, ResponseProfile], options: Callable[[], Options]) -> None:
        self._named = named
        self._options = options
        self._made: dict[str, ResponseShaper] = {}
        self._told_at: dict[str, float] = {}

    def chat_text(self, profile: str | None, results: Sequence[ShownResult]) -> str:
        """What a chat message says.

        Args:
            profile: That of the key; None, or one that there is no longer, for the one of the option.
        """
        name = profile if profile in self._named else self._options().response_profile
        try:
            text: object = self._shaper(name).chat_text(results)
            if isinstance(text, str):
                return text
            raise TypeError(f"chat_text returned {type(text).__name__}, no text")  # noqa: TRY301
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything
            self._tell(name, error)
        return self._shaper(STANDARD).chat_text(results)

    def _shaper(self, name: str | None) -> ResponseShaper:
        named = self._named.get(name or STANDARD) or self._named[STANDARD]
        if named.name not in self._made:
            self._made[named.name] = named.build()
        return self._made[named.name]

    def _tell(self, name: str | None, error: BaseException) -> None:
        now = time.monotonic()
        if now - self._told_at.get(str(name), float("-inf")) >= _TOLD_EVERY_S:
            self._told_at[str(name)] = now
            log.error("response profile failed, the standard one is used", profile=name, exc_info=error)
