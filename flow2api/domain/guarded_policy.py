"""A selection policy that cannot fail a request, whatever it does."""

import logging
from collections.abc import Callable
from random import Random

from flow2api.domain.selection import Candidate, Explains, Need, ReadySet, SelectionPolicy

log = logging.getLogger(__name__)

_TOLD_EVERY_S = 60.0


class GuardedPolicy:
    """A policy under its name. When it raises, any ready account is taken instead, and its fault told once a minute.

    Attributes:
        looks_home: Whether it wants to know which account made what a request builds on.
    """

    def __init__(self, name: str, build: Callable[[], SelectionPolicy], time_s: Callable[[], float]) -> None:
        """Make it.

        Args:
            time_s: Tells monotonic time in seconds.
        """
        self.name = name
        self._time_s = time_s
        self._told_at: float | None = None
        self._is_fallback = False
        self._chosen: Candidate | None = None
        self.looks_home = False
        self._policy: SelectionPolicy | None = None
        self._explains: Explains | None = None
        self._build(build)

    def select(self, ready: ReadySet, need: Need, random: Random) -> Candidate:
        """What the policy selects, or any of the ready ones."""
        if self._policy is not None:
            try:
                chosen: object = self._policy.select(ready, need, random)
                if isinstance(chosen, Candidate):
                    self._is_fallback = False
                    self._chosen = chosen
                    return chosen
                raise TypeError(f"select returned {type(chosen).__name__}, no candidate")  # noqa: TRY301
            except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything
                self._tell(error)
        self._is_fallback = True
        return ready.sample(random)

    def explain(self, candidate: Candidate, need: Need) -> str:
        """The policy's own word for its choice, as far as it has one."""
        if self._is_fallback:
            return "drawn at random, for the policy failed"
        if candidate is not self._chosen:
            return "the first that could serve, for the policy's own choice could not"
        if self._explains is None:
            return "the policy chose it"
        try:
            return str(self._explains.explain(candidate, need))[:200]
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything
            self._tell(error)
            return "the policy chose it"

    def _build(self, build: Callable[[], SelectionPolicy]) -> None:
        try:
            policy = build()
            self._explains = policy if isinstance(policy, Explains) else None
            self.looks_home = bool(getattr(policy, "looks_home", False))
            self._policy = policy
        except (Exception, SystemExit):
            log.exception("selection policy cannot be made, accounts are chosen at random", extra={"policy": self.name})

    def _tell(self, error: BaseException) -> None:
        now = self._time_s()
        if self._told_at is None or now - self._told_at >= _TOLD_EVERY_S:
            self._told_at = now
            log.error("selection policy failed", extra={"policy": self.name}, exc_info=error)
