import base64
import hashlib

import pytest

from flow2api.simulator.record import fingerprint, readable


def test_long_strings_are_replaced_by_size_and_hash() -> None:
    text = "x" * 5000
    assert readable(b'{"a": ["%s", "short"]}' % text.encode()) == {
        "a": [{"size": 5000, "sha256": hashlib.sha256(text.encode()).hexdigest()}, "short"]
    }


@pytest.mark.parametrize("field", ["imageBytes", "rawImageBytes"])
def test_pictures_are_replaced_by_the_hash_of_their_bytes(field: str) -> None:
    body = b'{"%s": "%s"}' % (field.encode(), base64.b64encode(b"tiny"))
    assert readable(body) == {field: {"size": 4, "sha256": hashlib.sha256(b"tiny").hexdigest()}}


def test_a_picture_that_is_no_base64_is_kept_as_it_came() -> None:
    assert readable(b'{"imageBytes": "%%%"}') == {"imageBytes": "%%%"}


def test_bodies_that_are_no_json_are_replaced_whole() -> None:
    assert readable(b"\xff\xfe")["size"] == 2
    assert readable(b"") is None


def test_fingerprints_tell_secrets_apart_without_showing_them() -> None:
    assert fingerprint("a") != fingerprint("b")
    assert len(fingerprint("a") or "") == 12
    assert fingerprint(None) is None
