from flow2api.domain.typed_codes import new_code


def test_code_has_its_chance_in_groups() -> None:
    code = new_code(80, 4).reveal()

    assert [len(group) for group in code.split("-")] == [4, 4, 4, 4]
