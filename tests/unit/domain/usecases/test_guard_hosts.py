"""A host that fails is left alone by itself: other hosts of the same upstream serve on, and nothing is lost meanwhile."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from functools import partial

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.account import Account, AccountStatus, RestReason
from flow2api.domain.breaker import BreakerState, Host
from flow2api.domain.generation import Failed, Finished, GenerationRequest
from flow2api.domain.media import MediaKind
from flow2api.domain.usecases.guard_upstreams import BreakerChange, GuardUpstreams
from flow2api.domain.usecases.recall_requests import Idempotency
from flow2api.testing.factories import picture_spec, video_spec
from flow2api.testing.fakes.virtual_time import VirtualClock
from tests.unit.domain.usecases.stage import CALLER, PAINT, Stage

GOOD, BAD = "https://good.example.org/v1", "https://bad.example.org/v1"
HERE, THERE = ("hosts", GOOD), ("hosts", BAD)
DOWN = tree.UpstreamUnavailableError("no answer", reached=False)
HOST_PAINT, HOST_FILM = picture_spec("host-paint", upstream="hosts"), video_spec("host-film", upstream="hosts")


async def answers() -> str:
    return "done"


async def fails() -> str:
    raise DOWN


async def opened(guard: GuardUpstreams, place: tuple[str, str | None] = THERE, account_id: int = 1) -> None:
    for _ in range(5):
        with pytest.raises(tree.UpstreamUnavailableError):
            await guard.during(place, account_id, fails)


def guard_of(*hosts: str) -> tuple[GuardUpstreams, VirtualClock]:
    clock = VirtualClock()
    return GuardUpstreams(clock, lambda upstream: hosts), clock


async def two_hosts(stage: Stage, *, bad: int = 2, good: int = 1) -> tuple[set[int], set[int]]:
    """Warm accounts at a host that is down from now on, and at one that serves; their ids."""
    found: dict[str, set[int]] = {BAD: set(), GOOD: set()}
    for base_url, count in ((BAD, bad), (GOOD, good)):
        for number in range(count):
            stage.world.hosts.add_key(f"{base_url} {number}", base_url)
            account = await stage.key_account(f"{base_url} {number}", base_url)
            await stage.warm.warm(account.id)
            found[base_url].add(account.id)
    await stage.clock.sleep(31)
    for account_id in found[BAD]:
        for call in ("produce", "submit", "allowance"):
            stage.world.hosts.fail(call, DOWN, times=None, account_id=account_id)
    return found[BAD], found[GOOD]


class TestGuard:
    async def test_other_hosts_are_called_while_one_is_left_alone(self) -> None:
        guard, _ = guard_of(GOOD, BAD)
        await opened(guard)
        assert await guard.during(HERE, 2, answers, spends=True) == "done"
        with pytest.raises(tree.UpstreamPausedError):
            await guard.during(THERE, 1, answers)
        await guard.turn("hosts", MediaKind.IMAGE, 0)
        assert guard.wait_s("hosts") is None
        assert (guard.wait_s_at(HERE), guard.wait_s_at(THERE)) == (None, 30)
        assert (guard.is_left_alone(HERE), guard.is_left_alone(THERE)) == (False, True)
        assert guard.places_left_alone() == [THERE]

    async def test_upstream_is_left_alone_when_all_its_hosts_are_and_tried_at_the_first_that_may_be(self) -> None:
        guard, clock = guard_of(GOOD, BAD)
        await opened(guard)
        await clock.sleep(10)
        await opened(guard, HERE, 2)
        assert guard.wait_s("hosts") == 20
        with pytest.raises(tree.UpstreamPausedError) as refusal:
            await guard.turn("hosts", MediaKind.IMAGE, 0)
        assert refusal.value.retry_after_s == 20
        await clock.sleep(20)
        assert guard.wait_s("hosts") is None
        assert (guard.is_half_open(THERE), guard.is_half_open(HERE)) == (True, False)
        assert guard.places_left_alone() == [HERE]
        await guard.turn("hosts", MediaKind.IMAGE, 0)
        with pytest.raises(tree.UpstreamPausedError):
            await guard.turn("hosts", MediaKind.IMAGE, 0)
        guard.pass_turn_on("hosts")
        await guard.turn("hosts", MediaKind.IMAGE, 0)
        await guard.during(THERE, 1, answers)
        assert guard.wait_s("hosts") is None
        await guard.turn("hosts", MediaKind.IMAGE, 0)

    async def test_host_that_no_account_has_any_more_holds_nothing_up(self) -> None:
        guard, _ = guard_of(GOOD)
        await opened(guard)
        assert guard.wait_s("hosts") is None
        await guard.turn("hosts", MediaKind.IMAGE, 0)

    async def test_changes_and_figures_name_the_host(self) -> None:
        guard, clock = guard_of(GOOD, BAD)
        heard: list[BreakerChange] = []
        guard.subscribe(heard.append)
        await opened(guard)
        await opened(guard, HERE, 2)
        await clock.sleep(30)
        await guard.during(THERE, 1, answers)
        assert [(one.base_url, one.state) for one in heard] == [
            (BAD, BreakerState.OPEN),
            (GOOD, BreakerState.OPEN),
            (BAD, BreakerState.CLOSED),
        ]
        assert guard.statuses()[THERE, Host.API].state is BreakerState.CLOSED
        assert guard.statuses()[HERE, Host.API].state is BreakerState.HALF_OPEN

    async def test_sign_in_of_a_host_that_fails_leaves_its_other_calls_alone(self) -> None:
        guard, _ = guard_of(GOOD, BAD)
        for _ in range(5):
            with pytest.raises(tree.UpstreamUnavailableError):
                await guard.during(THERE, 1, fails, Host.SESSION)
        assert guard.is_left_alone(THERE)
        assert guard.places_left_alone() == ()


class TestRequests:
    async def test_dead_host_costs_requests_nothing_once_it_is_known(self, stage: Stage) -> None:
        bad, good = await two_hosts(stage, bad=8)
        await opened(stage.guard, account_id=1)
        stage.world.hosts.calls.clear()
        for _ in range(10):
            made = await stage.made(HOST_PAINT)
            assert made.generation.account_id in good
            assert made.generation.attempts == 1
        assert {call.account_id for call in stage.world.hosts.calls} == good
        assert not any(stage.known(account_id).rests for account_id in bad)

    async def test_dead_host_never_keeps_a_good_one_from_work_and_is_found_out(self, stage: Stage) -> None:
        bad, _ = await two_hosts(stage, bad=4)
        for _ in range(20):
            assert isinstance(await stage.end(HOST_PAINT), Finished)
        held = [stage.known(account_id).rests for account_id in bad]
        assert all(held) or stage.guard.wait_s_at(THERE) is not None

    async def test_are_refused_with_a_time_when_every_host_is_dead(self, stage: Stage) -> None:
        await two_hosts(stage, bad=1, good=0)
        await opened(stage.guard)
        with pytest.raises(tree.UpstreamPausedError):
            await stage.end(HOST_PAINT)

    async def test_host_that_is_back_has_work_again(self, stage: Stage) -> None:
        bad, _ = await two_hosts(stage, bad=3)
        await opened(stage.guard)
        stage.world.hosts.faults.clear()
        await stage.clock.sleep(31)
        made = {(await stage.made(HOST_PAINT)).generation.account_id for _ in range(10)}
        assert made & bad
        assert stage.guard.wait_s_at(THERE) is None

    async def test_trial_of_a_dead_host_moves_a_video_on_without_an_attempt(self, stage: Stage) -> None:
        await two_hosts(stage, bad=3)
        await opened(stage.guard)
        await stage.clock.sleep(31)
        made = await asyncio.gather(*(stage.made(HOST_FILM) for _ in range(6)))
        assert all(one.generation.attempts == 1 for one in made)
        assert stage.world.hosts.count("submit") == 6

    async def test_are_told_to_come_back_when_only_accounts_of_a_dead_host_could_serve(self, stage: Stage) -> None:
        bad, good = await two_hosts(stage, bad=1)
        (account_id,) = bad
        await opened(stage.guard)
        for one in good:
            stage.pool.remove(one)
        await stage.key_account("cold", GOOD)
        stage.world.hosts.fail("exchange", tree.CredentialRevokedError("no"), times=None)
        end = await stage.end(HOST_PAINT)
        assert isinstance(end, Failed)
        assert isinstance(end.error, tree.UpstreamPausedError)
        assert stage.known(account_id).status(stage.clock.now()) is AccountStatus.ACTIVE

    async def test_video_waits_for_a_dead_host_where_the_accounts_of_the_others_are_suspended(
        self, stage: Stage
    ) -> None:
        (account_id,), good = await two_hosts(stage, bad=1)
        for one in good:
            await stage.tend.change(one, lambda each: each.resting(RestReason.AUTH_EXPIRED, stage.clock.now()))
        await opened(stage.guard)
        stage.world.hosts.faults.clear()

        assert (await stage.made(HOST_FILM)).generation.account_id == account_id

    async def test_route_begins_with_a_model_that_is_not_at_a_dead_host_only(self, stage: Stage) -> None:
        _, good = await two_hosts(stage, bad=2)
        await stage.account()
        for one in good:
            change = partial(Account.resting, reason=RestReason.QUOTA, now=stage.clock.now(), model=HOST_PAINT.name)
            await stage.tend.change(one, change)
        other = GenerationRequest(model="best", spec=PAINT, prompt="a mug")
        routed = replace(other, spec=HOST_PAINT, others=(other,))

        for is_dead, name in ((False, HOST_PAINT.name), (True, PAINT.name)):
            if is_dead:
                await opened(stage.guard)
            once = Idempotency(name, b"digest")
            async with aclosing(await stage.generate(routed, CALLER, idempotency=once)):
                assert [*stage.tables.generations.values()][-1].spec_name == name


class TestBlame:
    async def test_accounts_of_another_host_say_nothing_where_a_host_has_several(self, stage: Stage) -> None:
        bad, good = await two_hosts(stage, bad=3, good=3)
        for _ in range(5):
            for account_id in good:
                await stage.tend.went_well(account_id, HOST_PAINT)
            for account_id in bad:
                await stage.tend.went_wrong(account_id, DOWN, HOST_PAINT)
        assert not any(stage.known(account_id).rest_of(RestReason.ERROR_STREAK) for account_id in list(bad)[1:])

    async def test_account_that_is_alone_at_its_host_is_compared_to_those_of_others(self, stage: Stage) -> None:
        (account_id,), good = await two_hosts(stage, bad=1, good=3)
        for _ in range(5):
            for one in good:
                await stage.tend.went_well(one, HOST_PAINT)
            await stage.tend.went_wrong(account_id, DOWN, HOST_PAINT)
        making = stage.known(account_id).rests
        assert [rest.reason for rest in making] == [RestReason.ERROR_STREAK]

    async def test_keys_that_one_host_refuses_speak_for_no_other_host(self, stage: Stage) -> None:
        (first, second), good = await two_hosts(stage, bad=2, good=1)
        refused = tree.CredentialRevokedError("no", after_renewal=True)
        (third,) = good
        await stage.tend.went_wrong(first, refused, HOST_PAINT)
        await stage.tend.went_wrong(third, refused, HOST_PAINT)
        reasons = {one: {rest.reason for rest in stage.known(one).rests} for one in (first, second, third)}
        assert reasons[first] == reasons[third] == {RestReason.AUTH_EXPIRED}
        assert reasons[second] == set()
