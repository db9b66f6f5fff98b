"""What a storage promises of looks through prompts, if it offers them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from flow2api.domain.generation import Fault, State
from flow2api.domain.ports.storage import FindsPrompts, GenerationFilter, Storage
from flow2api.domain.prompt_search import FoundGenerations
from flow2api.testing.samples import NOW, generation_of


class FindsPromptsContract:
    """Generations, found by words of their prompts."""

    @pytest.fixture
    def finds(self, storage: Storage) -> FindsPrompts:
        """The directory that looks."""
        directory = storage.generation_directory
        if not isinstance(directory, FindsPrompts):
            pytest.skip("this directory does not look for words of prompts")
        return directory

    async def test_finds_words_of_prompts(self, storage: Storage, finds: FindsPrompts) -> None:
        prompts = ("A red BOAT", "boats, 100% red", "Ärger und Öl", "red\nhouse", "nothing", "雨の港")
        await storage.generations.add(
            [replace(generation_of(f"gen_{at}"), prompt=prompt) for at, prompt in enumerate(prompts)]
        )

        for words, ids in (
            (["boat"], ["gen_1", "gen_0"]),
            (["red", "Boat"], ["gen_1", "gen_0"]),
            (["RED", "house"], ["gen_3"]),
            (["0%"], ["gen_1"]),
            (["r_d"], []),
            (["ärger", "ÖL"], ["gen_2"]),
            (["の港"], ["gen_5"]),
        ):
            found = await finds.find(words, GenerationFilter(), after=None, limit=9, most=99)
            assert [one.id for one in found.items] == ids, words
            assert found.further is None

    async def test_looks_through_so_many_at_a_time_and_tells_how_far_it_came(
        self, storage: Storage, finds: FindsPrompts
    ) -> None:
        assert await finds.find(["red"], GenerationFilter(), after=None, limit=2, most=4) == FoundGenerations(
            (), None, None
        )
        made = [
            replace(generation_of(f"gen_{at}", after_s=at), prompt="red" if at % 3 == 0 else "blue") for at in range(10)
        ]
        await storage.generations.add(made)

        async def found(**place: Any) -> tuple[list[str], str | None, int]:
            whole: dict[str, Any] = {"after": None, "limit": 2, "most": 4, **place}
            page = await finds.find(["red"], GenerationFilter(), **whole)
            assert page.looked_to is not None
            return [one.id for one in page.items], page.further, (page.looked_to - NOW) // timedelta(seconds=1)

        assert await found() == (["gen_9", "gen_6"], "gen_6", 6)
        assert await found(after="gen_6") == (["gen_3"], "gen_2", 2)
        assert await found(after="gen_2") == (["gen_0"], None, 0)
        assert await found(limit=1, most=10) == (["gen_9"], "gen_9", 9)
        assert await found(before="gen_0") == (["gen_3"], "gen_4", 4)
        assert await found(before="gen_4") == (["gen_6"], "gen_8", 8)
        assert await found(before="gen_5", limit=1) == (["gen_6"], "gen_6", 6)
        assert await found(before="gen_5") == (["gen_9", "gen_6"], None, 9)
        nowhere: tuple[dict[str, Any], ...] = ({"after": "none"}, {"after": None, "before": "none"}, {"after": "gen_0"})
        for place in nowhere:
            page = await finds.find(["red"], GenerationFilter(), limit=2, most=4, **place)
            assert page == FoundGenerations((), None, None)

    async def test_finds_words_only_among_what_passes_the_filter(self, storage: Storage, finds: FindsPrompts) -> None:
        later = NOW + timedelta(hours=2)
        changes: tuple[dict[str, Any], ...] = (
            {"created_at": later, "account_id": 3, "state": State.COMPLETED},
            {"created_at": later, "state": State.CANCELLED, "fault": Fault("cancelled", "No.")},
            {"created_at": later + timedelta(hours=1), "key_id": None},
        )
        await storage.generations.add([generation_of("gen_old")])
        await storage.generations.add([replace(generation_of(f"gen_{at}"), **one) for at, one in enumerate(changes)])

        async def found(**wanted: Any) -> list[str]:
            page = await finds.find(["p"], GenerationFilter(**wanted), after=None, limit=9, most=99)
            return [one.id for one in page.items]

        assert await found() == ["gen_2", "gen_1", "gen_0", "gen_old"]
        assert await found(account_id=3) == ["gen_0"]
        assert await found(state=State.CANCELLED) == ["gen_1"]
        assert await found(is_operators=True) == ["gen_2"]
        assert await found(since=later) == ["gen_2", "gen_1", "gen_0"]
        assert await found(kept_at=later) == ["gen_0"]
