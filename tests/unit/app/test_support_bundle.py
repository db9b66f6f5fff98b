"""What a bundle for helpers tells of folders: where they belong, and nobody's name."""

from pathlib import Path

import pytest

from flow2api.app.support_bundle import without_places

DATA, HOME = Path("/home/ada lovelace/flow2api/data"), Path("/home/ada lovelace")


@pytest.mark.parametrize(
    ("told", "left"),
    [
        ("The key file is /home/ada lovelace/flow2api/data/secret.key.", "The key file is <data folder>/secret.key."),
        ("'/home/ada lovelace/flow2api/data' is full", "'<data folder>' is full"),
        ("/home/ada lovelace/flow2api/data-old", "~/flow2api/data-old"),
        ("The key file is /home/ada lovelace/key.", "The key file is ~/key."),
        (
            "not at /home/grace/plugins, nor /Users/heidi/x, nor C:\\Users\\ivan\\x",
            "not at ~/plugins, nor ~/x, nor ~\\x",
        ),
        ("/var/lib/flow2api and /homeless stay", "/var/lib/flow2api and /homeless stay"),
    ],
)
def test_folders_are_told_by_what_they_are(told: str, left: str) -> None:
    assert without_places(told, DATA, HOME) == left


def test_everything_in_it_is_looked_at() -> None:
    bundle = {"a": [{"b": f"{DATA}/x"}, 7, None], "c": str(HOME)}

    assert without_places(bundle, DATA, HOME) == {"a": [{"b": "<data folder>/x"}, 7, None], "c": "~"}


def test_home_that_is_the_root_and_a_folder_behind_a_link_are_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")

    told = without_places(f"{tmp_path}/real/a {link}/b /etc", link, Path("/"))

    assert told == "<data folder>/a <data folder>/b /etc"
