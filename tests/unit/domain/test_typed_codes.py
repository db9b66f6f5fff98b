import pytest

from flow2api.domain.secret import Secret
from flow2api.domain.typed_codes import new_code, plain_code


def test_code_has_its_chance_in_groups() -> None:
    code = new_code(80, 4).reveal()

    assert [len(group) for group in code.split("-")] == [4, 4, 4, 4]


@pytest.mark.parametrize("typed", ["ab-12", "AB12", " a b\t1\n2 ", "ab\u200b12", "a\u2011b12\ud800"])
def test_counts_however_it_is_typed(typed: str) -> None:
    assert plain_code(Secret(typed)) == Secret("ab12")
