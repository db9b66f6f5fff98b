"""Figures in Prometheus' text format, version 0.0.4."""

import os
import resource
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from itertools import accumulate
from pathlib import Path

from flow2api.adapters.metrics.counted_journal import CountedJournal
from flow2api.domain.account import Place
from flow2api.domain.breaker import BreakerState, BreakerStatus, Host
from flow2api.domain.statistics import BOUNDS_S
from flow2api.domain.usecases.count_accounts import Census

_STATUS = Path("/proc/self/statm")
_OPEN_FILES = Path("/proc/self/fd")

_Sample = tuple[str, float]


class Exposition:
    """Puts together what this process knows; another process has figures of its own."""

    def __init__(
        self,
        census: Callable[[], Awaitable[Census]],
        journal: CountedJournal,
        running: Callable[[], int],
        version: str,
        hosts: Callable[[], Mapping[tuple[Place, Host], BreakerStatus]] = dict,
    ) -> None:
        """Put it together.

        Args:
            running: How many generations this process works on.
            hosts: How the breaker of each host stands that was called.
        """
        self._census = census
        self._journal = journal
        self._running = running
        self._version = version
        self._hosts = hosts
        self._began = time.time()

    async def __call__(self) -> str:
        """The whole text."""
        census = await self._census()
        families = [*self._of_accounts(census), *self._of_hosts(), *self._of_generations(), *self._of_process()]
        return "".join(families)

    def _of_accounts(self, census: Census) -> Iterator[str]:
        by_status = [(_labels(status=status.value), count) for status, count in census.by_status.items()]
        yield _family("flow2api_accounts", "gauge", "Accounts by how they stand.", by_status)
        resting = [(_labels(reason=reason.value), count) for reason, count in sorted(census.resting.items())]
        yield _family("flow2api_accounts_resting", "gauge", "Accounts that rest, by the gravest reason.", resting)
        yield _family("flow2api_accounts_warming", "gauge", "Accounts never exchanged yet.", [("", census.warming)])
        yield _family(
            "flow2api_account_credits", "gauge", "Credits that all accounts have left.", [("", census.credits)]
        )

    def _of_hosts(self) -> Iterator[str]:
        standing = [
            (
                _labels(upstream=upstream, host=host.value, base_url=base_url or ""),
                status.state is not BreakerState.CLOSED,
            )
            for ((upstream, base_url), host), status in self._hosts().items()
        ]
        told = "Whether a host of an upstream is left alone, for it fails for most accounts."
        yield _family("flow2api_upstream_left_alone", "gauge", told, standing)

    def _of_generations(self) -> Iterator[str]:
        yield _family(
            "flow2api_generations_running", "gauge", "Generations this process works on.", [("", self._running())]
        )
        ended = [
            (_labels(kind=kind, state=state), count) for (kind, state), count in sorted(self._journal.ended.items())
        ]
        yield _family("flow2api_generations_total", "counter", "Generations and refused requests that ended.", ended)
        errors = [(_labels(code=code), count) for code, count in sorted(self._journal.errors.items())]
        yield _family("flow2api_errors_total", "counter", "What did not end well, by code.", errors)
        yield _family(
            "flow2api_generation_duration_seconds",
            "histogram",
            "How long generations that ended well took, waiting included.",
            self._durations(),
        )

    def _durations(self) -> Iterator[_Sample]:
        for kind, classes in sorted(self._journal.took.items()):
            for bound, count in zip((*BOUNDS_S, float("inf")), accumulate(classes), strict=True):
                yield f"_bucket{_labels(kind=kind, le='+Inf' if bound == float('inf') else f'{bound:g}')}", count
            yield f"_sum{_labels(kind=kind)}", self._journal.took_s[kind]
            yield f"_count{_labels(kind=kind)}", sum(classes)

    def _of_process(self) -> Iterator[str]:
        used = resource.getrusage(resource.RUSAGE_SELF)
        build = [(_labels(version=self._version), 1)]
        yield _family("flow2api_build_info", "gauge", "The version that runs.", build)
        yield _family("process_start_time_seconds", "gauge", "When the process began.", [("", self._began)])
        yield _family(
            "process_cpu_seconds_total", "counter", "Time on processors.", [("", used.ru_utime + used.ru_stime)]
        )
        if _STATUS.exists():  # elsewhere than on Linux nobody tells
            pages = int(_STATUS.read_text().split()[1])
            memory = pages * os.sysconf("SC_PAGE_SIZE")
            yield _family("process_resident_memory_bytes", "gauge", "Memory in use.", [("", memory)])
            yield _family("process_open_fds", "gauge", "Open files.", [("", sum(1 for _ in _OPEN_FILES.iterdir()))])


def _family(name: str, kind: str, told: str, samples: Iterable[_Sample]) -> str:
    lines = [f"# HELP {name} {told}", f"# TYPE {name} {kind}"]
    lines += [f"{name}{labels} {_number(value)}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _labels(**values: str) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in values.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
