import msgspec
import pytest

from flow2api.adapters.vault.passphrase import SealedDocument, Sealing, open_document, read_sealed, seal_document
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.secret import Secret
from tests.cheap_passphrases import seal_cheaply

PASSPHRASE = Secret("correct horse battery")


OF_VERSION_1 = (
    b'{"flow2api_sealed":1,"salt":"1PkmEVfO3NKmdykr2mcEHw==","nonce":"r_JcBzX6cQce_GW7",'
    b'"sealed":"ug8BJ_q7jAmYsKnQkeGNZVqeW03GBHUJ_w=="}'
)
"""Sealed at the real cost, under the same passphrase."""


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    seal_cheaply(monkeypatch)


@pytest.fixture
def sealed(cheap: None) -> bytes:
    return seal_document(b"canary \x00\xff", PASSPHRASE)


def read(data: bytes) -> SealedDocument:
    document = read_sealed(data)
    assert document is not None
    return document


def test_opens_to_the_same_bytes(sealed: bytes) -> None:
    assert open_document(read(sealed), PASSPHRASE) == b"canary \x00\xff"
    assert b"canary" not in sealed


def test_documents_of_this_version_stay_readable_and_new_ones_cost_as_much_to_guess() -> None:
    assert open_document(read(OF_VERSION_1), PASSPHRASE) == b"canary \x00\xff"
    with pytest.MonkeyPatch.context() as patch:
        new = seal_document(b"canary", PASSPHRASE)
        seal_cheaply(patch)
        with pytest.raises(UnsupportedInputError):
            open_document(read(new), PASSPHRASE)


def test_no_two_documents_are_alike(sealed: bytes) -> None:
    again = read(seal_document(b"canary \x00\xff", PASSPHRASE))

    assert again.salt != read(sealed).salt
    assert again.nonce != read(sealed).nonce


@pytest.mark.parametrize("field", ["salt", "nonce", "sealed"])
def test_damage_and_a_wrong_passphrase_look_alike(sealed: bytes, field: str) -> None:
    document = read(sealed)
    text = getattr(document, field)
    damaged = msgspec.structs.replace(document, **{field: _changed(text)})

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


@pytest.mark.usefixtures("cheap")
@pytest.mark.parametrize("size", [1, 700])
def test_parts_of_any_size_open_to_the_whole(size: int) -> None:
    data = bytes(range(256)) * 9
    sealing = Sealing(PASSPHRASE)

    parts = [sealing.part(data[start : start + size]) for start in range(0, len(data), size)]

    assert open_document(read(b"".join([sealing.begin(), *parts, sealing.end()])), PASSPHRASE) == data


@pytest.mark.usefixtures("cheap")
def test_long_document_is_opened_piece_by_piece() -> None:
    data = b"0123456789" * 300_000

    assert open_document(read(seal_document(data, PASSPHRASE)), PASSPHRASE) == data


def test_document_that_is_cut_off_is_refused(sealed: bytes) -> None:
    document = read(sealed)

    with pytest.raises(UnsupportedInputError, match="damaged"):
        open_document(msgspec.structs.replace(document, sealed=document.sealed[:8]), PASSPHRASE)


def _changed(text: str | bytes) -> str | bytes:
    first, other = (b"A", b"B") if isinstance(text, bytes) else ("A", "B")
    return (other if text[:1] == first else first) + text[1:]  # type: ignore[operator]
