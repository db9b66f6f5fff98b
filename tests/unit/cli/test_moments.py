from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click
import pytest

from flow2api.cli.moments import Moment, moment_of

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("90s", "2026-11-23T11:58:30+00:00"),
        ("90m", "2026-11-23T10:30:00+00:00"),
        ("3d", "2026-11-20T12:00:00+00:00"),
        ("2w", "2026-11-09T12:00:00+00:00"),
        ("2026-11-23", "2026-11-22T23:00:00+00:00"),
        ("2026-11-23T18:30", "2026-11-23T17:30:00+00:00"),
        ("2026-11-23T18:30Z", "2026-11-23T18:30:00+00:00"),
        ("2026-07-01", "2026-06-30T22:00:00+00:00"),
    ],
)
def test_moment_is_meant_in_the_operators_zone(said: str, meant: str) -> None:
    text = Moment().convert(said, None, None)

    assert moment_of(text, NOW, ZoneInfo("Europe/Berlin")) == datetime.fromisoformat(meant)


@pytest.mark.parametrize("said", ["soon", "", "-3h", "3y", "2026-13-01", "9999999999d"])
def test_what_is_no_moment_is_refused(said: str) -> None:
    with pytest.raises(click.BadParameter, match="is no moment"):
        Moment().convert(said, None, None)
