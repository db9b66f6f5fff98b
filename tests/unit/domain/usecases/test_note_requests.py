"""What is written down of a request, and what is not."""

import hashlib
from dataclasses import replace

import pytest

from flow2api.domain.account import Capacity
from flow2api.domain.media import MediaKind
from flow2api.domain.options import Options
from flow2api.domain.ports.storage import LogEntry
from flow2api.domain.request_log import ASKING
from flow2api.domain.usecases.note_requests import NoteRequests
from flow2api.domain.usecases.work import Work
from flow2api.testing.fakes.clock import START, FakeClock
from tests.unit.domain.usecases.stage import FILM, PAINT, Stage

ENTRY = LogEntry(
    START, "req_group", 1, "images", "paint", 7, "gen_1", "completed", None, 12, MediaKind.IMAGE, prompt="a cat"
)


class Kept:
    """A journal that keeps everything."""

    def __init__(self) -> None:
        self.entries: list[LogEntry] = []

    def note(self, entry: LogEntry) -> None:
        self.entries.append(entry)


class Told:
    def __init__(self) -> None:
        self.options = Options()
        self.journal = Kept()
        self.notes = NoteRequests(self.journal, lambda: self.options, FakeClock(), lambda code: 502 if code else 200)

    @property
    def last(self) -> LogEntry:
        return self.journal.entries[-1]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        ("off", None),
        ("hash", f"sha256:{hashlib.sha256(b'a cat').hexdigest()}"),
        ("full", "a cat"),
    ],
)
def test_prompt_is_kept_as_the_operator_wants_it(told: Told, wanted: str, kept: str | None) -> None:
    told.options = replace(told.options, log_prompts=wanted)  # type: ignore[arg-type]

    told.notes.note(ENTRY)

    assert told.last == replace(ENTRY, prompt=kept, status=200)


def test_failure_gets_its_status_and_a_harmless_sentence(told: Told) -> None:
    told.notes.note(replace(ENTRY, state="failed", code="upstream_error", message="Bearer canary-0123456789 " * 100))

    assert told.last.status == 502
    assert told.last.message is not None
    assert "canary" not in told.last.message
    assert len(told.last.message) == 500


def test_lines_of_a_request_have_its_id_and_the_first_one_its_body(told: Told) -> None:
    asking = told.notes.asking("trace-12345678")
    asking.body = '{"n": 2}'
    token = ASKING.set(asking)
    try:
        told.notes.note(ENTRY)
        told.notes.note(replace(ENTRY, generation_id="gen_2"))
    finally:
        ASKING.reset(token)
    told.notes.note(ENTRY)

    assert [(entry.request_id, entry.body) for entry in told.journal.entries] == [
        ("trace-12345678", '{"n": 2}'),
        ("trace-12345678", None),
        ("req_group", None),
    ]


def test_request_is_told_what_is_to_be_kept_of_it(told: Told) -> None:
    assert not told.notes.asking("req_1").keeps_body

    told.options = replace(told.options, log_bodies=True, log_prompts="hash")

    asking = told.notes.asking("req_1")
    assert (asking.request_id, asking.keeps_body, asking.prompts) == ("req_1", True, "hash")


class TestRefusals:
    def test_is_a_line_with_what_was_learned(self, told: Told) -> None:
        asking = told.notes.asking("req_1")
        asking.model, asking.code, asking.message, asking.body = "m" * 300, "model_not_found", "There is none.", "{}"

        told.notes.refused(asking, status=404, key_id=3, door="images.generations", duration_ms=4)

        assert told.last == LogEntry(
            START, "req_1", 3, "images.generations", told.last.model, None, None, "refused", "model_not_found", 4,
            status=404, message="There is none.", body="{}",
        )  # fmt: skip
        assert len(told.last.model) == 200

    def test_what_was_begun_has_a_line_of_its_own(self, told: Told) -> None:
        asking = told.notes.asking("req_1")
        asking.has_begun = True

        told.notes.refused(asking, status=502, key_id=3, door="images", duration_ms=4)

        assert told.journal.entries == []

    def test_strangers_are_only_counted(self, told: Told) -> None:
        asking = told.notes.asking("req_1")
        asking.model, asking.code = "anything", "invalid_api_key"

        told.notes.refused(asking, status=404, key_id=None, door="media", duration_ms=4)
        assert told.journal.entries == []
        told.notes.refused(asking, status=401, key_id=None, door="images", duration_ms=4)

        assert (told.last.status, told.last.model, told.last.key_id) == (401, "", None)


class TestWork:
    async def test_line_tells_attempts_results_and_how_long_it_waited(self, stage: Stage) -> None:
        await stage.accounts(1, capacity=Capacity(video=1))
        first = stage.events(FILM)
        await anext(first)
        events = [event async for event in stage.events(FILM)]
        while len(stage.work):
            await stage.clock.sleep(1)

        at_once, later = stage.tables.log
        assert events
        assert (later.state, later.attempts, later.results, later.message) == ("completed", 1, 1, None)
        assert later.prompt == stage.stored(str(later.generation_id)).prompt
        assert at_once.waited_ms == 0
        assert 0 < later.waited_ms < later.duration_ms

    async def test_request_knows_that_something_was_begun_for_it(self, stage: Stage, told: Told) -> None:
        asking = told.notes.asking("trace-12345678")
        token = ASKING.set(asking)
        try:
            stage.work.start(stage.job(PAINT))
        finally:
            ASKING.reset(token)

        assert asking.has_begun

    async def test_end_is_noted_in_the_context_of_the_request(self, stage: Stage, told: Told) -> None:
        await stage.accounts(1)
        work = Work("other", stage.run, told.notes, stage.clock)
        token = ASKING.set(told.notes.asking("trace-12345678"))
        try:
            work.start(stage.job(PAINT))
        finally:
            ASKING.reset(token)
        while len(work):
            await stage.clock.sleep(1)

        assert (told.last.request_id, told.last.state, told.last.status) == ("trace-12345678", "completed", 200)
