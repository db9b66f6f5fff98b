"""The places that operators are written to are added, tried and removed; their addresses are secrets."""

import pytest

from flow2api.domain.audit import Actor, AuditAction
from flow2api.domain.errors import ConflictError, UnsupportedInputError
from flow2api.domain.secret import Secret
from flow2api.domain.usecases import manage_notify_targets
from flow2api.domain.usecases.manage_notify_targets import ManageNotifyTargets
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.notify import FakeMessenger
from flow2api.testing.fakes.storage import FakeStorage

ADA = Actor(name="ada", door="command_line")
PHONE, MAIL = Secret("tgram://canary/1"), Secret("mailto://canary@mail.example")


class Desk:
    def __init__(self) -> None:
        self.clock, self.messenger = FakeClock(), FakeMessenger()
        self.storage = FakeStorage(self.clock)
        self.manage = ManageNotifyTargets(self.storage.notify_targets, self.messenger, self.clock)

    @property
    def audited(self) -> list[tuple[str, str | None]]:
        return [(entry.action, entry.subject) for entry in self.storage.tables.audit]


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_new_place_is_known_by_its_service_and_its_address_stays_secret(desk: Desk) -> None:
    added = await desk.manage.add(" phone ", PHONE, ADA)

    assert await desk.manage.all() == [added]
    assert (added.id, added.name, added.service) == (1, "phone", "Tgram")
    assert desk.audited == [(AuditAction.NOTIFY_TARGET_ADDED, "1")]
    assert "canary" not in repr((added, desk.storage.tables.audit))


@pytest.mark.parametrize("name", ["", " ", "7", "a\nb", "x" * 65])
async def test_name_that_tables_and_commands_cannot_use_is_refused(desk: Desk, name: str) -> None:
    with pytest.raises(UnsupportedInputError) as caught:
        await desk.manage.add(name, PHONE, ADA)
    assert caught.value.param == "name"


@pytest.mark.parametrize("url", ["", "nowhere", "tgram://" + "x" * 5000], ids=["empty", "no address", "too long"])
async def test_address_that_names_no_place_is_refused(desk: Desk, url: str) -> None:
    with pytest.raises(UnsupportedInputError) as caught:
        await desk.manage.add("phone", Secret(url), ADA)
    assert caught.value.param == "url"
    assert await desk.manage.all() == []


async def test_removed_place_is_gone_with_an_entry(desk: Desk) -> None:
    await desk.manage.add("phone", PHONE, ADA)
    await desk.manage.add("mail", MAIL, ADA)

    assert (await desk.manage.remove("2", ADA)).name == "mail"
    assert [one.name for one in await desk.manage.all()] == ["phone"]
    assert desk.audited[2:] == [(AuditAction.NOTIFY_TARGET_REMOVED, "2")]
    with pytest.raises(ConflictError, match="notify list"):
        await desk.manage.remove("mail", ADA)


async def test_place_that_somebody_else_removed_at_the_same_time_is_unknown(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.manage.add("phone", PHONE, ADA)

    async def gone(*_: object) -> bool:
        return False

    monkeypatch.setattr(desk.storage.notify_targets, "remove", gone)
    with pytest.raises(ConflictError):
        await desk.manage.remove("phone", ADA)


async def test_trial_goes_to_every_place_or_to_one_and_what_came_of_it_is_kept(desk: Desk) -> None:
    await desk.manage.add("phone", PHONE, ADA)
    await desk.manage.add("mail", MAIL, ADA)
    desk.messenger.errors[MAIL.reveal()] = ["no such mailbox"]

    found = await desk.manage.test()
    assert [(target.name, error) for target, error in found] == [("phone", None), ("mail", "no such mailbox")]
    phone, mail = await desk.manage.all()
    assert (phone.error, mail.error) == ("", "no such mailbox")
    assert (phone.sent_at, mail.failed_at) == (desk.clock.now(), desk.clock.now())

    await desk.manage.test("mail")
    assert desk.messenger.sent[2:] == [(MAIL.reveal(), manage_notify_targets.TEST)]
