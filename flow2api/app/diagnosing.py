"""The doctor of a running server: the checks of the command line over what is open already, and how the process fares."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

from flow2api.adapters.system.loop_lag import LoopLag
from flow2api.app.backends import Backends
from flow2api.app.current_options import CurrentOptions
from flow2api.domain.ports.storage import CountsDropped
from flow2api.domain.ports.system import Clock
from flow2api.domain.quantity import counted
from flow2api.domain.usecases.diagnose import Check, CheckState, Diagnose, Diagnosis, Finding
from flow2api.domain.usecases.keep_diagnosis import KeepDiagnosis
from flow2api.extensions import Extensions, Plugin, PluginState
from flow2api.hookspecs import DoctorCheck, Examined, ExaminedBackends, ExaminedOptions
from flow2api.settings import Settings

_LATE_S = 0.1
_OPENED = "database"


class ServerDoctor:
    """Everything that is looked at in a running server. Nobody outside is called."""

    def __init__(
        self,
        settings: Settings,
        extensions: Extensions,
        backends: Backends,
        options: CurrentOptions,
        lag: LoopLag,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._extensions = extensions
        self._backends = backends
        self._options = options
        self._lag = lag
        self._clock = clock

    def keep(self) -> KeepDiagnosis:
        """What has them run, and keeps what they found."""
        return KeepDiagnosis(self._diagnose, self._clock)

    def dropped(self) -> int:
        """How many lines of the request log found no room since the start."""
        journal = self._backends.storage.journal
        return journal.dropped if isinstance(journal, CountsDropped) else 0

    def _diagnose(self) -> AsyncIterator[Diagnosis]:
        return Diagnose(self._checks())()

    def _checks(self) -> Iterator[Check]:
        yield from checks_of_loading(self._extensions)
        yield Check("event loop", self._look_at_loop)
        yield Check("request log", self._look_at_journal)
        for one in self._extensions.doctor_checks.values():
            if not one.is_online:
                yield Check(one.name, self._looking(one), needs=None if one.needs == _OPENED else one.needs)

    def _looking(self, one: DoctorCheck) -> Callable[[], Awaitable[Finding | None]]:
        async def look() -> Finding | None:
            return await one.look(self._examined(one.section))

        return look

    async def _look_at_loop(self) -> Finding | None:
        late_s = self._lag.percentile_s(0.99)
        if late_s is None:
            return None
        sentence = f"In the last two minutes, 99 of 100 timers came at most {late_s * 1000:.0f} ms late."
        if late_s < _LATE_S:
            return Finding(CheckState.OK, sentence)
        return Finding(
            CheckState.WARN, sentence, "Give the server more processor, or look in its log for what holds it up."
        )

    async def _look_at_journal(self) -> Finding:
        lost = self.dropped()
        if not lost:
            return Finding(CheckState.OK, "Every line was written since the start.")
        return Finding(
            CheckState.WARN,
            f"Lost since the start, because the database was too slow or refused them: {counted(lost, 'line')}.",
            "Look at the disk of the database; figures of that time are too small.",
        )

    def _examined(self, section: str) -> Examined:
        return examined(
            self._settings, section, clock=self._clock, backends=lambda: self._backends, options=self._examined_options
        )

    async def _examined_options(self) -> ExaminedOptions:
        return ExaminedOptions(options=self._options(), ignored=self._options.ignored)


def examined(
    settings: Settings,
    section: str,
    *,
    clock: Clock,
    backends: Callable[[], Backends],
    options: Callable[[], Awaitable[ExaminedOptions]],
) -> Examined:
    """What a check of a plugin may look at.

    Args:
        section: The name of the plugin's section of the settings; one without settings has an empty one.
        backends: Called when a check asks for them.
    """

    def examined_backends() -> ExaminedBackends:
        made = backends()
        return ExaminedBackends(
            storage=made.storage, store=made.store, coordination=made.coordination, catalog=made.catalog
        )

    return Examined(
        section=settings.sections.get(section, {}),
        data_dir=settings.data_dir,
        media_url=settings.store_url,
        secret_key_file=Path(settings.secret_key_file) if settings.secret_key_file else None,
        has_secret_key=len(settings.secret_key) > 0,
        host=settings.host,
        public_url=settings.public_url,
        has_plain_http=settings.console_plain_http,
        plain_http_hosts=settings.plain_http_hosts,
        clock=clock,
        backends=examined_backends,
        options=options,
    )


def checks_of_loading(extensions: Extensions) -> Iterator[Check]:
    """Which plugins were loaded, and each one that was left out."""

    async def look() -> Finding:
        loaded = sum(plugin.state is PluginState.LOADED for plugin in extensions.plugins)
        return Finding(CheckState.OK, f"Loaded: {counted(loaded, 'plugin')}.")

    yield Check("plugins", look)
    for plugin in extensions.left_out:
        yield Check(f"plugin {plugin.name}", partial(_look_at_left_out, plugin))


async def _look_at_left_out(plugin: Plugin) -> Finding:
    return Finding(CheckState.WARN, f"It was left out. {plugin.error}", "Mend it, or enable it no longer.")
