"""What inputs are for, in words."""

import pytest

from flow2api.adapters.console.generations.states import input_words
from flow2api.domain.generation import InputRole
from flow2api.domain.media import MediaKind


@pytest.mark.parametrize("kind", [*MediaKind, None])
def test_every_role_of_an_input_has_words_of_its_own(kind: MediaKind | None) -> None:
    words = [input_words(role, kind) for role in InputRole]
    assert all(words)
    assert len({*words}) == len(words)


def test_picture_that_is_built_on_is_enlarged() -> None:
    assert input_words(InputRole.SOURCE, MediaKind.IMAGE) != input_words(InputRole.SOURCE, MediaKind.VIDEO)
