import pytest

from flow2api.cli.setup_url import setup_url
from flow2api.settings import Settings


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        (Settings(), "http://127.0.0.1:8000/setup"),
        (Settings(host="0.0.0.0", port=80), "http://127.0.0.1:80/setup"),
        (Settings(host="::"), "http://[::1]:8000/setup"),
        (Settings(host="fd00::1"), "http://[fd00::1]:8000/setup"),
        (Settings(public_url="https://pool.example.org/x/"), "https://pool.example.org/x/setup"),
    ],
)
def test_page_is_where_a_browser_finds_it(settings: Settings, url: str) -> None:
    assert setup_url(settings) == url


def test_port_that_is_listened_on_counts() -> None:
    assert setup_url(Settings(port=0), 4711) == "http://127.0.0.1:4711/setup"
