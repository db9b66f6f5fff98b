"""What browsers fetch beside the pages."""

import gzip
import hashlib
import re
import tomllib

import pytest

from flow2api.adapters.console.assets import BUNDLE, assets
from flow2api.adapters.console.folders import static_folder

VENDOR = tomllib.loads((static_folder() / "VENDOR.toml").read_text(encoding="utf-8"))["file"]


@pytest.mark.parametrize("entry", VENDOR, ids=lambda entry: entry["path"])
def test_file_of_others_is_the_one_that_is_written_down(entry: dict[str, str]) -> None:
    content = (static_folder() / entry["path"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == entry["sha256"]


def test_every_file_of_others_is_written_down() -> None:
    there = {path.relative_to(static_folder()).as_posix() for path in (static_folder() / "vendor").iterdir()}
    assert there == {entry["path"] for entry in VENDOR}


def test_address_names_the_content() -> None:
    for asset in assets().values():
        assert hashlib.sha256(asset.content).hexdigest()[:10] in asset.path
        assert gzip.decompress(asset.compressed) == asset.content


def test_bundle_holds_htmx_before_what_extends_it_and_our_script_last() -> None:
    text = assets()[BUNDLE].content.decode()
    assert text.index("var htmx=") < text.index("registerExtension(") < text.index("data-ago")


def test_what_a_first_visit_fetches_keeps_to_its_budget() -> None:
    """60 KB and 10 requests for any page but the gallery; 25 KB of script, 12 KB of style, 5 KB of script of ours."""
    sizes = {name: len(asset.compressed) for name, asset in assets().items()}
    ours = len(gzip.compress((static_folder() / "console.js").read_bytes(), 9))
    assert sizes[BUNDLE] < 25_000
    assert ours < 5_000
    assert sizes["console.css"] < 12_000
    assert sum(sizes.values()) < 45_000  # leaves 15 for the document


def test_style_sheet_is_sent_without_what_only_its_readers_need() -> None:
    written, sent = (static_folder() / "console.css").read_text(), assets()["console.css"].content.decode()
    assert "/*" in written
    assert "/*" not in sent
    assert "\n" not in sent
    assert sent.count("{") == written.count("{")


def test_no_asset_names_another_host() -> None:
    for name, asset in assets().items():
        named = set(re.findall(rb"https?://[\w.-]+", asset.content)) - {b"http://www.w3.org"}
        assert not named, name
