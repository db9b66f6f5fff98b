"""The look at the public address: what it meets on the way, and whether it came in here again."""

from collections.abc import Callable

from flow2api.adapters.console.checks.outside_check import Finding, OutsideCheck, Sighting
from flow2api.domain.errors import UpstreamUnavailableError
from flow2api.domain.ports.outside import OutsideView
from flow2api.testing.fakes.clock import FakeClock

URL = "https://flow.example.org"


class Outside:
    """Plays the way to the public address; what comes to our path arrives at the check."""

    def __init__(self, check: OutsideCheck, *, arrives: bool = True, host: str = "flow.example.org") -> None:
        self.check = check
        self.asked: list[str] = []
        self.days: int | None = 70
        self.media = OutsideView(404, 5, None, "req_1")
        self._arrives, self._host = arrives, host

    async def __call__(self, url: str, *, timeout_s: float) -> OutsideView:
        self.asked.append(url)
        if "/media/" in url:
            return self.media
        if self._arrives:
            assert self.check.arrived(url.rpartition("/")[2], Sighting("http", self._host, "203.0.113.9"))
        return OutsideView(200, 41, self.days)


async def kinds(check: OutsideCheck, outside: Callable[..., object]) -> list[str]:
    await check.look(f"{URL}/", outside, FakeClock())  # type: ignore[arg-type]
    assert check.last is not None
    return [one.kind for one in check.last.findings]


async def test_request_that_arrives_here_proves_the_address() -> None:
    check = OutsideCheck()
    outside = Outside(check)

    assert await kinds(check, outside) == ["ok", "ok", "info", "ok"]
    assert check.last is not None
    assert Finding("ok", "Reached in 41 ms.") in check.last.findings
    assert all(url.startswith(URL + "/") for url in outside.asked)


async def test_somebody_else_at_the_address_is_told_and_asked_no_more() -> None:
    check = OutsideCheck()
    outside = Outside(check, arrives=False)

    assert await kinds(check, outside) == ["err"]
    assert len(outside.asked) == 1


async def test_certificate_that_ends_soon_and_another_host_are_told() -> None:
    check = OutsideCheck()
    outside = Outside(check, host="127.0.0.1:8000")
    outside.days = 3

    assert await kinds(check, outside) == ["ok", "warn", "info", "info", "ok"]


async def test_media_that_do_not_lead_here_are_told() -> None:
    check = OutsideCheck()
    outside = Outside(check)
    outside.days, outside.media = None, OutsideView(502, 5)

    assert await kinds(check, outside) == ["ok", "info", "err"]


async def test_nobody_at_the_address_is_told_in_the_words_of_the_error() -> None:
    async def silent(url: str, *, timeout_s: float) -> OutsideView:
        raise UpstreamUnavailableError("Nobody answers there: refused.", reached=False)

    check = OutsideCheck()

    assert await kinds(check, silent) == ["err"]
    assert check.last is not None
    assert check.last.findings[0].words == "Nobody answers there: refused."


async def test_token_that_was_not_given_out_or_is_used_up_arrives_nowhere() -> None:
    check = OutsideCheck()
    outside = Outside(check)
    await kinds(check, outside)
    used = outside.asked[0].rpartition("/")[2]

    assert not check.arrived(used, Sighting("http", "h", "a"))
    assert not check.arrived("guessed", Sighting("http", "h", "a"))
