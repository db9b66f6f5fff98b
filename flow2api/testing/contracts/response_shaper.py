"""What a response profile promises."""

from itertools import pairwise
from time import thread_time

import pytest

from flow2api.domain.media import MediaKind
from flow2api.domain.ports.responses import ResponseShaper, ShownResult

LONGEST_S = 0.001
"""How much time of the processor one answer with ten results may take: everybody else waits meanwhile."""


def shown(count: int) -> tuple[ShownResult, ...]:
    """Results of an answer: pictures and videos by turns, with links as the gateway makes them."""
    return tuple(
        ShownResult(
            kind=(kind := (MediaKind.IMAGE, MediaKind.VIDEO)[number % 2]),
            url=f"https://media.example.org/m/med_{number}?expires=1790000000&sig=a-b_{number}%3D",
            content_type="image/png" if kind is MediaKind.IMAGE else "video/mp4",
            media_id=f"med_{number}",
        )
        for number in range(count)
    )


class ResponseShaperContract:
    """Everything that a response profile promises: subclass it, and define the fixture ``shaper``, one that was just built."""

    @pytest.mark.parametrize("count", [1, 2, 10])
    def test_every_link_is_in_the_text_as_it_was_given_and_in_order(self, shaper: ResponseShaper, count: int) -> None:
        results = shown(count)

        text = shaper.chat_text(results)

        places = [text.find(one.url) for one in results]
        assert -1 not in places
        assert all(one < other for one, other in pairwise(places))

    @pytest.mark.parametrize("result", shown(2), ids=lambda result: result.kind.value)
    def test_writes_pictures_and_videos(self, shaper: ResponseShaper, result: ShownResult) -> None:
        text = shaper.chat_text([result])

        assert isinstance(text, str)
        assert result.url in text

    def test_answer_without_results_is_a_text_too(self, shaper: ResponseShaper) -> None:
        assert isinstance(shaper.chat_text(()), str)

    def test_one_answer_does_not_hang_on_another(self, shaper: ResponseShaper) -> None:
        first, other = shown(2)
        before = shaper.chat_text([first])
        shaper.chat_text([other])

        assert shaper.chat_text([first]) == before

    def test_leaves_the_results_as_they_are(self, shaper: ResponseShaper) -> None:
        results = list(shown(3))

        shaper.chat_text(results)

        assert results == list(shown(3))

    def test_is_quick(self, shaper: ResponseShaper) -> None:
        results = shown(10)
        shaper.chat_text(results)
        spent = []
        for _ in range(3):
            started = thread_time()
            for _ in range(20):
                shaper.chat_text(results)
            spent.append(thread_time() - started)

        assert min(spent) / 20 < LONGEST_S
