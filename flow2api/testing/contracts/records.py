"""What a storage promises of the request log and the figures."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from flow2api.domain.media import MediaKind
from flow2api.domain.ports.request_log import CountsLines, LineColumn
from flow2api.domain.ports.statistics import TellsModelsByTime
from flow2api.domain.ports.storage import LogEntry, Storage
from flow2api.domain.request_log import LogFilter, LoggedRequest, position_of
from flow2api.domain.statistics import Counts, Dimension, Scope, quarter_of
from flow2api.testing.fakes.clock import FakeClock

NOW = datetime(2026, 11, 23, 12, 7, tzinfo=UTC)
MADE = LogEntry(
    NOW, "req_1", 1, "images", "paint", 7, "gen_1", "completed", None, 1500, MediaKind.IMAGE,
    status=200, attempts=2, waited_ms=300, results=1,
)  # fmt: skip
LOST = replace(MADE, state="failed", code="upstream_error", message="It broke.", status=502, results=0)
NOBODYS = replace(LOST, key_id=None, account_id=None, state="refused", status=429, generation_id=None, model="")
HERE = range(quarter_of(NOW), quarter_of(NOW) + 1)


async def note(storage: Storage, *entries: LogEntry) -> None:
    """Have entries written, each in its turn."""
    for entry in entries:
        storage.journal.note(entry)
    async with asyncio.timeout(30):
        while True:
            total = (await storage.statistics.totals(None, Scope())).get("", Counts())
            if total.succeeded + total.errors + total.cancelled + total.refused >= len(entries):
                return
            await asyncio.sleep(0.01)


async def ids(storage: Storage, **wanted: object) -> list[str]:
    """The request ids of the lines that pass the filter."""
    return [line.request_id for line in await storage.request_log.page(LogFilter(**wanted), None, 100)]  # type: ignore[arg-type]


class RequestLogContract:
    """Lines of the request log, as the journal writes them."""

    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock(NOW)

    async def test_line_has_everything_and_its_body_when_it_is_asked_for_alone(self, storage: Storage) -> None:
        await note(storage, replace(LOST, kind=MediaKind.VIDEO, prompt="sha256:00", body='{"n": 1}'))

        (line,) = await storage.request_log.page(LogFilter(), None, 10)

        assert line == LoggedRequest(
            number=line.number, at=NOW, request_id="req_1", key_id=1, door="images", model="paint", kind="video",
            account_id=7, generation_id="gen_1", state="failed", status=502, code="upstream_error",
            message="It broke.", attempts=2, waited_ms=300, duration_ms=1500, results=0, prompt="sha256:00",
        )  # fmt: skip
        assert await storage.request_log.get(line.number) == replace(line, body='{"n": 1}')
        assert await storage.request_log.get(line.number + 1) is None

    async def test_pages_go_from_the_newest_to_the_oldest_and_lose_none_of_one_moment(self, storage: Storage) -> None:
        times = [0, 3, 3, 3, 1, 2]
        await note(
            storage,
            *(
                replace(MADE, at=NOW + timedelta(seconds=at), request_id=f"req_{number}")
                for number, at in enumerate(times)
            ),
        )
        shown: list[str] = []
        before = None
        while page := await storage.request_log.page(LogFilter(), before, 2):
            shown += [line.request_id for line in page]
            before = position_of(page[-1])

        assert shown == ["req_3", "req_2", "req_1", "req_5", "req_4", "req_0"]

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            ({"key_id": 1}, ["lost", "made"]),
            ({"account_id": 9}, ["other"]),
            ({"model": "film"}, ["other"]),
            ({"state": "completed"}, ["other", "made"]),
            ({"state": "refused"}, ["nobody"]),
            ({"code": "upstream_error"}, ["nobody", "lost"]),
            ({"key_id": 1, "state": "failed", "model": "paint", "account_id": 7, "code": "upstream_error"}, ["lost"]),
            ({"key_id": 2, "model": "paint"}, []),
            ({"state": "completed", "account_id": 7}, ["made"]),
            ({"since": NOW + timedelta(seconds=2)}, ["nobody", "other"]),
            ({"until": NOW + timedelta(seconds=2)}, ["lost", "made"]),
            ({"since": NOW + timedelta(seconds=1), "until": NOW + timedelta(seconds=2), "state": "failed"}, ["lost"]),
        ],
    )
    async def test_filters_are_met_all_at_once(
        self, storage: Storage, wanted: dict[str, object], found: list[str]
    ) -> None:
        entries = {
            "made": MADE,
            "lost": LOST,
            "other": replace(MADE, key_id=2, account_id=9, model="film"),
            "nobody": NOBODYS,
        }
        await note(
            storage,
            *(
                replace(entry, request_id=name, at=NOW + timedelta(seconds=after))
                for after, (name, entry) in enumerate(entries.items())
            ),
        )

        assert await ids(storage, **wanted) == found

    @pytest.mark.parametrize("text", ["req_abc", "abc", "gen_77", "77", "abcdef"])
    async def test_id_is_found_by_its_beginning(self, storage: Storage, text: str) -> None:
        await note(storage, replace(MADE, request_id="req_abcdef", generation_id="gen_7700"), MADE)

        assert await ids(storage, text=text) == ["req_abcdef"]
        assert await ids(storage, text=text, key_id=5) == []
        assert await ids(storage, text="%") == []

    async def test_lines_are_counted_by_time_where_that_is_offered(self, storage: Storage) -> None:
        log = storage.request_log
        if not isinstance(log, CountsLines):
            pytest.skip("this request log does not count")
        minute = timedelta(minutes=1)
        await note(
            storage,
            *(replace(MADE, at=NOW + at * minute) for at in (0, 1, 1, 5)),
            *(replace(LOST, at=NOW + at * minute, account_id=9) for at in (1, 4)),
            replace(NOBODYS, at=NOW + minute),
        )

        async def counted(most: int, **wanted: object) -> list[tuple[int, int, int]]:
            found = await log.count_lines(LogFilter(since=NOW, **wanted), NOW, 2 * minute, most)  # type: ignore[arg-type]
            assert all(one.begins == NOW + 2 * minute * one.number for one in found)
            return sorted((one.number, one.total, one.wrong) for one in found)

        assert await counted(100) == [(0, 5, 2), (2, 2, 1)]
        assert await counted(2) == [(2, 2, 1)]
        assert await counted(100, account_id=9) == [(0, 1, 1), (2, 1, 1)]
        assert await counted(100, key_id=1, model="paint", state="completed") == [(0, 3, 0), (2, 1, 0)]
        assert await counted(100, code="upstream_error", until=NOW + 2 * minute) == [(0, 2, 2)]
        assert await counted(100, text="gen_1", state="failed") == [(0, 1, 1), (2, 1, 1)]
        assert await counted(100, model="none") == []

    async def test_what_lines_have_is_told_where_that_is_offered(self, storage: Storage) -> None:
        log = storage.request_log
        if not isinstance(log, CountsLines):
            pytest.skip("this request log does not count")
        assert [await log.line_values(column, 9) for column in LineColumn] == [[], [], [], []]
        await note(storage, MADE, replace(MADE, model="film", key_id=3, account_id=20), LOST, NOBODYS)

        assert await log.line_values(LineColumn.MODEL, 9) == ["", "film", "paint"]
        assert await log.line_values(LineColumn.MODEL, 2) == ["", "film"]
        assert await log.line_values(LineColumn.KEY, 9) == [1, 3]
        assert await log.line_values(LineColumn.ACCOUNT, 9) == [7, 20]
        assert await log.line_values(LineColumn.CODE, 9) == ["upstream_error"]

    async def test_new_lines_are_found_by_their_number(self, storage: Storage) -> None:
        assert await storage.request_log.latest() == 0
        await note(storage, MADE, LOST)
        latest = await storage.request_log.latest()

        assert await storage.request_log.since(LogFilter(), latest, 10) == []
        newer = await storage.request_log.since(LogFilter(), latest - 2, 1)
        assert [line.state for line in newer] == ["completed"]
        failed = await storage.request_log.since(LogFilter(state="failed", key_id=1), 0, 10)
        assert [line.number for line in failed] == [latest]

    async def test_old_lines_are_forgotten_oldest_first_a_few_at_a_time(self, storage: Storage) -> None:
        old = [replace(MADE, at=NOW - timedelta(days=days), request_id=f"req_{days}") for days in (3, 1, 2)]
        await note(storage, MADE, *old)

        assert await storage.request_log.forget(NOW, 2) == 2
        assert await ids(storage) == ["req_1", "req_1"]
        assert await storage.request_log.forget(NOW, 2) == 1
        assert await storage.request_log.forget(NOW, 2) == 0
        assert (await storage.statistics.totals(None, Scope()))[""].succeeded == 4

    async def test_who_has_no_key_is_counted_but_fills_no_log(self, storage: Storage) -> None:
        await note(storage, replace(NOBODYS, status=401, code="invalid_api_key"))

        assert await ids(storage) == []
        assert (await storage.statistics.totals(None, Scope()))[""] == Counts(refused=1)


class StatisticsContract:
    """Figures, as the journal counts them."""

    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock(NOW)

    async def test_figures_are_told_apart(self, storage: Storage) -> None:
        film = replace(
            MADE, kind=MediaKind.VIDEO, model="film", account_id=9, duration_ms=70_000, attempts=1, credits=20
        )
        await note(storage, MADE, replace(MADE, results=3), LOST, NOBODYS, film, replace(film, state="cancelled"))
        made = Counts(
            images=4, succeeded=2, errors=1, duration_ms=3000, waited_ms=600, saved=2, took=(0, 0, 2, *[0] * 9)
        )  # fmt: skip
        filmed = Counts(
            videos=1,
            succeeded=1,
            cancelled=1,
            duration_ms=70_000,
            waited_ms=300,
            credits=20,
            took=(*[0] * 8, 1, 0, 0, 0),
        )

        for read in (storage.statistics.totals, lambda by, scope: storage.statistics.of_quarters(HERE, by, scope)):
            assert await read(Dimension.ACCOUNT, Scope()) == {0: Counts(refused=1), 7: made, 9: filmed}
            assert await read(Dimension.KEY, Scope()) == {0: Counts(refused=1), 1: made + filmed}
            assert await read(Dimension.MODEL, Scope()) == {"": Counts(refused=1), "paint": made, "film": filmed}
            assert await read(None, Scope(key_id=1)) == {"": made + filmed}
            assert await read(Dimension.MODEL, Scope(account_id=9)) == {"film": filmed}
            assert await read(None, Scope(model="none")) == {}

    async def test_quarters_are_kept_apart(self, storage: Storage) -> None:
        later = quarter_of(NOW) + 1
        await note(storage, MADE, replace(MADE, at=NOW + timedelta(minutes=8)))

        quarters = await storage.statistics.by_quarter(range(later - 5, later + 5), Scope())

        assert {quarter: counts.images for quarter, counts in quarters.items()} == {later - 1: 1, later: 1}
        assert (await storage.statistics.of_quarters(range(later, later + 1), None, Scope()))[""].images == 1
        of_one = Scope(account_id=MADE.account_id)
        for some in (range(later, later + 1), range(later - 1, later), range(later, later + 9)):
            assert (await storage.statistics.of_quarters(some, None, of_one))[""].images == 1
        assert await storage.statistics.of_quarters(range(later, later), None, of_one) == {}
        assert await storage.statistics.oldest_quarter() == later - 1

    async def test_quarters_become_a_day_a_few_at_a_time_and_nothing_is_counted_twice(self, storage: Storage) -> None:
        entries = [
            replace(MADE, at=NOW + timedelta(minutes=15 * number), account_id=account_id)
            for number in range(3)
            for account_id in (7, 9)
        ]
        await note(storage, *entries)
        first = quarter_of(NOW)
        condense = storage.statistics.condense

        assert await condense(range(first, first + 2), "2026-11-23", 3) == 3
        assert await condense(range(first, first + 2), "2026-11-23", 3) == 1
        assert await condense(range(first, first + 2), "2026-11-23", 3) == 0

        day = await storage.statistics.of_days(["2026-11-23", "2026-11-24"], Dimension.ACCOUNT, Scope())
        rest = await storage.statistics.of_quarters(range(first, first + 9), Dimension.ACCOUNT, Scope())
        assert {who: counts.images for who, counts in day.items()} == {7: 2, 9: 2}
        assert {who: counts.images for who, counts in rest.items()} == {7: 1, 9: 1}
        assert (await storage.statistics.by_day("2026-11-23", "2026-11-23", Scope(account_id=7)))["2026-11-23"].took[
            2
        ] == 2
        assert await storage.statistics.by_day("2026-11-24", "2026-11-30", Scope()) == {}
        assert await storage.statistics.oldest_quarter() == first + 2
        assert (await storage.statistics.totals(None, Scope()))[""].images == 6

    async def test_models_are_told_apart_by_time_where_that_is_offered(self, storage: Storage) -> None:
        statistics = storage.statistics
        if not isinstance(statistics, TellsModelsByTime):
            pytest.skip("these statistics tell models apart one by one")
        later = replace(MADE, at=NOW + timedelta(minutes=15), key_id=2)
        await note(storage, MADE, replace(MADE, model="film", account_id=9), later, LOST)
        quarter = HERE.start

        found = await statistics.models_by_quarter(range(quarter, quarter + 2), Scope())
        made = {at: (counts.succeeded, counts.errors) for at, counts in found.items()}
        assert made == {(quarter, "paint"): (1, 1), (quarter, "film"): (1, 0), (quarter + 1, "paint"): (1, 0)}
        assert set(await statistics.models_by_quarter(HERE, Scope(account_id=9))) == {(quarter, "film")}
        await statistics.condense(HERE, "2026-11-23", 10)
        days = await statistics.models_by_day("2026-11-23", "2026-11-24", Scope(key_id=1))
        assert {at: counts.succeeded for at, counts in days.items()} == {
            ("2026-11-23", "paint"): 1,
            ("2026-11-23", "film"): 1,
        }
        assert await statistics.models_by_day("2026-11-24", "2026-11-30", Scope()) == {}

    async def test_old_days_are_forgotten_but_not_the_totals(self, storage: Storage) -> None:
        await note(storage, MADE, replace(MADE, account_id=9))
        await storage.statistics.condense(HERE, "2026-11-23", 10)

        assert await storage.statistics.forget_days("2026-11-23", 10) == 0
        assert await storage.statistics.forget_days("2026-11-24", 1) == 1
        assert await storage.statistics.forget_days("2026-11-24", 1) == 1
        assert await storage.statistics.forget_days("2026-11-24", 1) == 0
        assert (await storage.statistics.totals(None, Scope()))[""].images == 2
        assert await storage.statistics.oldest_quarter() is None
