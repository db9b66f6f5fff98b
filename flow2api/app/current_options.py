"""The options as they stand now."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import structlog

from flow2api.app.backends import Backends
from flow2api.domain.audit import Actor, AuditAction, AuditEntry, differences
from flow2api.domain.catalog import check_routes
from flow2api.domain.errors import ChangedMeanwhileError, ConfigurationError, OptionLockedError, UnsupportedInputError
from flow2api.domain.options import Options, OptionSource, OptionStanding
from flow2api.domain.ports.storage import OptionValues
from flow2api.domain.ports.system import Clock
from flow2api.domain.time_zone import zone_named
from flow2api.extensions import Extensions, check_saved_setting
from flow2api.settings import Settings, parse_options

_DEFAULTS = Options()

log = structlog.get_logger(__name__)

_SELECTING = ("policy", "proxy_selector", "response_profile")
"""Options that name something of a plugin's."""

_KNOWN = frozenset(field.name for field in fields(Options))


class CurrentOptions:
    """What storage says, under what the settings fix. Calling it gives the options; nothing is read then.

    Attributes:
        ignored: The stored options that cannot be used, with the reason of each.
    """

    def __init__(
        self,
        stored: OptionValues,
        fixed: Mapping[str, Any],
        policies: Callable[[], frozenset[str]],
        clock: Clock,
        *,
        proxy_selectors: Collection[str] = ("rendezvous",),
        profiles: Collection[str] = ("standard",),
        left_out: str = "",
        origins: Mapping[str, str] | None = None,
        check_installed: Callable[[Options], None] = lambda options: None,
    ) -> None:
        """Begin with what the settings fix.

        Args:
            left_out: What to say of plugins that may have brought what is missing.
            origins: Which variable or file fixes an option, by its name.
            check_installed: Raises `ConfigurationError` for options that do not fit what is installed, wherever they come from.
        """
        self._check_installed = check_installed
        self._stored = stored
        self._fixed = fixed
        self._policies = policies
        self._proxy_selectors = proxy_selectors
        self._profiles = profiles
        self._left_out = left_out
        self._origins = origins or {}
        self._clock = clock
        self._now = self._checked(fixed)
        self.ignored: Mapping[str, str] = {}
        self._hearers: list[Callable[[Options], None]] = []
        self._change_checks: list[Callable[[Options, Options], None]] = []
        self._changing = asyncio.Lock()

    def __call__(self) -> Options:
        return self._now

    @property
    def fixed(self) -> frozenset[str]:
        """The names of the options that the settings fix."""
        return frozenset(self._fixed)

    async def reload(self) -> None:
        """Take in what storage holds; of an option that cannot be used, what was in force stays."""
        async with self._changing:  # what was read before a change must not take its place
            await self._reload()

    async def _reload(self) -> None:
        usable, faults = self._sift(await self._stored.read())
        self.ignored = faults
        for name, reason in faults.items():
            log.warning("stored option is ignored", option=name, reason=reason)
        former = {name: getattr(self._now, name) for name in faults if name in _KNOWN}
        try:
            self._take(self._checked({**usable, **former, **self._fixed}))
        except ConfigurationError:  # what was in force does not go with what is stored now
            self._take(self._checked({**usable, **self._fixed}))

    def check_selected(self) -> None:
        """To be called at the start, after `reload`: what was selected is not silently replaced by something else.

        Raises:
            ConfigurationError: A stored option selects what no plugin offers.
        """
        for name in _SELECTING:
            if name in self.ignored:
                raise ConfigurationError(
                    f"{self.ignored[name]} The option is stored; `flow2api options reset {name}` takes the default."
                )

    async def change(
        self, values: Mapping[str, object], actor: Actor, *, seen: Mapping[str, object] | None = None
    ) -> Options:
        """Set options, all of them or none; they act at once.

        Args:
            values: New values by name; None goes back to the default.
            seen: What whoever changes them has seen in force; None sets them whatever is in force.

        Raises:
            ChangedMeanwhileError: One is not as it was seen, be it that another server has changed it; nothing was changed,
                and what that one has set is in force here, too.
            UnsupportedInputError: One is unknown or cannot be used; nothing was changed.
            OptionLockedError: One is fixed by the settings; nothing was changed.
        """
        async with self._changing:
            stored = await self._stored.read()
            if seen is not None and (others := self._not_as(seen, stored)):
                await self._reload()
                raise ChangedMeanwhileError(others)
            changed = self._changed(values, stored)
            # In the option's own type, whatever it was given as.
            kept_as = {name: None if value is None else getattr(changed, name) for name, value in values.items()}
            if any(_as_stored(value) != stored.get(name) for name, value in kept_as.items()):
                entry, known = self._entry(changed, kept_as, stored, actor), None if seen is None else stored
                try:
                    await self._stored.write(kept_as, actor.name, entry, known=known)
                except ChangedMeanwhileError:
                    await self._reload()
                    raise
            self._take(changed)
            return changed

    def _not_as(self, seen: Mapping[str, object], stored: Mapping[str, object]) -> list[str]:
        """The names of those that storage would have in force otherwise than they were seen."""
        usable, faults = self._sift(stored)
        now = self._checked({**usable, **self._fixed})
        return [name for name, value in seen.items() if name not in faults and getattr(now, name) != value]

    async def check(self, values: Mapping[str, object]) -> Options:
        """What the options would be with these values; nothing is changed.

        Raises:
            UnsupportedInputError: One is unknown or cannot be used.
            OptionLockedError: One is fixed by the settings.
        """
        return self._changed(values, await self._stored.read())

    async def standing(self) -> list[OptionStanding]:
        """Every option: its value, its default and where the value comes from."""
        stored, options, types = await self._stored.read(), self._now, get_type_hints(Options)
        offered = {
            "policy": self._policies(),
            "proxy_selector": self._proxy_selectors,
            "response_profile": self._profiles,
        }
        return [
            OptionStanding(
                name=name,
                value=getattr(options, name),
                default=getattr(_DEFAULTS, name),
                source=self._source(name, stored),
                choices=tuple(sorted(offered[name])) if name in offered else _words(types[name]),
                fixed_by=self._origins.get(name, "") if name in self._fixed else "",
            )
            for name in (field.name for field in fields(Options))
        ]

    def _source(self, name: str, stored: Mapping[str, Any]) -> OptionSource:
        if name in self._fixed:
            return OptionSource.SETTINGS
        return OptionSource.SET if name in stored else OptionSource.DEFAULT

    def check_changes_by(self, check: Callable[[Options, Options], None]) -> None:
        """Have what operators change looked at, as it was and as it would be; what raises `UnsupportedInputError` is not done.

        What was stored before is not asked about: what it names may have gone since.
        """
        self._change_checks.append(check)

    def tell(self, hear: Callable[[Options], None]) -> None:
        """Tell somebody the options now, and again whenever they have changed."""
        self._hearers.append(hear)
        hear(self._now)

    def _sift(self, stored: Mapping[str, object]) -> tuple[dict[str, object], dict[str, str]]:
        """The stored options that can be used with the fixed ones, and for each of the others why it cannot."""
        usable: dict[str, object] = {}
        faults: dict[str, str] = {}
        try:
            self._checked({**stored, **self._fixed})
        except ConfigurationError:
            for name, value in stored.items():
                try:
                    self._checked({**usable, name: value, **self._fixed})
                except ConfigurationError as error:
                    faults[name] = error.message
                else:
                    usable[name] = value
            return usable, faults
        return dict(stored), faults

    def _refuse_unknown_and_fixed(self, values: Mapping[str, object], stored: Mapping[str, object]) -> None:
        for name, value in values.items():
            if name not in _KNOWN and not (value is None and name in stored):  # what another version left may go
                hint = _nearest(name, _KNOWN, " `flow2api options list` shows them.")
                raise UnsupportedInputError(f"There is no option {name[:64]!r}.{hint}", param=name[:64])
            if name in self._fixed:
                raise OptionLockedError(
                    f"The option {name} is fixed in the settings file or the environment; change it there.", param=name
                )

    def _changed(self, values: Mapping[str, object], stored: Mapping[str, object]) -> Options:
        self._refuse_unknown_and_fixed(values, stored)
        # One that cannot be used, or that a newer version has left behind, keeps nobody from changing the others.
        usable, _ = self._sift(stored)
        wanted = {name: value for name, value in {**usable, **values}.items() if value is not None}
        try:
            changed = self._checked({**wanted, **self._fixed})
        except ConfigurationError as error:
            raise UnsupportedInputError(error.message) from error
        for check in self._change_checks:
            check(self._now, changed)
        return changed

    def _entry(
        self, changed: Options, kept_as: Mapping[str, object], stored: Mapping[str, object], actor: Actor
    ) -> AuditEntry:
        """What was in force and what is; where that is the same, what was stored: null is the default."""
        before, after = _named(self._now, kept_as), _named(changed, kept_as)
        for name, value in kept_as.items():
            if before[name] == after[name]:
                before[name], after[name] = stored.get(name), _as_stored(value)
        details = differences(before, after)
        return AuditEntry(at=self._clock.now(), actor=actor, action=AuditAction.OPTIONS_CHANGED, details=details)

    def _take(self, options: Options) -> None:
        self._now = options
        for hear in self._hearers:
            hear(options)

    def _checked(self, values: Mapping[str, Any]) -> Options:
        options = parse_options(values)
        if options.time_zone:
            zone_named(options.time_zone)
        self._check_offered("policy", "selection policy", options.policy, self._policies())
        self._check_offered("proxy_selector", "proxy selector", options.proxy_selector, self._proxy_selectors)
        self._check_offered("response_profile", "response profile", options.response_profile, self._profiles)
        self._check_installed(options)
        return options

    def _check_offered(self, option: str, what: str, name: str, offered: Collection[str]) -> None:
        if name not in offered:
            names, hint = ", ".join(sorted(offered)), _nearest(name, offered)
            raise ConfigurationError(
                f"There is no {what} {name[:64]!r}, which the option {option} asks for; there are {names}.{hint}{self._left_out}"
            )


def _words(kind: object) -> tuple[str, ...]:
    """The words of a type that counts them."""
    return tuple(get_args(kind)) if get_origin(kind) is Literal else ()


def build_options(
    settings: Settings,
    extensions: Extensions,
    backends: Backends,
    clock: Clock,
    known: Callable[[], Extensions] | None = None,
) -> CurrentOptions:
    """The options of an installation, checked against what is installed.

    Args:
        known: What is known of plugins when their settings are changed; the same as at the start when it is left out.

    Raises:
        ConfigurationError: One that the settings fix cannot be used.
    """
    options = CurrentOptions(
        backends.storage.options,
        settings.options,
        lambda: frozenset(extensions.policies),
        clock,
        proxy_selectors=frozenset(extensions.proxy_selectors),
        profiles=frozenset(extensions.profiles),
        left_out=extensions.told_left_out,
        origins={
            name.removeprefix("options."): origin
            for name, origin in settings.origins.items()
            if name.startswith("options.")
        },
        check_installed=lambda options: check_routes(options.model_routes, backends.catalog),
    )
    options.check_changes_by(lambda was, now: _check_saved_settings(known() if known else extensions, was, now))
    return options


def _check_saved_settings(extensions: Extensions, was: Options, now: Options) -> None:
    for name, text in now.plugin_settings.items():
        if was.plugin_settings.get(name) != text:
            try:
                check_saved_setting(extensions, name, text)
            except ConfigurationError as error:
                raise UnsupportedInputError(error.message, param="plugin_settings") from error


def _nearest(name: str, known: Collection[str], otherwise: str = "") -> str:
    near = get_close_matches(name, sorted(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else otherwise


def _as_stored(value: object) -> object:
    """A value as storage gives it back."""
    return msgspec.json.decode(msgspec.json.encode(value))


def _named(options: Options, names: Mapping[str, object]) -> dict[str, object]:
    return {name: getattr(options, name, None) for name in names}
