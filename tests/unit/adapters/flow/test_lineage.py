import pytest

from flow2api.adapters.flow.lineage import Clip, Lineage
from flow2api.domain.generation import Product


def test_lineage_survives_being_written_down() -> None:
    lineage = Lineage(session=";1", workflow="w", clips=(Clip("a", 8), Clip("b", 4)))

    assert Lineage.of(Product("x", extra=lineage.text())) == lineage


def test_empty_lineage_says_nothing() -> None:
    assert Lineage().text() == "{}"


@pytest.mark.parametrize("extra", [None, "", "{", "[]", '{"clips": 1}'])
def test_lineage_that_cannot_be_read_is_an_empty_one(extra: str | None) -> None:
    assert Lineage.of(Product("x", extra=extra)) == Lineage()
    assert Lineage.of(None) == Lineage()
