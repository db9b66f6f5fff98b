"""The options as they stand now."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Any, Literal, get_args, get_origin, get_type_hints

import structlog

from flow2api.domain.audit import Actor, AuditAction, AuditEntry, differences
from flow2api.domain.errors import ConfigurationError, OptionLockedError, UnsupportedInputError
from flow2api.domain.options import Options, OptionSource, OptionStanding
from flow2api.domain.ports.storage import OptionValues
from flow2api.domain.ports.system import Clock
from flow2api.domain.time_zone import zone_named
from flow2api.settings import parse_options

_DEFAULTS = Options()

log = structlog.get_logger(__name__)


class CurrentOptions:
    """What storage says, under what the settings fix. Calling it gives the options; nothing is read then."""

    def __init__(
        self,
        stored: OptionValues,
        fixed: Mapping[str, Any],
        policies: Callable[[], frozenset[str]],
        clock: Clock,
        *,
        proxy_selectors: Collection[str] = ("rendezvous",),
        check: Callable[[Options], None] = lambda options: None,
    ) -> None:
        """Begin with what the settings fix.

        Args:
            check: Raises `ConfigurationError` for options that do not fit what is installed.
        """
        self._check = check
        self._stored = stored
        self._fixed = fixed
        self._policies = policies
        self._proxy_selectors = proxy_selectors
        self._clock = clock
        self._now = self._checked(fixed)
        self._hearers: list[Callable[[Options], None]] = []
        self._checks: list[Callable[[Options, Options], None]] = []
        self._changing = asyncio.Lock()

    def __call__(self) -> Options:
        return self._now

    @property
    def fixed(self) -> frozenset[str]:
        """The names of the options that the settings fix."""
        return frozenset(self._fixed)

    async def reload(self) -> None:
        """Take in what storage holds; when that cannot be used, what was in force stays."""
        try:
            self._take(self._checked({**await self._stored.read(), **self._fixed}))
        except ConfigurationError as error:
            log.warning("stored options cannot be used; the former ones stay", reason=error.message)

    async def change(self, values: Mapping[str, object], actor: Actor) -> Options:
        """Set options, all of them or none; they act at once.

        Args:
            values: New values by name; None goes back to the default.

        Raises:
            UnsupportedInputError: One is unknown or cannot be used; nothing was changed.
            OptionLockedError: One is fixed by the settings; nothing was changed.
        """
        known = {field.name for field in fields(Options)}
        for name in values:
            if name not in known:
                raise UnsupportedInputError(
                    f"There is no option {name[:64]!r}.{_nearest(name, known)}", param=name[:64]
                )
            if name in self._fixed:
                raise OptionLockedError(
                    f"The option {name} is fixed in the settings file or the environment; change it there.", param=name
                )
        async with self._changing:
            stored = await self._stored.read()
            # One that a newer version has left behind does not keep anybody from changing the others.
            known_ones = {name: value for name, value in stored.items() if name in known}
            kept = {name: value for name, value in {**known_ones, **values}.items() if value is not None}
            try:
                changed = self._checked({**kept, **self._fixed})
            except ConfigurationError as error:
                raise UnsupportedInputError(error.message) from error
            for check in self._checks:
                check(self._now, changed)
            details = differences(_named(self._now, values), _named(changed, values))
            entry = AuditEntry(at=self._clock.now(), actor=actor, action=AuditAction.OPTIONS_CHANGED, details=details)
            # In the option's own type, whatever it was given as.
            kept_as = {name: None if value is None else getattr(changed, name) for name, value in values.items()}
            await self._stored.write(kept_as, actor.name, entry)
            self._take(changed)
            return changed

    async def standing(self) -> list[OptionStanding]:
        """Every option: its value, its default and where the value comes from."""
        stored, options, types = await self._stored.read(), self._now, get_type_hints(Options)
        offered = {"policy": self._policies(), "proxy_selector": self._proxy_selectors}
        return [
            OptionStanding(
                name=name,
                value=getattr(options, name),
                default=getattr(_DEFAULTS, name),
                source=self._source(name, stored),
                choices=tuple(sorted(offered[name])) if name in offered else _words(types[name]),
            )
            for name in (field.name for field in fields(Options))
        ]

    def _source(self, name: str, stored: Mapping[str, Any]) -> OptionSource:
        if name in self._fixed:
            return OptionSource.SETTINGS
        return OptionSource.SET if name in stored else OptionSource.DEFAULT

    def check_by(self, check: Callable[[Options, Options], None]) -> None:
        """Have changes looked at, as they were and as they would be; what raises `UnsupportedInputError` is not done."""
        self._checks.append(check)

    def tell(self, hear: Callable[[Options], None]) -> None:
        """Tell somebody the options now, and again whenever they have changed."""
        self._hearers.append(hear)
        hear(self._now)

    def _take(self, options: Options) -> None:
        self._now = options
        for hear in self._hearers:
            hear(options)

    def _checked(self, values: Mapping[str, Any]) -> Options:
        options = parse_options(values)
        if options.time_zone:
            zone_named(options.time_zone)
        if options.policy not in self._policies():
            names = ", ".join(sorted(self._policies()))
            hint = _nearest(options.policy, self._policies())
            raise ConfigurationError(f"There is no selection policy {options.policy[:64]!r}; there are {names}.{hint}")
        if options.proxy_selector not in self._proxy_selectors:
            names = ", ".join(sorted(self._proxy_selectors))
            hint = _nearest(options.proxy_selector, self._proxy_selectors)
            raise ConfigurationError(
                f"There is no proxy selector {options.proxy_selector[:64]!r}; there are {names}.{hint}"
            )
        self._check(options)
        return options


def _words(kind: object) -> tuple[str, ...]:
    """The words of a type that counts them."""
    return tuple(get_args(kind)) if get_origin(kind) is Literal else ()


def _nearest(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, sorted(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def _named(options: Options, names: Mapping[str, object]) -> dict[str, object]:
    return {name: getattr(options, name) for name in names}
