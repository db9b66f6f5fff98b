"""API keys as JSON: what they may do, and never their text."""

from dataclasses import replace

from flow2api.documents.keys import key_view
from flow2api.testing import samples


def test_key_tells_what_it_may_do() -> None:
    key = samples.key_of("laptop", b"digest")
    shown = key_view(key)

    assert (shown.name, shown.prefix, shown.models, shown.max_per_day) == ("laptop", key.prefix, (), 0)
    assert (shown.first_id, key_view(replace(key, first_id=3)).first_id) == (None, 3)
    assert set(shown.scopes) == {scope.value for scope in key.rules.scopes}


def test_digest_is_not_shown() -> None:
    assert "digest" not in repr(key_view(samples.key_of("laptop", b"digest")))
