import base64
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.adapters.vault import HmacLinkSigner, KeyRing, KeySource
from flow2api.domain.secret import Secret

NOW = 1_790_000_000
DAY = 24 * 3600


def new_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def signer_of(*keys: str) -> HmacLinkSigner:
    ring = KeyRing(KeySource(Secret(",".join(keys)), None, Path("unused")))
    ring.prepare(holds_secrets=True)
    return HmacLinkSigner(ring)


SIGNER = signer_of(new_key())


def test_opens_the_media_it_was_signed_for_until_it_expires() -> None:
    query = SIGNER.sign("med_1", NOW + 3600)

    assert SIGNER.verify("med_1", query, NOW)
    assert SIGNER.verify("med_1", query, NOW + 3600 + 60)
    assert not SIGNER.verify("med_1", query, NOW + 3600 + 61)
    assert not SIGNER.verify("med_2", query, NOW)


def test_refuses_a_link_that_ends_more_than_seven_days_ahead() -> None:
    assert SIGNER.verify("med_1", SIGNER.sign("med_1", NOW + 7 * DAY), NOW)
    assert not SIGNER.verify("med_1", SIGNER.sign("med_1", NOW + 8 * DAY), NOW)


def test_refuses_every_changed_character() -> None:
    query = SIGNER.sign("med_1", NOW + 3600)

    for place in range(len(query)):
        for character in "0Az-_=&":
            changed = query[:place] + character + query[place + 1 :]
            assert changed == query or not SIGNER.verify("med_1", changed, NOW), changed


@given(st.text())
def test_refuses_any_other_text_without_raising(query: str) -> None:
    assert not SIGNER.verify("med_1", query, NOW)


@given(st.text(), st.text(), st.text())
def test_refuses_any_made_up_fields_without_raising(expires_at: str, key_id: str, signature: str) -> None:
    assert not SIGNER.verify("med_1", f"exp={expires_at}&kid={key_id}&sig={signature}", NOW)


@pytest.mark.parametrize("extra", ["&exp=1", "&kid=x", "&sig=x", "&sig="])
def test_refuses_a_field_that_stands_there_twice(extra: str) -> None:
    assert not SIGNER.verify("med_1", SIGNER.sign("med_1", NOW + 60) + extra, NOW)


def test_ignores_fields_of_others() -> None:
    assert SIGNER.verify("med_1", "download=1&" + SIGNER.sign("med_1", NOW + 60), NOW)


def test_links_of_an_older_key_open_as_long_as_it_is_on_the_ring() -> None:
    old, new = new_key(), new_key()
    query = signer_of(old).sign("med_1", NOW + 60)

    assert signer_of(new, old).verify("med_1", query, NOW)
    assert not signer_of(new).verify("med_1", query, NOW)
