import pytest

from flow2api.adapters.openai_media.hosts import origin_of, plain_base


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://x.example/v1", "https://x.example:443"),
        ("https://X.Example:8443/v1", "https://x.example:8443"),
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000"),
        ("http://[::1]:8000/v1", "http://::1:8000"),
    ],
)
def test_origin_is_scheme_host_and_port(address: str, origin: str) -> None:
    assert origin_of(address) == origin


@pytest.mark.parametrize(
    "address",
    [
        "", "x.example/v1", "ftp://x.example", "https://", "https://me:pw@x.example/", "https://x.example\\@y.example/",
        "https://x.example:99999/", "https://x example/", "file:///etc/passwd", "https://x.example\r\n/",
    ],
)  # fmt: skip
def test_address_that_hides_where_it_leads_has_no_origin(address: str) -> None:
    assert origin_of(address) == ""


def test_base_url_has_no_slash_at_its_end_and_nothing_behind() -> None:
    assert plain_base(" https://x.example/v1/ ") == "https://x.example/v1"
    assert plain_base("https://x.example/v1?key=1") is None
    assert plain_base("https://x.example/v1#x") is None
    assert plain_base("gopher://x.example") is None
    assert plain_base(None) is None
