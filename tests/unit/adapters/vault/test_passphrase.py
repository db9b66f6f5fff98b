import msgspec
import pytest

from flow2api.adapters.vault.passphrase import SealedDocument, open_document, read_sealed, seal_document
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.secret import Secret

PASSPHRASE = Secret("correct horse battery")


@pytest.fixture(scope="module")
def sealed() -> bytes:
    return seal_document(b"canary \x00\xff", PASSPHRASE)


def read(data: bytes) -> SealedDocument:
    document = read_sealed(data)
    assert document is not None
    return document


def test_opens_to_the_same_bytes(sealed: bytes) -> None:
    assert open_document(read(sealed), PASSPHRASE) == b"canary \x00\xff"
    assert b"canary" not in sealed


def test_no_two_documents_are_alike(sealed: bytes) -> None:
    again = read(seal_document(b"canary \x00\xff", PASSPHRASE))

    assert again.salt != read(sealed).salt
    assert again.nonce != read(sealed).nonce


@pytest.mark.parametrize("field", ["salt", "nonce", "sealed"])
def test_damage_and_a_wrong_passphrase_look_alike(sealed: bytes, field: str) -> None:
    document = read(sealed)
    text = getattr(document, field)
    damaged = msgspec.structs.replace(document, **{field: ("A" if text[0] != "A" else "B") + text[1:]})

    with pytest.raises(UnsupportedInputError) as refused:
        open_document(damaged, PASSPHRASE)
    assert refused.value.message == "The passphrase is wrong, or the file is damaged."


def test_wrong_passphrase_is_refused(sealed: bytes) -> None:
    with pytest.raises(UnsupportedInputError, match="passphrase is wrong"):
        open_document(read(sealed), Secret("another passphrase"))


@pytest.mark.parametrize("text", ["", "!", "AAAA", "AAAA="])
def test_garbage_is_refused(sealed: bytes, text: str) -> None:
    with pytest.raises(UnsupportedInputError):
        open_document(msgspec.structs.replace(read(sealed), nonce=text), PASSPHRASE)


def test_newer_form_is_refused_by_name(sealed: bytes) -> None:
    with pytest.raises(UnsupportedInputError, match="newer flow2api"):
        open_document(msgspec.structs.replace(read(sealed), flow2api_sealed=2), PASSPHRASE)


@pytest.mark.parametrize("data", [b"", b"[]", b'{"tokens": []}', b'{"flow2api_sealed": "1"}', b"\xff", b"[" * 5000])
def test_anything_else_is_no_sealed_document(data: bytes) -> None:
    assert read_sealed(data) is None
