from ipaddress import IPv4Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.adapters.fetch.addresses import is_public
from tests.unit.adapters.fetch.samples import INNER, PUBLIC


@pytest.mark.parametrize("address", INNER)
def test_inner_address_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.ip_addresses(v=4))
def test_is_never_laxer_than_the_standard_library(address: IPv4Address) -> None:
    assert not is_public(address) or (address.is_global and not address.is_multicast and not address.is_reserved)


@given(st.ip_addresses(v=4), st.sampled_from(["::ffff:{}", "64:ff9b::{}", "::{}", "::ffff:0:{}"]))
def test_no_ipv4_address_is_public_in_the_dress_of_ipv6(address: IPv4Address, form: str) -> None:
    assert not is_public(ip_address(form.format(address)))
