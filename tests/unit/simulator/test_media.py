from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from flow2api.simulator.accounts import Account
from flow2api.simulator.control_schema import AccountKnobs, Era
from flow2api.simulator.errors import CallError
from flow2api.simulator.media import Library, MediaItem, MediaLinks

ADA, BOB = Account("acc-1", AccountKnobs()), Account("acc-2", AccountKnobs())


def item_of(key: str = "k", **fields: Any) -> MediaItem:
    given: dict[str, Any] = {
        "name": f"name-{key}",
        "account": ADA,
        "project": "p",
        "kind": "upload",
        "created_at": 0.0,
    } | fields
    return MediaItem(key=key, **given)


@pytest.fixture
def library() -> Library:
    return Library()


@pytest.mark.parametrize("name", ["k", "name-k"])
def test_gives_an_owner_its_media_by_either_id(library: Library, name: str) -> None:
    item = library.add(item_of())
    assert library.owned(name, ADA, "p", "2026-06", 0) is item


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({}, {"account": BOB}),
        ({}, {"name": "unknown"}),
        ({}, {"project": "other"}),
        ({"expires_at": 10.0}, {"now": 11.0}),
        ({"ready_at": 10.0}, {"now": 9.0}),
    ],
)
def test_finds_nothing_that_can_not_be_used(library: Library, fields: dict[str, Any], asked: dict[str, Any]) -> None:
    library.add(item_of(**fields))
    given: dict[str, Any] = {"name": "k", "account": ADA, "project": "p", "era": "2026-06", "now": 0.0} | asked
    with pytest.raises(CallError) as refused:
        library.owned(**given)
    assert refused.value.status == 404


@pytest.mark.parametrize(("era", "project"), [("seed", "other"), ("2026-06", None)])
def test_the_project_counts_from_2026_on_when_it_is_named(library: Library, era: Era, project: str | None) -> None:
    item = library.add(item_of())
    assert library.owned(item.name, ADA, project, era, 0) is item


def test_removes_only_the_owners(library: Library) -> None:
    library.add(item_of())
    library.remove("k", BOB)
    assert "k" in library.items
    library.remove("k", ADA)
    assert library.items == {}


def test_the_oldest_uploads_lose_their_bytes(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flow2api.simulator.media.KEPT_UPLOAD_BYTES", 10)
    first, second = library.add(item_of("a", content=b"x" * 8)), library.add(item_of("b", content=b"y" * 8))
    assert (first.content, second.content, library.upload_bytes) == (b"", b"y" * 8, 8)


def test_the_oldest_items_are_forgotten(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flow2api.simulator.media.KEPT_ITEMS", 2)
    library.add(item_of("a"))
    library.add(item_of("b"))
    assert set(library.items) == {"b", "name-b"}


@pytest.mark.parametrize("form", ["storage", "content"])
def test_links_are_good_until_their_end_and_only_as_they_are(form: str) -> None:
    links = MediaLinks("http://127.0.0.1:1")
    parts = urlsplit(getattr(links, form)("video", "key", 100.0))
    arguments = dict(parse_qsl(parts.query))
    assert links.refusal(parts.path, arguments, 100.0) == ""
    assert links.refusal(parts.path, arguments, 101.0) == "ExpiredToken"
    assert links.refusal(parts.path, arguments | {"Expires": "999"}, 100.0) == "SignatureDoesNotMatch"
    assert links.refusal(parts.path + "x", arguments, 100.0) == "SignatureDoesNotMatch"
