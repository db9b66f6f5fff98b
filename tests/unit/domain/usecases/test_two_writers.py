"""A server and the command line write one account: neither undoes what the other has said, whatever falls between."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import wraps
from random import Random
from typing import Any

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.account import Account, Credentials, RestReason
from flow2api.domain.audit import Actor
from flow2api.domain.ports.storage import Change
from flow2api.domain.ports.upstream import Exchanged
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.change_account import AccountChange, ChangeAccount
from flow2api.domain.usecases.follow_changes import FollowChanges
from flow2api.domain.usecases.import_accounts import ImportAccounts
from flow2api.domain.usecases.import_rows import ImportedAccount
from flow2api.domain.usecases.manage_accounts import ManageAccounts
from flow2api.testing.fakes.storage import FakeChangeFeed
from flow2api.testing.fakes.tables import Tables
from tests.unit.domain.usecases.stage import PAINT, Stage, World, storage_over, swap

ADA = Actor(name="ada", door="cli")
GIVEN = Secret("given-".ljust(240, "g"))

IS_FOREIGN = ContextVar("IS_FOREIGN", default=False)
"""Whether it is the command line that writes now."""


class OwnAndForeign(FakeChangeFeed):
    """The feed as the server reads it: what the command line has written is of another process."""

    def __init__(self, tables: Tables) -> None:
        super().__init__(tables)
        self._foreign: set[int] = set()
        note = tables.note

        def noted(what: str, changed: object) -> None:
            note(what, changed)
            if IS_FOREIGN.get():
                self._foreign.add(tables.changes[-1].number)

        tables.note = noted  # type: ignore[method-assign]

    async def since(self, number: int, limit: int = 1000) -> Sequence[Change]:
        return [
            replace(change, is_own=change.number not in self._foreign) for change in await super().since(number, limit)
        ]


def by_the_command_line(deed: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    @wraps(deed)
    async def done(*args: Any) -> None:
        token = IS_FOREIGN.set(True)
        try:
            await deed(*args)
        finally:
            IS_FOREIGN.reset(token)

    return done


@dataclass
class Between:
    """Stands before and after every call of the server to its storage and its upstream."""

    meanwhile: Callable[[str], Awaitable[None]] | None = None

    def __call__(self, name: str, port: Any) -> Any:
        return Watched(self, port) if name in ("accounts", "vault", "upstream") else port

    async def passes(self, moment: str) -> None:
        if self.meanwhile is not None:
            await self.meanwhile(moment)


class Watched:
    def __init__(self, between: Between, port: Any) -> None:
        self._between, self._port = between, port

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if not inspect.iscoroutinefunction(method):
            return method

        async def watched(*args: Any, **named: Any) -> Any:
            await self._between.passes(f"before {name}")
            result = await method(*args, **named)
            await self._between.passes(f"after {name}")
            return result

        return watched


@dataclass
class Both:
    """A server with one warm account, and the use cases of the command line over the same database.

    Attributes:
        parents: Of each session token that an exchange gave, the one that was exchanged.
    """

    world: World = field(default_factory=World)
    between: Between = field(default_factory=Between)
    parents: dict[Secret, Secret] = field(default_factory=dict)

    async def begin(self) -> None:
        self.server = Stage(self.world, between=self.between)
        theirs = storage_over(self.world.tables)
        self.manage = ManageAccounts(theirs.accounts, theirs.vault, self.world.clock)
        self.carry_out = ChangeAccount(theirs.accounts, theirs.vault, self.world.clock)
        self.take_in = ImportAccounts(theirs.accounts, theirs.vault, self.world.clock)
        self.follow = FollowChanges(
            OwnAndForeign(self.world.tables),
            self.server.storage.accounts,
            self.server.pool,
            self.server.credentials,
            self.world.clock,
            reload_keys=_nothing,
            reload_options=_nothing,
            with_unwritten=self.server.tend.with_unwritten,
        )
        await self.server.accounts(1)
        await self.follow.begin()
        exchange = self.world.upstream.exchange

        async def remembered(credentials: Credentials, proxy: Secret | None) -> Exchanged:
            exchanged = await exchange(credentials, proxy)
            self.parents[exchanged.credentials.session_token] = credentials.session_token
            return exchanged

        swap(self.world.upstream, exchange=remembered)

    @property
    def stored(self) -> Account:
        return self.world.tables.accounts[1]

    def comes_of(self, token: Secret) -> bool:
        """Whether the session token that is stored is this one, or came of it."""
        kept = self.world.tables.credentials[1].session_token
        while kept != token and kept in self.parents:
            kept = self.parents[kept]
        return kept == token

    @by_the_command_line
    async def disable(self) -> None:
        await self.manage.set_enabled(await self.manage.find("1"), enabled=False, actor=ADA)

    @by_the_command_line
    async def tag(self, tag: str) -> None:
        await self.carry_out(await self.manage.find("1"), AccountChange(added_tags=frozenset({tag})), ADA)

    @by_the_command_line
    async def remove(self) -> None:
        await self.manage.remove(await self.manage.find("1"), ADA)

    @by_the_command_line
    async def give_session(self) -> None:
        self.world.upstream.players[0].session_tokens.append(GIVEN.reveal())
        await self.carry_out(await self.manage.find("1"), AccountChange(session_token=GIVEN), ADA)

    @by_the_command_line
    async def import_weight(self) -> None:
        email = self.stored.email
        row = ImportedAccount(session_token=self.world.tables.credentials[1].session_token, email=email, weight=7)
        await self.take_in([row], actor=ADA)

    async def fault(self) -> None:
        await self.server.tend.change(1, lambda one: replace(one, credits=(one.credits or 0) - 1))


async def _nothing() -> None:
    pass


MOMENTS = ["before get", "after get", "before read", "after read", "before write", "after exchange", "after write"]


@pytest.fixture
async def both() -> Both:
    made = Both()
    await made.begin()
    return made


def at(both: Both, moment: str, deed: Callable[[], Awaitable[None]]) -> list[str]:
    """Do it once, as soon as this moment comes; tells whether it came."""
    came: list[str] = []

    async def meanwhile(now: str) -> None:
        if now == moment and not came:
            came.append(now)
            await deed()

    both.between.meanwhile = meanwhile
    return came


@pytest.mark.parametrize("moment", MOMENTS)
async def test_account_that_is_disabled_during_a_renewal_stays_so(both: Both, moment: str) -> None:
    before = both.stored.access_expires_at
    await both.world.clock.sleep(60)
    came = at(both, moment, both.disable)
    await both.server.credentials.renew(1, force=True)
    await both.follow.catch_up()

    assert came
    assert both.stored.rest_of(RestReason.MANUAL) is not None
    assert both.stored.access_expires_at != before
    assert both.server.known(1) == both.stored
    with pytest.raises(tree.NoEligibleAccountError):
        await both.server.made(PAINT)


@pytest.mark.parametrize("moment", ["before change", "after change"])
async def test_account_that_is_disabled_while_a_fault_is_noted_stays_so_and_rests(both: Both, moment: str) -> None:
    came = at(both, moment, both.disable)
    await both.server.tend.went_wrong(1, tree.UpstreamRateLimitedError("too fast", retry_after_s=60), PAINT)
    await both.follow.catch_up()

    assert came
    assert {rest.reason for rest in both.stored.rests} == {RestReason.MANUAL, RestReason.RATE_LIMITED}
    assert both.server.known(1) == both.stored


@pytest.mark.parametrize("moment", ["before change", "after change", "before write", "after write"])
async def test_word_that_comes_in_before_the_server_knows_what_it_has_written_stays_known(
    both: Both, moment: str
) -> None:
    async def disable_and_tell() -> None:
        await both.disable()
        await both.follow.catch_up()

    came = at(both, moment, disable_and_tell)
    await both.server.tend.went_wrong(1, tree.UpstreamRateLimitedError("too fast", retry_after_s=60), PAINT)
    await both.server.credentials.renew(1, force=True)

    assert came
    assert both.server.known(1) == both.stored
    assert both.server.known(1).rest_of(RestReason.MANUAL) is not None


async def test_word_that_cannot_be_read_again_stays_known(both: Both) -> None:
    async def refused(account_id: int) -> Account | None:
        raise tree.StorageBusyError("locked")

    async def disable_and_tell() -> None:
        await both.disable()
        await both.follow.catch_up()
        swap(both.server.storage.accounts, get=refused)

    at(both, "after change", disable_and_tell)
    await both.server.tend.went_wrong(1, tree.UpstreamRateLimitedError("too fast", retry_after_s=60), PAINT)

    assert both.server.known(1) == both.stored


async def test_account_that_is_removed_before_the_server_knows_what_it_has_written_stays_away(both: Both) -> None:
    async def remove_and_tell() -> None:
        await both.remove()
        await both.follow.catch_up()

    at(both, "after change", remove_and_tell)
    await both.server.tend.went_wrong(1, tree.UpstreamRateLimitedError("too fast", retry_after_s=60), PAINT)

    assert both.server.pool.get(1) is None


async def test_own_word_is_not_undone_by_an_older_reading_of_an_account_that_is_as_it_was_known(both: Both) -> None:
    await both.tag("lent")
    await both.server.tend.change(1, lambda one: replace(one, credits=1))  # the tag is known by now, and not yet told
    some, reading = both.server.storage.accounts.some, asyncio.Event()

    async def slow(account_ids: Sequence[int]) -> Mapping[int, Account]:
        found = await some(account_ids)
        if not reading.is_set():
            reading.set()
            await both.world.clock.sleep(1)
        return found

    async def meanwhile(moment: str) -> None:
        if moment == "before change":  # the change is known, and not yet stored
            both.between.meanwhile = None
            watching.append(asyncio.create_task(both.follow.catch_up()))
            await reading.wait()

    watching: list[asyncio.Task[None]] = []
    swap(both.server.storage.accounts, some=slow)
    both.between.meanwhile = meanwhile
    await both.server.tend.change(1, lambda one: replace(one, credits=2))
    await watching[0]

    assert both.server.known(1) == both.stored
    assert both.stored.credits == 2


@pytest.mark.parametrize("moment", MOMENTS)
async def test_session_token_that_is_given_during_a_renewal_is_not_lost(both: Both, moment: str) -> None:
    came = at(both, moment, both.give_session)
    await both.server.credentials.renew(1, force=True)
    await both.follow.catch_up()
    both.between.meanwhile = None

    assert came
    assert both.comes_of(GIVEN)
    await both.server.made(PAINT)
    assert both.comes_of(GIVEN)


async def test_what_a_full_disk_delayed_gives_way_to_a_session_token_given_meanwhile(both: Both) -> None:
    both.world.tables.fault = tree.StorageBusyError("locked")
    await both.server.credentials.renew(1, force=True)
    both.world.tables.fault = None
    await both.give_session()
    await both.server.credentials.renew(1, force=True)
    await both.world.clock.sleep(60)

    assert both.comes_of(GIVEN)
    assert not both.server.credentials._held._unwritten


@pytest.mark.parametrize("seed", range(40))
async def test_no_word_is_lost_in_any_order(seed: int) -> None:
    both, draw = Both(), Random(seed)
    await both.begin()
    stock = both.stored.credits or 0

    async def meanwhile(moment: str) -> None:
        await both.world.clock.sleep(draw.choice([0, 0, 0.01, 0.1]))

    both.between.meanwhile = meanwhile
    tags = {f"t{number}" for number in range(draw.randint(0, 4))}
    renewals, faults = draw.randint(1, 3), draw.randint(0, 6)
    deeds: list[Callable[[], Awaitable[None]]] = [both.disable, both.give_session, both.import_weight]
    deeds += [lambda tag=tag: both.tag(tag) for tag in sorted(tags)]  # type: ignore[misc]
    deeds += [both.fault] * faults
    deeds += [lambda: both.server.credentials.renew(1, force=True)] * renewals

    async def later(deed: Callable[[], Awaitable[None]]) -> None:
        await both.world.clock.sleep(draw.random())
        await deed()

    async def watch() -> None:
        while True:
            await both.follow.catch_up()
            await both.world.clock.sleep(0.01)

    watching = asyncio.create_task(watch())
    await asyncio.gather(*map(later, deeds))
    await both.world.clock.sleep(1)
    watching.cancel()

    assert both.stored.rest_of(RestReason.MANUAL) is not None
    assert both.stored.tags == tags
    assert both.stored.credits == stock - faults
    assert both.stored.weight == 7
    assert both.comes_of(GIVEN)
    assert both.server.known(1) == both.stored
