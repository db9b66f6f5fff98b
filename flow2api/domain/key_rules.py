"""What a key to our API may do, and how much of it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.media import MediaKind


class KeyScope(StrEnum):
    """A part of the API that a key may be limited to."""

    IMAGES = "images"
    VIDEOS = "videos"
    MODELS = "models"

    @staticmethod
    def of(kind: MediaKind) -> "KeyScope":
        """The one for making this kind of media."""
        return KeyScope.VIDEOS if kind is MediaKind.VIDEO else KeyScope.IMAGES


EVERY_SCOPE = frozenset(KeyScope)
MOST = 1_000_000
"""The largest limit."""
LONGEST_LIFE = timedelta(days=3653)
"""So long from now at most a key expires."""

_SCOPES = ", ".join(scope.value for scope in KeyScope)
_MOST_MODELS = 50
_LONGEST_MODEL = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRules:
    """What a key may do, and how much of it.

    Attributes:
        scopes: The parts of the API that it opens.
        models: Names of models and patterns of such names (``veo-*``); none opens all models.
        expires_at: From when on it opens nothing; None for never.
        requests_per_min: How many requests it may begin in a minute; 0 for any number, None for what the option of this
            name says.
        max_concurrent: How many of its generations may wait or run at once; 0 for any number.
        max_per_day: How many pictures and videos it may have made in a day of UTC; 0 for any number.
    """

    scopes: frozenset[KeyScope] = EVERY_SCOPE
    models: tuple[str, ...] = ()
    expires_at: datetime | None = None
    requests_per_min: int | None = None
    max_concurrent: int = 0
    max_per_day: int = 0

    def has_expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.expires_at is not None and self.expires_at <= now

    def shows(self, kind: MediaKind) -> bool:
        """Whether models of this kind are worth listing: those that it may use, or all when it may use none."""
        return KeyScope.of(kind) in self.scopes or self.scopes <= {KeyScope.MODELS}

    def check(self, now: datetime) -> None:
        """Refuse rules that cannot be kept or would open nothing.

        Raises:
            UnsupportedInputError: The first of them.
        """
        if not self.scopes:
            raise UnsupportedInputError(f"A key has at least one scope of {_SCOPES}.", param="scopes")
        _check_models(self.models)
        if self.expires_at is not None and not now < self.expires_at <= now + LONGEST_LIFE:
            raise UnsupportedInputError("A key expires at a time to come, within ten years.", param="expires_at")
        _check_number("requests_per_min", self.requests_per_min or 0)
        _check_number("max_concurrent", self.max_concurrent)
        _check_number("max_per_day", self.max_per_day)


NO_RULES = KeyRules()
"""A key without any: it may do everything, as often as the options say."""


def scopes_named(names: Collection[str]) -> frozenset[KeyScope]:
    """The scopes of these names; without any, all of them.

    Raises:
        UnsupportedInputError: There is no such scope.
    """
    unknown = sorted(set(names) - {scope.value for scope in KeyScope})
    if unknown:
        raise UnsupportedInputError(
            f"There is no scope {unknown[0][:_LONGEST_MODEL]!r}; there are {_SCOPES}.", param="scopes"
        )
    return frozenset(KeyScope(name) for name in names) or EVERY_SCOPE


def _check_models(models: tuple[str, ...]) -> None:
    if len(models) > _MOST_MODELS:
        raise UnsupportedInputError(f"A key names at most {_MOST_MODELS} models and patterns.", param="models")
    for one in models:
        if not 0 < len(one) <= _LONGEST_MODEL or not one.isprintable() or one != one.strip():
            raise UnsupportedInputError(
                f"The name of a model, or a pattern of such names, has 1 to {_LONGEST_MODEL} printable characters.",
                param="models",
            )


def _check_number(name: str, value: int) -> None:
    if not 0 <= value <= MOST:
        raise UnsupportedInputError(f"`{name}` is a number from 0 to {MOST:,}; 0 sets no limit.", param=name)
