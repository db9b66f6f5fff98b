"""Brings the settings of the old server over for which there is an option here."""

from collections.abc import Callable, Collection, Mapping, Sequence

from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.errors import ConfigurationError
from flow2api.domain.legacy import SOURCE, LegacySettings, TableReport
from flow2api.domain.options import Options
from flow2api.domain.ports.storage import OptionValues
from flow2api.domain.ports.system import Clock
from flow2api.domain.usecases.manage_proxies import ManageProxies

SETTINGS_TABLES = ("proxy_config", "generation_config", "cache_config", "debug_config", "admin_config")

_HOUR_S = 3600


class InheritSettings:
    """Sets options that nobody has set here yet. What is set here, or fixed by the settings, stays as it is."""

    def __init__(
        self,
        options: OptionValues,
        proxies: ManageProxies,
        clock: Clock,
        actor: Actor,
        *,
        parse: Callable[[Mapping[str, object]], Options],
        fixed: Collection[str] = (),
    ) -> None:
        """Args:
        parse: Raises `ConfigurationError` for what options cannot be.
        fixed: Options that the settings file or the environment fixes.
        """
        self._options = options
        self._proxies = proxies
        self._clock = clock
        self._actor = actor
        self._parse = parse
        self._fixed = fixed

    async def __call__(self, old: LegacySettings, reports: Mapping[str, TableReport]) -> Sequence[str]:
        """Take over what the tables say of which there are reports.

        Returns:
            Sentences about what the operator should look at.
        """
        wanted = {
            "generation_config": _generation(old),
            "cache_config": _media(old),
            "debug_config": {"debug_log": old.is_debugged},
            "admin_config": {"error_threshold": old.error_threshold},
        }
        notes: list[str] = []
        if (report := reports.get("proxy_config")) is not None and report.rows:
            wanted["proxy_config"], told = await self._proxy(old, report)
            notes += told
        taken: dict[str, object] = {}
        stored = await self._options.read()
        for table, values in wanted.items():
            if (report := reports.get(table)) is not None and report.rows:
                taken |= self._usable(values, stored, report)
        if taken:
            details = {"after": taken, "from": SOURCE}
            entry = AuditEntry(
                at=self._clock.now(), actor=self._actor, action=AuditAction.OPTIONS_CHANGED, details=details
            )
            await self._options.write(taken, self._actor.name, entry)
            notes.append(f"Options set as they were there: {', '.join(sorted(taken))}.")
        return notes

    async def _proxy(self, old: LegacySettings, report: TableReport) -> tuple[Mapping[str, object], Sequence[str]]:
        """The proxy, stored if it is not yet, and the option that names it."""
        if old.proxy_fault:
            report.skip(old.proxy_fault, None)
        if old.proxy_url is None:
            return {}, ()
        proxy, is_new = await self._proxies.find_or_add(old.proxy_url, old.proxy_address, self._actor)
        name = proxy.name
        if is_new:
            report.added = 1
        if not old.is_proxy_used:
            return {}, (
                f"The proxy {name!r} was switched off there; it is here, and nobody uses it.",
            ) if is_new else ()
        return {"proxy": name}, ()

    def _usable(
        self, values: Mapping[str, object], stored: Mapping[str, object], report: TableReport
    ) -> dict[str, object]:
        """The values that are to be set; what comes of the table is counted."""
        taken: dict[str, object] = {}
        for name, value in values.items():
            if value is None or name in stored or value == getattr(Options(), name):
                continue
            if name in self._fixed:
                report.skip(f"The option {name} is fixed here by the settings file or the environment.", None)
                continue
            try:
                taken[name] = getattr(self._parse({name: value}), name)
            except ConfigurationError as error:
                report.skip(error.message, None)
        if taken:
            report.added = 1
        elif not report.added and not report.skipped:
            report.known = 1
        return taken


def _generation(old: LegacySettings) -> Mapping[str, object]:
    return {
        "image_timeout_s": old.image_timeout_s,
        "video_timeout_s": old.video_timeout_s,
        "max_attempts": None if old.max_retries is None else old.max_retries + 1,
    }


def _media(old: LegacySettings) -> Mapping[str, object]:
    """How long media is kept; where the old server kept none, nothing is said about it here."""
    kept_h = old.cached_s / _HOUR_S if old.is_cached and old.cached_s is not None else None
    return {"image_retention_h": kept_h, "video_retention_h": kept_h, "media_base_url": old.base_url}
