import gc
import resource

import pytest

from flow2api.adapters.system.process import MOST_FILES, building_up, raise_file_limit, reachable_file_limit

ENDLESS = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("held", "most", "raised"),
    [
        (1024, 4096, 4096),
        (1024, 1_048_576, MOST_FILES),
        (1024, ENDLESS, MOST_FILES),
        (MOST_FILES, 1_048_576, None),
        (524_288, 1_048_576, None),
        (4096, 4096, None),
        (ENDLESS, ENDLESS, None),
    ],
)
def test_limit_of_open_files_is_raised_within_reason_and_never_lowered(
    monkeypatch: pytest.MonkeyPatch, held: int, most: int, raised: int | None
) -> None:
    limits = []
    monkeypatch.setattr("resource.getrlimit", lambda kind: (held, most))
    monkeypatch.setattr("resource.setrlimit", lambda kind, given: limits.append(given))

    raise_file_limit()

    assert limits == ([] if raised is None else [(raised, most)])
    assert raised is None or reachable_file_limit() == raised


def test_limit_that_the_system_does_not_let_us_raise_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(kind: int, given: tuple[int, int]) -> None:
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr("resource.getrlimit", lambda kind: (256, ENDLESS))
    monkeypatch.setattr("resource.setrlimit", refuse)

    raise_file_limit()


def test_collector_rests_while_things_are_built_up_and_goes_on_afterwards_as_it_was() -> None:
    with building_up():
        assert not gc.isenabled()
        with building_up():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()

    with pytest.raises(ZeroDivisionError), building_up():
        raise ZeroDivisionError
    assert gc.isenabled()
