"""Operators hear once that an upstream is left alone, and once that it answers again."""

from flow2api.domain.breaker import BreakerState, Host
from flow2api.domain.notices import Notice, NoticeKind
from flow2api.domain.usecases.guard_upstreams import BreakerChange, GuardUpstreams
from flow2api.domain.usecases.watch_breakers import WatchBreakers
from flow2api.testing.fakes.clock import FakeClock


def test_trials_that_fail_are_not_told_again() -> None:
    told: list[Notice] = []
    watch = WatchBreakers(GuardUpstreams(FakeClock()), told.append, FakeClock())
    states = [BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED]
    for state in states:
        watch.changed(BreakerChange("flow", Host.API, state, "no answer"))
    assert [one.kind for one in told] == [NoticeKind.BREAKER_OPENED, NoticeKind.BREAKER_CLOSED]
    assert "no answer" in told[0].sentence


def test_hosts_of_an_upstream_are_told_apart() -> None:
    told: list[Notice] = []
    watch = WatchBreakers(GuardUpstreams(FakeClock()), told.append, FakeClock())
    watch.changed(BreakerChange("flow", Host.API, BreakerState.OPEN, "no answer"))
    watch.changed(BreakerChange("flow", Host.SESSION, BreakerState.OPEN, "no answer"))
    watch.changed(BreakerChange("flow", Host.SESSION, BreakerState.CLOSED))
    assert [one.subject for one in told] == ["upstream flow", "upstream flow (sign-in)", "upstream flow (sign-in)"]


def test_base_url_is_told_of_an_upstream_with_several_hosts() -> None:
    told: list[Notice] = []
    watch = WatchBreakers(GuardUpstreams(FakeClock()), told.append, FakeClock())
    for base_url in ("https://one.example.org/v1", "https://two.example.org/v1"):
        watch.changed(BreakerChange("openai", Host.API, BreakerState.OPEN, "no answer", base_url))
    watch.changed(BreakerChange("openai", Host.API, BreakerState.CLOSED, base_url="https://one.example.org/v1"))
    assert [one.subject for one in told] == [
        "upstream openai at https://one.example.org/v1",
        "upstream openai at https://two.example.org/v1",
        "upstream openai at https://one.example.org/v1",
    ]
