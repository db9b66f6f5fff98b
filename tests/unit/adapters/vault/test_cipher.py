import base64
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.adapters.vault import AesGcmCipher, KeyRing, KeySource
from flow2api.domain.errors import ConfigurationError
from flow2api.domain.secret import Secret


def new_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def cipher_of(*keys: str) -> AesGcmCipher:
    cipher = AesGcmCipher(KeyRing(KeySource(Secret(",".join(keys)), None, Path("unused"))))
    cipher.prepare(holds_secrets=True)
    return cipher


CIPHER = cipher_of(new_key())


@given(st.text(), st.text())
def test_opens_what_it_sealed_for_the_same_place(text: str, place: str) -> None:
    sealed = CIPHER.seal(Secret(text), place=place)

    assert CIPHER.open(sealed, place=place) == Secret(text)


@given(st.text(), st.text(), st.text())
def test_never_opens_for_another_place(text: str, place: str, other: str) -> None:
    if place == other:
        other += "x"
    sealed = CIPHER.seal(Secret(text), place=place)

    with pytest.raises(ConfigurationError, match="damaged or was moved"):
        CIPHER.open(sealed, place=other)


def test_sealed_text_shows_version_and_key_and_hides_the_secret() -> None:
    sealed = CIPHER.seal(Secret("planted-session-token"), place="here")

    version, key_id, text = sealed.split(":")
    assert (version, len(key_id)) == ("v1", 8)
    assert b"planted" not in base64.urlsafe_b64decode(text)
    assert len(base64.urlsafe_b64decode(text)) == 12 + len("planted-session-token") + 16


def test_refuses_every_flipped_bit() -> None:
    head, _, text = CIPHER.seal(Secret("s"), place="here").rpartition(":")
    raw = base64.urlsafe_b64decode(text)

    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ConfigurationError):
            CIPHER.open(f"{head}:{base64.urlsafe_b64encode(flipped).decode()}", place="here")


@pytest.mark.parametrize("sealed", ["", "v1", "v1:", "v2:00000000:AAAA", "clear text", "v1:00000000:AAAA", "v1::"])
def test_refuses_what_it_did_not_seal(sealed: str) -> None:
    with pytest.raises(ConfigurationError):
        CIPHER.open(sealed, place="here")


@pytest.mark.parametrize("text", ["", "AA", "!!!!", "ä"])
def test_refuses_a_text_of_its_own_key_that_is_cut_or_no_base64(text: str) -> None:
    head, _, _ = CIPHER.seal(Secret("s"), place="here").rpartition(":")

    with pytest.raises(ConfigurationError, match="damaged"):
        CIPHER.open(f"{head}:{text}", place="here")


def test_wrong_key_is_named_as_such() -> None:
    sealed = CIPHER.seal(Secret("s"), place="here")

    with pytest.raises(ConfigurationError, match="sealed with another key"):
        cipher_of(new_key()).open(sealed, place="here")


def test_reads_with_older_keys_and_writes_with_the_first() -> None:
    old, new = new_key(), new_key()
    sealed_before = cipher_of(old).seal(Secret("s"), place="here")
    both = cipher_of(new, old)

    assert both.open(sealed_before, place="here") == Secret("s")
    assert cipher_of(new).open(both.seal(Secret("s"), place="here"), place="here") == Secret("s")


def test_nonces_of_100_000_values_all_differ() -> None:
    secret = Secret("s")

    nonces = {CIPHER.seal(secret, place="p").rpartition(":")[2][:16] for _ in range(100_000)}

    assert len(nonces) == 100_000


def test_digest_depends_on_secret_purpose_and_key() -> None:
    key = new_key()
    digests = {
        cipher.digest(Secret(text), purpose=purpose)
        for cipher in (cipher_of(key), cipher_of(new_key()))
        for text in ("a", "b")
        for purpose in ("p", "q")
    }

    assert len(digests) == 8
    assert {len(digest) for digest in digests} == {32}
    assert cipher_of(key).digest(Secret("a"), purpose="p") in digests


def test_errors_show_neither_secret_nor_key() -> None:
    key = new_key()
    sealed = cipher_of(key).seal(Secret("planted"), place="here")

    with pytest.raises(ConfigurationError) as caught:
        cipher_of(key).open(sealed, place="there")

    assert "planted" not in str(caught.value)
    assert key not in str(caught.value)
