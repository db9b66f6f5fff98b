"""Who could make a model now, and what keeps the others from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flow2api.adapters.console.language import gettext
from flow2api.domain.catalog import ModelDescription
from flow2api.domain.lease import AccountPool
from flow2api.domain.rest import RestReason
from flow2api.domain.selection import (
    BUSY,
    MAX_RUNNING,
    NO_PROXY,
    NO_TAG,
    NO_TIER,
    SWITCHED_OFF,
    UNFIT,
    WARMING,
    Signature,
)


@dataclass(frozen=True, slots=True)
class ModelState:
    """Whether a model can be had now: as a word with a symbol, and its colour."""

    name: str
    kind: str
    icon: str
    words: str


@dataclass(frozen=True, slots=True)
class Standing:
    """The accounts of a model.

    Attributes:
        ready: How many could make it at once.
        able: How many could, now or when they are free or rested.
        reasons: In words, what keeps how many from it; the most frequent first.
    """

    ready: int
    able: int
    reasons: Sequence[tuple[str, int]]


class Standings:
    """The same for many models: what is asked of accounts is the same for most of them, and looked up once."""

    def __init__(self, pool: AccountPool) -> None:
        self._pool = pool
        self._known: dict[Signature, Standing] = {}

    def of(self, model: ModelDescription) -> Standing:
        """The accounts of this model."""
        signature = Signature(model.upstream, model.kind, model.min_tier)
        known = self._known.get(signature)
        if known is None:
            ready, refusals = self._pool.ready_for(signature), self._pool.refusals(signature)
            known = self._known[signature] = standing(ready, refusals)
        return known


def standing(ready: int, refusals: Mapping[str, int]) -> Standing:
    """What these counts come to."""
    words = reason_words()
    able = ready + sum(count for reason, count in refusals.items() if reason not in UNFIT)
    told = [(words.get(reason, reason), count) for reason, count in refusals.items()]
    return Standing(ready, able, sorted(told, key=lambda one: (-one[1], one[0])))


def state_of(one: Standing, *, is_off: bool) -> ModelState:
    """Whether it can be had."""
    if is_off:
        return ModelState("off", "off", "minus", gettext("Switched off"))
    if one.ready:
        return ModelState("served", "ok", "check", gettext("Served"))
    if one.able:
        return ModelState("waits", "warn", "clock", gettext("Has to wait"))
    return ModelState("none", "err", "triangle-alert", gettext("No account able"))


def reason_words() -> Mapping[str, str]:
    """What keeps accounts from a model, in words."""
    return {
        BUSY: gettext("busy: all slots are used"),
        MAX_RUNNING: gettext("ready, but as many generations run as may"),
        NO_TIER: gettext("have a lesser plan"),
        NO_TAG: gettext("lack the tag"),
        SWITCHED_OFF: gettext("have no slots for it"),
        WARMING: gettext("warming up"),
        NO_PROXY: gettext("no way to the upstream: their proxies fail"),
        RestReason.MANUAL.value: gettext("paused"),
        RestReason.AUTH_EXPIRED.value: gettext("sign-in expired"),
        RestReason.UNUSABLE.value: gettext("cannot be used"),
        RestReason.NO_ACCESS.value: gettext("have no access to it"),
        RestReason.QUOTA.value: gettext("out of credits"),
        RestReason.REFUSED.value: gettext("cooling down: refused by the upstream"),
        RestReason.RATE_LIMITED.value: gettext("cooling down: asked too often"),
        RestReason.ERROR_STREAK.value: gettext("cooling down: failed several times"),
    }
