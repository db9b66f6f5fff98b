import pytest

from flow2api.domain.errors import ConfigurationError
from flow2api.domain.time_zone import zone_named


def test_zone_is_found_by_its_name() -> None:
    assert str(zone_named("Asia/Kathmandu")) == "Asia/Kathmandu"


def test_utc_is_known_where_no_zones_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flow2api.domain.time_zone.ZoneInfo", lambda _: pytest.fail("it was looked up"))

    assert str(zone_named("UTC")) == "UTC"


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Europe/Berln", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("berlin", "Europe/Berlin"),
        ("!!!", "IANA"),
    ],
)
def test_unknown_one_is_refused_with_the_nearest(name: str, near: str) -> None:
    with pytest.raises(ConfigurationError, match=near):
        zone_named(name)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/localtime", "a\x00b", "Europe"])
def test_paths_are_no_names(name: str) -> None:
    with pytest.raises(ConfigurationError):
        zone_named(name)
