"""What belongs to one key is not there for another, and a signed link opens one thing."""

import re
import time
from typing import Any

import pytest

from tests.security.wire import Wire


@pytest.fixture(scope="module")
def video(wire: Wire) -> dict[str, Any]:
    made: dict[str, Any] = wire.ask("POST", "/v1/videos", {"prompt": "waves", "seconds": "4"}).json
    deadline = time.monotonic() + 40
    while made["status"] not in ("completed", "failed") and time.monotonic() < deadline:
        time.sleep(0.1)
        made = wire.ask("GET", f"/v1/videos/{made['id']}").json
    assert made["status"] == "completed"
    return made


@pytest.fixture(scope="module")
def link(video: dict[str, Any]) -> str:
    return "/" + str(video["url"]).split("/", 3)[3]


@pytest.fixture(scope="module")
def media_id(link: str) -> str:
    found = re.search(r"media_\w+", link)
    assert found is not None
    return found[0]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/videos/{id}", None),
        ("HEAD", "/v1/videos/{id}", None),
        ("DELETE", "/v1/videos/{id}", None),
        ("GET", "/v1/videos/{id}/content", None),
        ("HEAD", "/v1/videos/{id}/content", None),
        ("GET", "/v1/videos/{id}/content?variant=thumbnail", None),
        ("POST", "/v1/videos/{id}/remix", {"prompt": "x"}),
        ("POST", "/v1/videos/edits", {"prompt": "x", "video": {"id": "{id}"}}),
        ("POST", "/v1/videos/extensions", {"prompt": "x", "video": {"id": "{id}"}}),
    ],
)
def test_another_keys_video_is_not_there(
    wire: Wire, other_key: str, video: dict[str, Any], method: str, path: str, body: dict[str, Any] | None
) -> None:
    if body and "video" in body:
        body = {**body, "video": {"id": video["id"]}}
    answer = wire.ask(method, path.format(id=video["id"]), body, key=other_key)
    assert answer.status == 404
    assert wire.ask("GET", f"/v1/videos/{video['id']}").status == 200


def test_another_keys_videos_are_not_listed(wire: Wire, other_key: str, video: dict[str, Any]) -> None:
    for query in ("", f"?after={video['id']}", "?order=asc&limit=100"):
        assert wire.ask("GET", f"/v1/videos{query}", key=other_key).json["data"] == []


@pytest.mark.parametrize("form", ["{id}", "{link}", "http://127.0.0.1{link}", "extend://{id}"])
@pytest.mark.parametrize("path", ["/v1/images/edits", "/v1/videos"])
def test_another_keys_media_is_no_input(
    wire: Wire, other_key: str, link: str, media_id: str, form: str, path: str
) -> None:
    given = form.format(id=media_id, link=link)
    field = "image" if path.endswith("edits") else "input_reference"
    answer = wire.ask("POST", path, {"prompt": "x", field: given}, key=other_key)
    assert answer.status == 400


def test_a_key_does_not_take_the_place_of_a_signature(wire: Wire, media_id: str) -> None:
    assert wire.ask("GET", f"/media/{media_id}").status == 404


def test_a_link_opens_without_a_key(wire: Wire, link: str) -> None:
    assert wire.ask("GET", link, key=None).status == 200


def test_no_changed_link_opens(wire: Wire, link: str, media_id: str) -> None:
    query = link.partition("?")[2]
    for at, character in enumerate(query):
        other = chr(ord(character) ^ 1)
        if not (other.isalnum() or other in "-_.~&="):
            other = "x" if character != "x" else "y"
        changed = query[:at] + other + query[at + 1 :]
        assert wire.ask("GET", f"/media/{media_id}?{changed}", key=None).status == 404, changed


@pytest.mark.parametrize(
    "change",
    ["{q}&exp=9999999999", "exp=9999999999&{q}", "{q}&sig=x", "{q}=", "", "exp=&kid=&sig=", "{upper}", "{semicolons}"],
)
def test_no_bent_link_opens(wire: Wire, link: str, media_id: str, change: str) -> None:
    query = link.partition("?")[2]
    bent = change.format(q=query, upper=query.upper(), semicolons=query.replace("&", ";"))
    assert wire.ask("GET", f"/media/{media_id}?{bent}", key=None).status == 404


def test_a_signature_opens_no_other_media(wire: Wire, link: str, media_id: str) -> None:
    other = media_id[:-1] + ("0" if media_id[-1] != "0" else "1")
    assert wire.ask("GET", link.replace(media_id, other), key=None).status == 404
