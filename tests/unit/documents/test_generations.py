"""Generations as JSON: how they went, without what they show."""

from flow2api.documents.generations import generation_view
from flow2api.testing import samples


def test_generation_tells_how_its_account_was_chosen() -> None:
    generation = samples.whole_generation()
    shown = generation_view(generation)

    assert generation.choice is not None
    assert shown.choice is not None
    assert (shown.choice.policy, shown.choice.why) == (generation.choice.policy, generation.choice.why)
    assert (shown.state, shown.kind, shown.spec) == (generation.state, generation.kind, generation.spec_name)


def test_prompt_is_not_shown() -> None:
    generation = samples.whole_generation()

    assert generation.prompt
    assert generation.prompt not in repr(generation_view(generation))


def test_fresh_generation_has_neither_choice_nor_fault() -> None:
    shown = generation_view(samples.generation_of("gen_1"))

    assert (shown.choice, shown.code, shown.message) == (None, None, None)
