"""Operators follow what is under way, and see where a generation came from."""

from dataclasses import replace

import pytest

from flow2api.domain.errors import GenerationNotFoundError
from flow2api.domain.generation import GenerationRequest, Input, InputRole, State
from flow2api.domain.usecases.follow_generations import FollowGenerations
from flow2api.testing.samples import generation_of, media_of
from tests.unit.domain.usecases.stage import CALLER, FILM, PAINT, Stage


def following(stage: Stage) -> FollowGenerations:
    return FollowGenerations(
        stage.work, stage.storage.generations, stage.storage.generation_directory, stage.storage.media
    )


async def test_under_way_is_what_this_process_and_others_work_on_in_the_order_in_which_it_was_asked_for(
    stage: Stage,
) -> None:
    await stage.accounts(1)
    elsewhere = replace(generation_of("video_other"), created_at=stage.clock.now())
    await stage.storage.generations.add([elsewhere, replace(generation_of("video_done"), state=State.COMPLETED)])
    await stage.clock.sleep(1)
    (mine,) = await stage.generate.begin(GenerationRequest(model="x", spec=PAINT, prompt="a"), CALLER)

    found = await following(stage).under_way()

    assert [(one.generation.id, one.is_here) for one in found] == [("video_other", False), (mine.id, True)]


async def test_one_is_as_its_job_knows_it_and_as_it_is_written_when_it_has_ended(stage: Stage) -> None:
    await stage.accounts(1)
    follow = following(stage)
    (mine,) = await stage.generate.begin(GenerationRequest(model="x", spec=FILM, prompt="a"), CALLER)
    running = await follow.get(mine.id)
    assert (running.is_here, running.generation.state.is_final) == (True, False)

    await stage.until_done()

    ended = await follow.get(mine.id)
    assert ended.generation.state is State.COMPLETED
    assert [*(await follow.results([ended.generation]))] == [*ended.generation.results]
    assert await follow.results([]) == {}
    with pytest.raises(GenerationNotFoundError):
        await follow.get("video_none")


async def test_lineage_tells_inputs_parent_siblings_and_children(stage: Stage) -> None:
    parent, part = generation_of("video_parent"), replace(generation_of("video_part"), group_id="req_1")
    one = replace(
        generation_of("video_one"),
        parent_id="video_parent",
        group_id="req_1",
        inputs=(Input("med_1", InputRole.START), Input("med_gone", InputRole.END)),
    )
    child = replace(generation_of("video_child"), parent_id="video_one")
    await stage.storage.generations.add([parent, part, one, child])
    await stage.storage.media.add([media_of("med_1")])

    lineage = await following(stage).lineage(one)

    assert [media.id for media in lineage.inputs] == ["med_1"]
    assert await following(stage).medium("med_1") == lineage.inputs[0]
    assert await following(stage).medium("med_gone") is None
    assert (lineage.parent, lineage.siblings, lineage.children) == (parent, (part,), (child,))
    alone = await following(stage).lineage(replace(parent, group_id=""))
    assert (alone.inputs, alone.parent, alone.siblings, alone.children) == ((), None, (), (one,))
