"""Which refused requests are written down, and as what."""

from dataclasses import replace
from typing import Any

import pytest

from flow2api.adapters.openai_api.edge import door_of
from flow2api.adapters.openai_api.errors import status_of
from flow2api.domain.errors import ShuttingDownError, UpstreamError
from flow2api.domain.request_log import ASKING
from flow2api.domain.usecases.note_requests import NoteRequests
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.storage import FakeStorage
from tests.fakes.use_cases import FakeDoors
from tests.unit.adapters.openai_api.conftest import Client, OpenClient


class Noted:
    """A journal in memory behind the doors."""

    def __init__(self, fakes: FakeDoors) -> None:
        self.storage = FakeStorage(FakeClock())
        self.fakes = fakes
        self.notes = NoteRequests(self.storage.journal, lambda: fakes.options, FakeClock(), status_of)

    @property
    def lines(self) -> list[tuple[Any, ...]]:
        return [(one.state, one.status, one.code, one.door, one.model) for one in self.storage.tables.log]


@pytest.fixture
def noted(fakes: FakeDoors) -> Noted:
    return Noted(fakes)


@pytest.fixture
async def client(open_client: OpenClient, noted: Noted) -> Client:
    opened: Client = await open_client(notes=noted.notes)
    return opened


async def test_refused_request_is_one_line(client: Client, noted: Noted) -> None:
    answer = await client.post("/v1/images/generations", json={"prompt": "a fox", "model": "nothing"})

    assert answer.status_code == 404
    assert noted.lines == [("refused", 404, "model_not_found", "images.generations", "nothing")]
    (entry,) = noted.storage.tables.log
    assert entry.request_id == answer.headers["x-request-id"]
    assert entry.key_id == 1
    assert entry.message == answer.json()["error"]["message"]
    assert entry.body is None


async def test_what_was_sent_is_kept_when_that_is_wanted(client: Client, noted: Noted, fakes: FakeDoors) -> None:
    fakes.options = replace(fakes.options, log_bodies=True)

    await client.post("/v1/images/generations", json={"prompt": "a fox", "model": "nothing", "n": 3})

    (entry,) = noted.storage.tables.log
    assert entry.body == '{"prompt": "<5 characters>", "model": "nothing", "n": 3}'


async def test_good_answers_are_not_refusals(client: Client, noted: Noted) -> None:
    assert (await client.get("/v1/models")).status_code == 200
    assert (await client.post("/v1/images/generations", json={"prompt": "a fox"})).status_code == 200

    assert noted.lines == []


async def test_wrong_keys_are_handed_on_to_be_counted(client: Client, noted: Noted) -> None:
    client.headers["authorization"] = "Bearer wrong"
    await client.post("/v1/images/generations", json={"prompt": "a fox", "model": "paint"})

    assert noted.lines == [("refused", 401, "invalid_api_key", "images.generations", "")]
    assert noted.storage.tables.records.lines == []


async def test_strangers_leave_nothing(client: Client, noted: Noted) -> None:
    del client.headers["authorization"]
    await client.get("/media/media_1?sig=wrong")

    assert noted.lines == []


async def test_request_that_has_begun_is_no_refusal(open_client: OpenClient, noted: Noted, fakes: FakeDoors) -> None:
    fakes.generate.refuses = UpstreamError("It fell.")

    def begun(*args: Any, **kwargs: Any) -> Any:
        asking = ASKING.get()
        assert asking is not None
        asking.has_begun = True
        return fakes.generate(*args, **kwargs)

    client = await open_client(notes=noted.notes, generate=begun)
    answer = await client.post("/v1/images/generations", json={"prompt": "a fox"})

    assert answer.status_code == 502
    assert noted.lines == []


async def test_what_could_not_begin_is_a_refusal(client: Client, noted: Noted, fakes: FakeDoors) -> None:
    fakes.generate.refuses = ShuttingDownError("The server is stopping.")

    await client.post("/v1/videos", json={"prompt": "a fox"})

    assert [line[:4] for line in noted.lines] == [("refused", 503, "shutting_down", "videos")]


@pytest.mark.parametrize(
    ("path", "door"),
    [
        ("/v1/images/generations", "images.generations"),
        ("/images/edits", "images.edits"),
        ("/openai/v1/chat/completions", "chat.completions"),
        ("/v1/videos/video_1/content", "videos.content"),
        ("/v1/videos/video_1", "videos"),
        ("/v1/models/a/b/c/d", "models"),
        ("/x" * 500, "unknown"),
    ],
)
def test_door_names_the_call_without_ids(path: str, door: str) -> None:
    assert door_of(path) == door


@pytest.mark.parametrize(("code", "status"), [(None, 200), ("model_not_found", 404), ("cancelled", 409), ("x", 502)])
def test_outcome_has_a_status_by_itself(code: str | None, status: int) -> None:
    assert status_of(code) == status
