"""Webhooks are added, tried, switched and removed; nothing is stored that could not be used."""

import json
from datetime import timedelta

import pytest

from flow2api.domain import notices
from flow2api.domain.audit import Actor, AuditAction
from flow2api.domain.errors import ChangedMeanwhileError, ConflictError, NotKnownError, UnsupportedInputError
from flow2api.domain.notices import NoticeKind
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.manage_webhooks import DEFAULT_KINDS, LARGEST_PAGE, TEST, ManageWebhooks, WebhookChange
from flow2api.domain.webhook import Delivery, Receipt, Webhook
from flow2api.testing.fakes.clock import START, FakeClock
from flow2api.testing.fakes.notify import FakeCourier
from flow2api.testing.fakes.storage import FakeStorage
from tests.unit.domain.usecases.stage import CountingIds

ADA = Actor(name="ada", door="command_line")
SHOP = Secret("https://shop.example/hooks?key=canary")


class Desk:
    def __init__(self) -> None:
        self.clock, self.courier = FakeClock(), FakeCourier()
        self.storage = FakeStorage(self.clock)
        webhooks, deliveries = self.storage.webhooks, self.storage.deliveries
        self.manage = ManageWebhooks(webhooks, deliveries, self.courier, CountingIds(), self.clock)

    @property
    def audited(self) -> list[tuple[str, str | None]]:
        return [(entry.action, entry.subject) for entry in self.storage.tables.audit]


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_new_one_is_told_of_ends_and_of_care_and_signs_with_a_secret_that_was_made(desk: Desk) -> None:
    added = await desk.manage.add(" shop ", SHOP, ADA)

    assert await desk.manage.all() == [added]
    assert (added.id, added.name, added.shown, added.kinds) == (1, "shop", "https://shop.example", DEFAULT_KINDS)
    assert added.signing == Secret("whsec_made")
    assert desk.audited == [(AuditAction.WEBHOOK_ADDED, "1")]
    assert "canary" not in repr(desk.storage.tables.audit)


async def test_one_may_choose_what_it_is_told_by_whose_key_and_what_signs(desk: Desk) -> None:
    kinds = [NoticeKind.GENERATION_FAILED.value]
    added = await desk.manage.add("shop", SHOP, ADA, kinds=kinds, key_id=7, signing=Secret("whsec_own"))

    assert (added.kinds, added.key_id, added.signing) == (
        frozenset({NoticeKind.GENERATION_FAILED}),
        7,
        Secret("whsec_own"),
    )
    assert not added.wants(notices.webhook_disabled("x", START, "y"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "A name has"),
        ({"name": "12"}, "no number"),
        ({"url": Secret("http://shop.example")}, "https"),
        ({"signing": Secret("mine")}, "whsec_"),
        ({"kinds": ["generation.complete"]}, "Did you mean 'generation.completed'?"),
        ({"kinds": ["###"]}, "There is no event '###'. There are account.needs_care, "),
    ],
)
async def test_what_cannot_be_used_is_refused_and_not_stored(
    desk: Desk, changes: dict[str, object], message: str
) -> None:
    asked = {"name": "shop", "url": SHOP, "actor": ADA, **changes}

    with pytest.raises(UnsupportedInputError, match=message):
        await desk.manage.add(**asked)  # type: ignore[arg-type]

    assert await desk.manage.all() == []
    assert desk.audited == []


async def test_removed_one_is_gone_with_an_entry(desk: Desk) -> None:
    await desk.manage.add("shop", SHOP, ADA)
    removed = await desk.manage.remove("1", ADA)

    assert (removed.name, await desk.manage.all()) == ("shop", [])
    assert desk.audited[1:] == [(AuditAction.WEBHOOK_REMOVED, "1")]
    with pytest.raises(ConflictError, match="webhooks list"):
        await desk.manage.named("shop")


async def test_one_that_somebody_else_removed_at_the_same_time_is_unknown(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.manage.add("shop", SHOP, ADA)

    async def gone(*_: object, **named: object) -> bool:
        return False

    monkeypatch.setattr(desk.storage.webhooks, "remove", gone)
    with pytest.raises(ConflictError):
        await desk.manage.remove("shop", ADA)


async def test_switching_says_who_did_it_and_does_nothing_twice(desk: Desk) -> None:
    await desk.manage.add("shop", SHOP, ADA)

    off = await desk.manage.switch("shop", ADA, on=False)
    assert (off.is_enabled, off.disabled_why) == (False, "by ada")
    assert await desk.manage.switch("shop", ADA, on=False) == off
    on = await desk.manage.switch("shop", ADA, on=True)

    assert (on.is_enabled, on.disabled_why) == (True, "")
    assert await desk.manage.all() == [on]
    assert desk.audited[1:] == [(AuditAction.WEBHOOK_CHANGED, "1")] * 2


async def test_trial_goes_out_once_and_is_not_written_down(desk: Desk) -> None:
    await desk.manage.add("shop", SHOP, ADA)
    desk.courier.receipts["shop"] = [Receipt(answer=500, error="it answered 500")]

    webhook, receipt = await desk.manage.test("shop")

    ((name, message_id, content),) = desk.courier.carried
    told = json.loads(content)
    assert (webhook.name, name, receipt.answer) == ("shop", "shop", 500)
    assert (told["type"], told["data"]) == (TEST, {"webhook": "shop"})
    assert message_id.startswith("msg_")
    assert await desk.manage.deliveries() == []


async def test_messages_are_shown_of_one_or_of_all_newest_first(desk: Desk) -> None:
    shop, mail = (
        await desk.manage.add("shop", SHOP, ADA),
        await desk.manage.add("mail", Secret("https://m.example"), ADA),
    )
    for number, webhook in enumerate((shop, mail, shop)):
        message = Delivery(
            number=0,
            webhook_id=webhook.id,
            message_id=f"msg_{number}",
            kind="x",
            at=START,
            content="{}",
            due_at=START + timedelta(seconds=number),
        )
        await desk.storage.deliveries.add([message])

    assert [one.number for one in await desk.manage.deliveries()] == [3, 2, 1]
    assert [one.number for one in await desk.manage.deliveries("shop", before=3)] == [1]
    assert [one.number for one in await desk.manage.deliveries("mail")] == [2]
    assert len(await desk.manage.deliveries(limit=2)) == 2
    assert len(await desk.manage.deliveries(limit=LARGEST_PAGE + 1)) == 3


class TestUpdate:
    async def test_address_events_and_key_take_the_place_of_the_former_ones(self, desk: Desk) -> None:
        added = await desk.manage.add("shop", SHOP, ADA)
        change = WebhookChange(url=Secret("https://till.example/canary"), kinds=["generation.failed"], key_id=7)
        changed = await desk.manage.update("shop", change, ADA)

        assert await desk.manage.all() == [changed]
        assert (changed.shown, changed.key_id, changed.signing) == ("https://till.example", 7, added.signing)
        assert changed.kinds == frozenset({NoticeKind.GENERATION_FAILED})
        entry = desk.storage.tables.audit[-1]
        assert (entry.action, entry.subject, entry.details["name"]) == (AuditAction.WEBHOOK_CHANGED, "1", "shop")
        assert entry.details["after"] == {
            "events": ["generation.failed"],
            "key_id": 7,
            "address": "https://till.example",
            "url": "new",
        }
        assert "canary" not in repr(desk.storage.tables.audit)

    async def test_what_is_so_already_is_not_written(self, desk: Desk) -> None:
        added = await desk.manage.add("shop", SHOP, ADA, key_id=7)

        assert await desk.manage.update("shop", WebhookChange(url=SHOP, key_id=7), ADA) == added
        assert len(desk.audited) == 1
        freed = await desk.manage.update("shop", WebhookChange(hears_all_keys=True), ADA)
        assert freed.key_id is None

    @pytest.mark.parametrize(
        "change", [WebhookChange(url=Secret("http://shop.example")), WebhookChange(kinds=["x"], key_id=7)]
    )
    async def test_what_cannot_be_used_changes_nothing(self, desk: Desk, change: WebhookChange) -> None:
        added = await desk.manage.add("shop", SHOP, ADA)

        with pytest.raises(UnsupportedInputError):
            await desk.manage.update("shop", change, ADA)
        assert await desk.manage.all() == [added]

    async def test_one_that_goes_meanwhile_is_unknown(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        await desk.manage.add("shop", SHOP, ADA)

        async def gone(*_: object, **named: object) -> bool:
            return False

        monkeypatch.setattr(desk.storage.webhooks, "save", gone)
        with pytest.raises(NotKnownError):
            await desk.manage.rotate("shop", ADA)

    async def test_new_secret_is_made_and_noted_without_it(self, desk: Desk) -> None:
        await desk.manage.add("shop", SHOP, ADA, signing=Secret("whsec_own"))
        changed = await desk.manage.rotate("shop", ADA)

        assert await desk.manage.all() == [changed]
        assert changed.signing == Secret("whsec_made")
        assert desk.storage.tables.audit[-1].details == {"name": "shop", "after": {"signing": "new"}}


async def test_change_that_somebody_else_has_changed_in_the_same_moment_is_refused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = await desk.manage.add("shop", SHOP, ADA)
    moved = await desk.manage.update("shop", WebhookChange(url=Secret("https://till.example")), ADA)

    async def as_seen() -> list[Webhook]:
        return [seen]

    with monkeypatch.context() as before:
        before.setattr(desk.storage.webhooks, "all", as_seen)
        with pytest.raises(ChangedMeanwhileError, match="address"):
            await desk.manage.update("shop", WebhookChange(key_id=7), ADA)

    assert await desk.manage.all() == [moved]
