"""What a storage promises of generations as they are added, saved, listed and told of later."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from flow2api.domain.errors import ConflictError
from flow2api.domain.generation import Fault, Input, InputRole, State
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage import (
    CountsNames,
    GenerationFilter,
    NameCount,
    PastRequest,
    Storage,
)
from flow2api.testing.factories import GenerationFactory
from flow2api.testing.fakes.clock import START
from flow2api.testing.samples import (
    NOW,
    generation_of,
    media_of,
    whole_generation,
)


class GenerationsContract:
    """Generations, added and saved."""

    async def test_keeps_every_field(self, storage: Storage) -> None:
        await storage.generations.add([whole_generation()])

        assert await storage.generations.get("video_whole") == whole_generation()
        assert await storage.generations.get("video_other") is None

    async def test_saves_every_field_that_may_change(self, storage: Storage) -> None:
        whole = whole_generation()
        fixed = {name: getattr(whole, name) for name in ("key_id", "group_id", "body_digest")}
        await storage.generations.add([replace(generation_of("video_whole"), **fixed)])

        assert await storage.generations.save(whole)

        assert await storage.generations.get("video_whole") == whole

    async def test_parts_of_a_request_come_in_the_order_in_which_they_were_added(self, storage: Storage) -> None:
        parts = [replace(generation_of(name), group_id="req") for name in ("gen_c", "gen_a", "gen_b")]
        await storage.generations.add(parts)
        await storage.generations.add([generation_of("gen_other")])

        assert list(await storage.generations.of_group("req")) == parts
        assert list(await storage.generations.of_group("none")) == []

    async def test_adds_all_or_none(self, storage: Storage) -> None:
        await storage.generations.add([generation_of("gen_1")])

        with pytest.raises(ConflictError):
            await storage.generations.add([generation_of("gen_2"), generation_of("gen_1")])

        assert await storage.generations.get("gen_2") is None

    async def test_save_with_an_older_fence_is_refused_whole(self, storage: Storage) -> None:
        await storage.generations.add([replace(generation_of("gen_1"), fence=2)])
        late = replace(generation_of("gen_1"), fence=1, state=State.COMPLETED)

        assert not await storage.generations.save(late, [media_of("med_1")])

        assert await storage.generations.get("gen_1") == replace(generation_of("gen_1"), fence=2)
        assert await storage.media.get(["med_1"]) == []

    async def test_save_with_the_same_or_a_newer_fence_is_taken(self, storage: Storage) -> None:
        await storage.generations.add([replace(generation_of("gen_1"), fence=2)])

        assert await storage.generations.save(replace(generation_of("gen_1"), fence=2, progress=1))
        assert await storage.generations.save(replace(generation_of("gen_1"), fence=3, progress=2))
        assert not await storage.generations.save(replace(generation_of("gen_1"), fence=2, progress=3))

        saved = await storage.generations.get("gen_1")
        assert saved is not None
        assert (saved.fence, saved.progress) == (3, 2)

    async def test_save_of_an_unknown_generation_writes_nothing(self, storage: Storage) -> None:
        assert not await storage.generations.save(generation_of("gen_1"), [media_of("med_1")])

        assert await storage.generations.get("gen_1") is None
        assert await storage.media.get(["med_1"]) == []

    async def test_save_writes_media_in_the_same_step(self, storage: Storage) -> None:
        await storage.generations.add([generation_of("gen_1")])
        await storage.media.add([media_of("med_2")])

        assert await storage.generations.save(replace(generation_of("gen_1"), progress=5), [media_of("med_1")])
        with pytest.raises(ConflictError):
            await storage.generations.save(
                replace(generation_of("gen_1"), progress=9), [media_of("med_3"), media_of("med_2")]
            )

        saved = await storage.generations.get("gen_1")
        assert saved is not None
        assert saved.progress == 5
        assert [media.id for media in await storage.media.get(["med_1", "med_2", "med_3"])] == ["med_1", "med_2"]


class GenerationDirectoryContract:
    """Looking through what everybody asked for."""

    async def test_pages_through_everybodys_the_last_one_first(self, storage: Storage) -> None:
        made = [replace(generation_of(f"gen_{number}"), key_id=number % 2) for number in range(5)]
        await storage.generations.add(made)
        first = await storage.generation_directory.page(GenerationFilter(), after=None, limit=3)
        last = await storage.generation_directory.page(GenerationFilter(), after="gen_2", limit=3)

        assert [one.id for one in (*first.items, *last.items)] == ["gen_4", "gen_3", "gen_2", "gen_1", "gen_0"]
        assert (first.has_more, last.has_more) == (True, False)
        assert (await storage.generation_directory.page(GenerationFilter(), after="none", limit=3)).items == ()

    async def test_pages_back_to_what_stands_in_front(self, storage: Storage) -> None:
        await storage.generations.add([generation_of(f"gen_{number}") for number in range(5)])

        async def found(before: str, limit: int) -> tuple[list[str], bool]:
            directory = storage.generation_directory
            page = await directory.page(GenerationFilter(), after=None, limit=limit, before=before)
            return [one.id for one in page.items], page.has_more

        assert await found("gen_1", 2) == (["gen_3", "gen_2"], True)
        assert await found("gen_2", 2) == (["gen_4", "gen_3"], False)
        assert await found("gen_4", 2) == ([], False)
        assert await found("none", 2) == ([], False)

    async def test_filters_by_what_a_generation_is(self, storage: Storage) -> None:
        one = replace(generation_of("gen_1"), key_id=7, account_id=3, model="paint", state=State.COMPLETED)
        other = replace(
            generation_of("gen_2"), kind=MediaKind.VIDEO if one.kind is MediaKind.IMAGE else MediaKind.IMAGE
        )
        await storage.generations.add([one, other])

        for wanted in (
            GenerationFilter(key_id=7),
            GenerationFilter(account_id=3),
            GenerationFilter(model="paint"),
            GenerationFilter(state=State.COMPLETED),
            GenerationFilter(kind=one.kind),
            GenerationFilter(kind=one.kind, key_id=7, account_id=3, model="paint", state=State.COMPLETED),
        ):
            found = await storage.generation_directory.page(wanted, after=None, limit=5)
            assert found.items == (one,), wanted

    async def test_filters_by_how_a_generation_goes(self, storage: Storage) -> None:
        later, hour = NOW + timedelta(hours=2), timedelta(hours=1)
        kept: dict[str, Any] = {"state": State.COMPLETED, "expires_at": later + hour}
        made: dict[str, dict[str, Any]] = {
            "gen_runs": {"state": State.RUNNING, "created_at": later, "key_id": None},
            "gen_waits": {"parent_id": "gen_before"},
            "gen_failed": {"state": State.FAILED, "fault": Fault("upstream_error", "No.")},
            "gen_kept": kept,
            "gen_for_ever": kept | {"expires_at": None},
            "gen_expired": kept | {"expires_at": later - hour},
            "gen_deleted": kept | {"deleted_at": NOW},
        }
        await storage.generations.add([replace(generation_of(name), **facts) for name, facts in made.items()])

        async def found(**wanted: Any) -> list[str]:
            page = await storage.generation_directory.page(GenerationFilter(**wanted), after=None, limit=9)
            return [one.id for one in page.items]

        assert await found(is_unfinished=True) == ["gen_waits", "gen_runs"]
        assert await found(code="upstream_error") == ["gen_failed"]
        assert await found(parent_id="gen_before") == ["gen_waits"]
        assert await found(is_operators=True) == ["gen_runs"]
        assert await found(since=later) == ["gen_runs"]
        assert await found(kept_at=later) == ["gen_for_ever", "gen_kept"]
        page = await storage.generation_directory.page(GenerationFilter(is_unfinished=True), after="gen_waits", limit=1)
        assert [one.id for one in page.items] == ["gen_runs"]

    async def test_counts_names_that_were_asked_for_where_that_is_offered(self, storage: Storage) -> None:
        directory = storage.generation_directory
        if not isinstance(directory, CountsNames):
            pytest.skip("this directory does not count names")
        assert await directory.count_names({"old"}, 9) == ([], None)
        second = timedelta(seconds=1)
        asked = [("old", 1), ("old", None), ("old", 1), ("new", 1), ("older", 2)]
        await storage.generations.add(
            [
                replace(generation_of(f"gen_{at}"), model=model, key_id=key_id, created_at=NOW + at * second)
                for at, (model, key_id) in enumerate(asked)
            ]
        )

        calls, since = await directory.count_names({"old", "older", "none"}, 9)
        assert set(calls) == {
            NameCount("old", 1, 2, NOW + 2 * second),
            NameCount("old", None, 1, NOW + second),
            NameCount("older", 2, 1, NOW + 4 * second),
        }
        assert since == NOW
        newest, since = await directory.count_names({"old"}, 3)
        assert (newest, since) == ([NameCount("old", 1, 1, NOW + 2 * second)], NOW + 2 * second)


class PagesContract:
    """Generations, page by page."""

    @pytest.fixture
    async def filled(self, storage: Storage) -> Storage:
        names = [f"video_{number}" for number in range(7)]
        # Two made in the same instant keep the order in which they were added.
        await storage.generations.add([generation_of(name, after_s=number // 2) for number, name in enumerate(names)])
        await storage.generations.add([generation_of("gen_1", kind=MediaKind.IMAGE, after_s=1)])
        await storage.generations.add([replace(generation_of("video_of_another", after_s=1), key_id=2)])
        await storage.generations.add([replace(generation_of("video_of_the_operator", after_s=1), key_id=None)])
        return storage

    @staticmethod
    async def ids(
        storage: Storage, *keys: int, after: str | None = None, limit: int, newest_first: bool = True
    ) -> list[str]:
        page = await storage.generations.page(
            key_ids=keys or (1,), kind=MediaKind.VIDEO, after=after, limit=limit, newest_first=newest_first
        )
        return [*(item.id.removeprefix("video_") for item in page.items), *(["…"] if page.has_more else [])]

    async def test_walks_newest_first(self, filled: Storage) -> None:
        assert await self.ids(filled, limit=3) == ["6", "5", "4", "…"]
        assert await self.ids(filled, limit=3, after="video_4") == ["3", "2", "1", "…"]
        assert await self.ids(filled, limit=3, after="video_1") == ["0"]

    async def test_walks_oldest_first(self, filled: Storage) -> None:
        assert await self.ids(filled, limit=3, newest_first=False) == ["0", "1", "2", "…"]
        assert await self.ids(filled, limit=4, newest_first=False, after="video_2") == ["3", "4", "5", "6"]

    async def test_deleted_ones_are_not_shown_but_mark_a_place(self, filled: Storage) -> None:
        deleted = await filled.generations.get("video_4")
        assert deleted is not None
        await filled.generations.save(replace(deleted, deleted_at=NOW))

        assert await self.ids(filled, limit=3) == ["6", "5", "3", "…"]
        assert await self.ids(filled, limit=2, after="video_4") == ["3", "2", "…"]

    @pytest.mark.parametrize("after", ["video_unknown", "video_of_another", "gen_1"])
    async def test_nothing_is_behind_what_is_not_in_the_list(self, filled: Storage, after: str) -> None:
        assert await self.ids(filled, limit=3, after=after) == []

    async def test_keys_of_one_line_have_one_list(self, filled: Storage) -> None:
        assert await self.ids(filled, 1, 2, limit=5) == ["6", "5", "4", "of_another", "3", "…"]
        assert await self.ids(filled, 2, 1, limit=2, after="video_of_another") == ["3", "2", "…"]
        assert await self.ids(filled, 1, 2, limit=4, after="video_4") == ["of_another", "3", "2", "1", "…"]
        oldest_first = await self.ids(filled, 2, 7, 1, limit=3, newest_first=False, after="video_2")
        assert oldest_first == ["3", "of_another", "4", "…"]
        assert await self.ids(filled, 2, 7, limit=3) == ["of_another"]

    async def test_operator_sees_those_without_a_key(self, filled: Storage) -> None:
        page = await filled.generations.page(
            key_ids={None}, kind=MediaKind.VIDEO, after=None, limit=5, newest_first=True
        )

        assert [item.id for item in page.items] == ["video_of_the_operator"]
        assert not page.has_more


class PastRequestsContract:
    """Requests of former days."""

    async def test_tells_a_span_of_time_in_the_order_of_coming(self, storage: Storage) -> None:
        minute = timedelta(minutes=1)
        for number, offset in enumerate((-1, 0, 3, 2, 5)):
            came = START + offset * minute
            given = (Input("media_1", InputRole.START),) if number == 1 else ()
            await storage.generations.add(
                [
                    GenerationFactory.build(
                        id=f"video_{number}",
                        created_at=came,
                        inputs=given,
                        spec_name=f"film-{number}",
                        started_at=came + minute if number < 3 else None,
                        ended_at=came + 3 * minute if number < 2 else None,
                        key_id=number,
                    )
                ]
            )
        found = [one async for batch in storage.past_requests.between(START, START + 5 * minute) for one in batch]
        assert found == [
            PastRequest(START, "film-1", 1, "media_1", 120.0),
            PastRequest(START + 2 * minute, "film-3", 3, None, None),
            PastRequest(START + 3 * minute, "film-2", 2, None, None),
        ]

    async def test_tells_nothing_of_an_empty_day(self, storage: Storage) -> None:
        assert [batch async for batch in storage.past_requests.between(START, START + timedelta(days=1))] == []
