import pytest

from flow2api.domain.errors import GatewayLoopError
from flow2api.domain.gateway_hops import MOST_HOPS, hops_with


def test_request_of_a_plain_client_begins_here() -> None:
    assert hops_with("b", None) == ("b",)


def test_way_grows_by_this_gateway() -> None:
    assert hops_with("c", "a, b") == ("a", "b", "c")


@pytest.mark.parametrize("told", ["b", "a, b", "b,a", "", "a b", "a,,c", "ä"])
def test_way_that_leads_back_or_cannot_be_read_is_refused(told: str) -> None:
    with pytest.raises(GatewayLoopError):
        hops_with("b", told)


def test_way_has_an_end() -> None:
    longest = [f"g{number}" for number in range(MOST_HOPS - 1)]

    assert len(hops_with("b", ", ".join(longest))) == MOST_HOPS
    with pytest.raises(GatewayLoopError):
        hops_with("b", ", ".join([*longest, "z"]))
