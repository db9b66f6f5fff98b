"""What a caller sees of generations, and that nobody else sees it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.account import Capacity
from flow2api.domain.api_key import Caller
from flow2api.domain.generation import Fault, Generation, State
from flow2api.domain.media import Media, MediaKind
from flow2api.domain.usecases.draw_stills import DrawStills
from flow2api.domain.usecases.read_generations import ReadGenerations
from flow2api.domain.usecases.serve_media import ServeMedia
from flow2api.testing.fakes.media import FakeVideoStills
from flow2api.testing.fakes.secrets import FakeLinkSigner
from flow2api.testing.samples import key_of
from tests.unit.domain.usecases.stage import CALLER, FILM, Stage, swap

OTHER = Caller(2)
IN_PLACE = Caller(7, first_id=1)
LINE = [replace(key_of("former"), id=1), replace(key_of("new"), id=7, first_id=1), replace(key_of("other"), id=2)]


def reading(stage: Stage) -> ReadGenerations:
    serve = ServeMedia(stage.storage.media, stage.world.store, FakeLinkSigner(), stage.clock)
    stills = DrawStills(FakeVideoStills())
    return ReadGenerations(
        stage.storage.generations,
        stage.storage.media,
        stage.world.store,
        serve,
        stills,
        stage.work,
        stage.clock,
        stage.lines,
    )


@pytest.fixture
async def made(stage: Stage) -> Generation:
    await stage.accounts(1)
    finished = await stage.made(FILM)
    await stage.until_done()
    return finished.generation


async def test_caller_sees_his_own(stage: Stage, made: Generation) -> None:
    assert await reading(stage).get(made.id, CALLER) == made


@pytest.mark.parametrize("caller", [IN_PLACE, CALLER])
async def test_whole_line_of_keys_sees_lists_opens_and_deletes_what_one_of_it_has_made(
    stage: Stage, caller: Caller
) -> None:
    await stage.accounts(1)
    stage.lines.follow(LINE)
    other = {CALLER: IN_PLACE, IN_PLACE: CALLER}[caller]
    made = (await stage.made(FILM, caller=other)).generation
    await stage.until_done()
    read = reading(stage)

    assert await read.get(made.id, caller) == made
    page = await read.page(caller, kind=MediaKind.VIDEO, after=None, limit=5, newest_first=True)
    assert page.items == (made,)
    assert (await read.content(made.id, caller)).size_bytes > 0
    await read.delete(made.id, caller)
    with pytest.raises(tree.GenerationNotFoundError):
        await read.get(made.id, other)


async def test_key_that_took_anothers_place_a_moment_ago_sees_what_that_one_made(
    stage: Stage, made: Generation
) -> None:
    assert await reading(stage).get(made.id, IN_PLACE) == made


@pytest.mark.parametrize("call", ["get", "delete", "content"])
@pytest.mark.parametrize("how", ["unknown", "foreign", "operator", "deleted", "expired"])
async def test_unknown_foreign_deleted_and_expired_do_not_exist(
    stage: Stage, made: Generation, call: str, how: str
) -> None:
    read, generation_id, caller = reading(stage), made.id, CALLER
    match how:
        case "unknown":
            generation_id = "video_unknown"
        case "foreign":
            caller = OTHER
        case "operator":
            caller = Caller(None)
        case "deleted":
            await read.delete(generation_id, CALLER)
        case "expired":
            await stage.clock.sleep(7 * 24 * 3600)
    with pytest.raises(tree.GenerationNotFoundError):
        await getattr(read, call)(generation_id, caller)


async def test_running_one_is_seen_as_its_job_knows_it(stage: Stage) -> None:
    await stage.accounts(1)
    stage.upstream.video_s = 200.0
    accepted = await anext(stage.events(FILM))
    await stage.clock.sleep(60)
    read = reading(stage)
    seen = await read.get(accepted.generation.id, CALLER)
    assert seen.progress > stage.stored(seen.id).progress
    page = await read.page(CALLER, kind=MediaKind.VIDEO, after=None, limit=5, newest_first=True)
    assert page.items == (seen,)


async def test_one_that_waits_is_told_its_turn_and_an_unknown_one_has_none(stage: Stage) -> None:
    await stage.account(capacity=Capacity(video=1))
    stage.upstream.video_s = 200.0
    await anext(stage.events(FILM))
    waiting = await anext(stage.events(FILM))
    await stage.clock.sleep(1)
    turn = reading(stage).turn(waiting.generation.id)
    assert turn is not None
    assert turn.position == 1
    assert reading(stage).turn("video_unknown") is None


async def test_progress_stays_where_it_was_while_the_end_is_being_written(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.accounts(1)
    stage.upstream.video_s = 200.0
    accepted = await anext(stage.events(FILM))

    async def refuse(*_: object) -> bool:
        raise tree.StorageError("The disk is full.")

    job = stage.work.job(accepted.generation.id)
    assert job is not None
    while job.generation.progress < 10:
        await stage.clock.sleep(1)
    with monkeypatch.context() as refusing:
        refusing.setattr(stage.storage.generations, "save", refuse)
        while not job.is_over:
            await stage.clock.sleep(1)
        seen = await reading(stage).get(accepted.generation.id, CALLER)
        page = await reading(stage).page(CALLER, kind=MediaKind.VIDEO, after=None, limit=5, newest_first=True)
    assert seen.state is State.RUNNING
    assert seen.progress >= 10
    assert page.items == (seen,)
    await stage.until_done()
    assert (await reading(stage).get(seen.id, CALLER)).state is State.COMPLETED


async def test_pages_hold_only_the_callers_own(stage: Stage, made: Generation) -> None:
    await stage.made(FILM, caller=OTHER)
    await stage.until_done()
    read = reading(stage)
    page = await read.page(CALLER, kind=MediaKind.VIDEO, after=None, limit=5, newest_first=True)
    assert (page.items, page.has_more) == ((made,), False)
    assert (await read.page(CALLER, kind=MediaKind.IMAGE, after=None, limit=5, newest_first=True)).items == ()


class TestDeleting:
    async def test_lets_go_of_the_media_and_keeps_the_record(self, stage: Stage, made: Generation) -> None:
        await reading(stage).delete(made.id, CALLER)
        assert stage.stored(made.id).deleted_at == stage.clock.now()
        assert stage.stored(made.id).state is State.COMPLETED
        assert not stage.tables.media
        assert not stage.world.store.contents

    async def test_keeps_bytes_that_another_media_shares(self, stage: Stage, made: Generation) -> None:
        (kept,) = stage.tables.media.values()
        stage.tables.media["media_twin"] = replace(kept, id="media_twin")
        await reading(stage).delete(made.id, CALLER)
        assert set(stage.world.store.contents) == {kept.sha256}

    async def test_cancels_what_runs_here(self, stage: Stage) -> None:
        await stage.accounts(1)
        stage.upstream.video_s = 1e6
        accepted = await anext(stage.events(FILM))
        await stage.clock.sleep(30)
        await reading(stage).delete(accepted.generation.id, CALLER)
        row = stage.stored(accepted.generation.id)
        assert (row.state, row.deleted_at) == (State.CANCELLED, stage.clock.now())
        assert len(stage.work) == 0

    async def test_stops_what_runs_in_another_process(self, stage: Stage) -> None:
        await stage.accounts(1)
        stage.upstream.video_s = 100.0
        events = stage.events(FILM)
        accepted = await anext(events)
        await stage.clock.sleep(30)
        other = Stage(stage.world)
        await reading(other).delete(accepted.generation.id, CALLER)
        await stage.until_done()
        row = stage.stored(accepted.generation.id)
        assert (row.state, row.fence) == (State.CANCELLED, 1)
        assert row.deleted_at is not None
        assert not stage.tables.media
        await events.aclose()

    async def test_of_one_that_ends_at_this_moment_keeps_its_end(self, stage: Stage) -> None:
        await stage.accounts(1)
        stage.upstream.video_s = 20.0
        accepted = await anext(stage.events(FILM))
        read, generation_id = reading(stage), accepted.generation.id
        original = stage.work.cancel

        async def late(generation_id: str) -> bool:
            await stage.until_done()
            return await original(generation_id)

        swap(stage.work, cancel=late)
        await read.delete(generation_id, CALLER)
        assert stage.stored(generation_id).state is State.COMPLETED
        assert not stage.tables.media

    async def test_is_tried_again_when_a_new_owner_came_in_between(self, stage: Stage) -> None:
        row = stage.job(FILM).generation
        stage.tables.generations[row.id] = row
        original = stage.storage.generations.save

        async def overtaken(generation: Generation, media: list[Media] | tuple[()] = ()) -> bool:
            swap(stage.storage.generations, save=original)
            stage.tables.generations[row.id] = replace(row, fence=5)
            return await original(generation, media)

        swap(stage.storage.generations, save=overtaken)
        await reading(stage).delete(row.id, CALLER)
        assert (stage.stored(row.id).state, stage.stored(row.id).fence) == (State.CANCELLED, 6)

    async def test_is_given_up_when_owners_change_all_the_time(self, stage: Stage) -> None:
        row = stage.job(FILM).generation
        stage.tables.generations[row.id] = row

        async def refused(*args: object) -> bool:
            return False

        swap(stage.storage.generations, save=refused)
        await reading(stage).delete(row.id, CALLER)
        assert stage.stored(row.id).deleted_at is None


class TestContent:
    async def test_is_the_video(self, stage: Stage, made: Generation) -> None:
        opened = await reading(stage).content(made.id, CALLER)
        assert (
            b"".join([chunk async for chunk in opened.read(0, None)]) == stage.world.store.contents[opened.media.sha256]
        )
        assert opened.size_bytes == opened.media.size_bytes

    @pytest.mark.parametrize(("variant", "content_type"), [("thumbnail", "image/webp"), ("spritesheet", "image/jpeg")])
    async def test_may_be_a_still(self, stage: Stage, made: Generation, variant: str, content_type: str) -> None:
        opened = await reading(stage).content(made.id, CALLER, variant)
        data = b"".join([chunk async for chunk in opened.read(0, None)])
        assert (opened.media.content_type, opened.size_bytes) == (content_type, len(data))
        assert b"".join([chunk async for chunk in opened.read(2, 5)]) == data[2:5]

    async def test_of_an_unknown_variant_is_refused(self, stage: Stage, made: Generation) -> None:
        with pytest.raises(tree.UnsupportedInputError) as caught:
            await reading(stage).content(made.id, CALLER, "gif")
        assert caught.value.param == "variant"

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            (
                {"state": State.QUEUED},
                r"^The video is not finished yet; ask again when its status is completed\.$",
            ),
            (
                {"state": State.RUNNING},
                r"^The video is not finished yet; ask again when its status is completed\.$",
            ),
            (
                {"state": State.FAILED, "fault": Fault("x", "It was too dark.")},
                r"^The video failed: It was too dark\.$",
            ),
            ({"state": State.CANCELLED}, r"^The video was cancelled; there is no result\.$"),
        ],
    )
    async def test_that_is_not_there_yet_or_never_will_be(
        self, stage: Stage, made: Generation, changes: dict[str, object], told: str
    ) -> None:
        stage.tables.generations[made.id] = replace(made, **changes)  # type: ignore[arg-type]
        with pytest.raises(tree.NotReadyError, match=told):
            await reading(stage).content(made.id, CALLER)

    async def test_that_is_gone_is_told(self, stage: Stage, made: Generation) -> None:
        stage.world.store.contents.clear()
        with pytest.raises(tree.MediaGoneError):
            await reading(stage).content(made.id, CALLER)
        stage.tables.media.clear()
        with pytest.raises(tree.MediaGoneError):
            await reading(stage).content(made.id, CALLER)
        assert await reading(stage).media(made) is None


class TestStills:
    async def test_are_drawn_once_for_all_who_ask_at_a_time(self, stage: Stage, made: Generation) -> None:
        drawn = list[str]()
        stills = FakeVideoStills()
        original = stills.thumbnail

        async def counting(*args: object, **kwargs: object) -> bytes:
            drawn.append("thumbnail")
            await stage.clock.sleep(1)
            return await original(*args, **kwargs)  # type: ignore[arg-type]

        swap(stills, thumbnail=counting)
        draw = DrawStills(stills)
        opened = await reading(stage).content(made.id, CALLER)
        await asyncio.gather(*(draw(opened, "thumbnail") for _ in range(20)))
        await draw(opened, "thumbnail")
        assert len(drawn) == 1
        assert not draw._locks

    async def test_that_cannot_be_drawn_are_told_to_each(self, stage: Stage, made: Generation) -> None:
        draw = DrawStills(FakeVideoStills())
        opened = await reading(stage).content(made.id, CALLER)
        stage.world.store.contents.clear()
        results = await asyncio.gather(*(draw(opened, "thumbnail") for _ in range(3)), return_exceptions=True)
        assert all(isinstance(result, tree.MediaGoneError) for result in results)

    async def test_are_held_up_to_a_size_the_least_recently_asked_going_first(
        self, stage: Stage, made: Generation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("flow2api.domain.usecases.draw_stills._HELD_BYTES", 100)
        draw = DrawStills(FakeVideoStills())
        opened = await reading(stage).content(made.id, CALLER)
        for name in ("a", "b", "c", "a", "d"):
            await draw(replace(opened, media=replace(opened.media, sha256=name)), "thumbnail")
        assert [sha256 for sha256, _ in draw._held] == ["c", "a", "d"]
        assert draw._held_bytes == sum(len(data) for data in draw._held.values()) <= 100


async def test_expiry_counts_from_the_moment_it_is_reached(stage: Stage, made: Generation) -> None:
    assert made.expires_at == made.ended_at + timedelta(days=7) if made.ended_at else None
    assert made.expires_at is not None
    await stage.clock.sleep((made.expires_at - stage.clock.now()).total_seconds() - 1)
    await reading(stage).get(made.id, CALLER)
    await stage.clock.sleep(1)
    with pytest.raises(tree.GenerationNotFoundError):
        await reading(stage).get(made.id, CALLER)
