"""One search over accounts, generations, keys and options."""

from dataclasses import replace

import pytest

from flow2api.domain.account import Account
from flow2api.domain.api_key import ApiKey
from flow2api.domain.lease import AccountPool
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage import LogEntry
from flow2api.domain.usecases import find_prompts
from flow2api.domain.usecases.browse_accounts import BrowseAccounts
from flow2api.domain.usecases.find_prompts import FindPrompts
from flow2api.domain.usecases.judge_accounts import JudgeAccounts
from flow2api.domain.usecases.search import MOST, Search, SearchResult
from flow2api.plugins.coordination_memory import MemorySlots
from flow2api.testing.fakes.clock import START as NOW
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.storage import FakeStorage
from flow2api.testing.samples import whole_generation

MADE = LogEntry(NOW, "req_shop77", 1, "images", "paint", 7, "gen_abcd1", "completed", None, 9, MediaKind.IMAGE)


class Desk:
    """A storage and a pool to search."""

    def __init__(self) -> None:
        clock = FakeClock()
        self.storage = FakeStorage(clock)
        self.pool = AccountPool(MemorySlots(), clock)
        browse = BrowseAccounts(JudgeAccounts(self.pool, clock))
        self.search = Search(
            browse,
            self.storage.generations,
            self.storage.request_log,
            self.storage.api_keys,
            FindPrompts(self.storage.generation_directory),
            lambda name: name != "log_bodies",
        )

    def account(self, number: int, name: str) -> None:
        email = f"user{number}@mail.example"
        self.pool.put(Account(id=number, upstream="flow", name=name, created_at=NOW, email=email))

    def key(self, number: int, name: str) -> None:
        key = ApiKey(id=number, name=name, prefix=f"f2a_shop{number:02}", digest=b"", created_at=NOW)
        self.storage.tables.api_keys[number] = key


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_every_kind_has_its_group(desk: Desk) -> None:
    desk.account(1, "Shop one")
    desk.account(2, "other")
    desk.key(1, "n8n SHOP")
    desk.storage.journal.note(MADE)

    found = await desk.search(" shop ")

    assert [listed.account.id for listed in found.accounts] == [1]
    assert [key.id for key in found.keys] == [1]
    assert found.generation_ids == ["gen_abcd1"]  # by the id of its request
    assert found.options == []


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("LOG days", ["log_days"]),
        ("log_days", ["log_days"]),
        ("log_bodies", []),  # who asks may not see it
        ("_", []),
        ("retention", ["image_retention_h", "video_retention_h", "input_retention_h"]),
    ],
)
async def test_options_are_found_by_words_of_their_names(desk: Desk, text: str, options: list[str]) -> None:
    assert sorted((await desk.search(text)).options) == sorted(options)


@pytest.mark.parametrize("text", ["f2a_sh", "f2a_shop01", "f2a_shop01thewholekeythatwaspasted"])
async def test_key_is_found_by_its_beginning(desk: Desk, text: str) -> None:
    desk.key(1, "a")
    desk.key(2, "b")

    assert [key.id for key in (await desk.search(text)).keys][:1] == [1]


async def test_generation_is_found_by_the_beginning_of_its_id_and_under_way_by_the_whole(desk: Desk) -> None:
    for number in range(20):
        desk.storage.journal.note(replace(MADE, generation_id=f"gen_abcd{number:02}", request_id="req_1"))
    running = whole_generation()
    await desk.storage.generations.add([running])

    assert (await desk.search("abcd07")).generation_ids == ["gen_abcd07"]
    assert len((await desk.search("gen_abcd")).generation_ids) == MOST
    assert (await desk.search(running.id)).generation_ids == [running.id]
    assert (await desk.search("gen")).generation_ids == ()
    assert (await desk.search("gen%abcd")).generation_ids == ()


async def test_of_each_kind_few_are_shown(desk: Desk) -> None:
    for number in range(1, 30):
        desk.account(number, "same")
        desk.key(number, "same")

    found = await desk.search("same")

    assert (len(found.accounts), len(found.keys)) == (MOST, MOST)


@pytest.mark.parametrize("text", ["", "  ", "nothing like it"])
async def test_nothing_found_is_nothing(desk: Desk, text: str) -> None:
    desk.account(1, "a")

    assert not await desk.search(text)
    assert not SearchResult()


async def test_generations_are_found_by_words_of_their_prompts(desk: Desk) -> None:
    prompts = ("a red boat", "two boats", "雨の港")
    await desk.storage.generations.add(
        [replace(whole_generation(), id=f"video_{at}", prompt=prompt) for at, prompt in enumerate(prompts)]
    )

    async def found(text: str) -> list[str]:
        return [one.id for one in (await desk.search(text)).prompts]

    assert await found("BOAT") == ["video_1", "video_0"]
    assert await found("boat red") == ["video_0"]
    assert await found("港") == ["video_2"]
    assert await found("bo") == []  # it stands in nearly every prompt


async def test_look_that_did_not_come_to_the_end_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [replace(whole_generation(), id=f"video_{at}", prompt="a boat") for at in range(MOST + 1)]
    await desk.storage.generations.add(made)
    assert (await desk.search("boat")).looked_to is None  # more than are shown were found
    assert (await desk.search("house")).looked_to is None

    monkeypatch.setattr(find_prompts, "LOOKED_AT", MOST - 1)

    found = await desk.search("boat")
    assert len(found.prompts) == MOST - 1
    assert found.looked_to == (await desk.search("house")).looked_to == made[2].created_at
