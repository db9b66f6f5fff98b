import msgspec
import pytest

from flow2api.adapters.account_files.rows import MOST_ROWS, compose_rows, read_rows
from flow2api.domain.account import Account, Capacity, CredentialKind, Credentials, RestReason
from flow2api.domain.credential_kinds import CredentialKinds
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.media import MediaKind
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.import_accounts import ImportedAccount
from flow2api.testing.fakes.clock import START

TOKEN = "eyJ" + "x" * 300
IMAGE, VIDEO = MediaKind.IMAGE, MediaKind.VIDEO
KINDS = CredentialKinds(
    {
        "flow": CredentialKind.SESSION,
        "other": CredentialKind.SESSION,
        "keyed": CredentialKind.API_KEY,
        "host": CredentialKind.API_KEY_AND_BASE_URL,
    }
)


def read_one(**row: object) -> ImportedAccount | str:
    (read,) = read_rows(msgspec.json.encode([{"session_token": TOKEN, **row}]), KINDS)
    return read


def test_reads_the_form_of_the_admin_surface() -> None:
    row = {
        "email": "me@example.com",
        "access_token": "ya29.unused",
        "session_token": TOKEN,
        "is_active": False,
        "image_enabled": True,
        "video_enabled": False,
        "image_concurrency": -1,
        "video_concurrency": 3,
    }

    assert read_rows(msgspec.json.encode({"tokens": [row]}), KINDS) == [
        ImportedAccount(
            session_token=Secret(TOKEN), email="me@example.com", is_enabled=False, limits={IMAGE: None, VIDEO: 0}
        )
    ]


def test_reads_a_bare_list() -> None:
    assert read_one() == ImportedAccount(session_token=Secret(TOKEN))


@pytest.mark.parametrize(
    ("said", "limits"),
    [
        ({}, {}),
        ({"image_concurrency": -1}, {IMAGE: None}),
        ({"image_concurrency": 0}, {IMAGE: 0}),
        ({"image_concurrency": 5, "image_enabled": True}, {IMAGE: 5}),
        ({"image_concurrency": 5, "image_enabled": False}, {IMAGE: 0}),
        ({"video_enabled": True}, {VIDEO: None}),
        ({"video_enabled": False}, {VIDEO: 0}),
    ],
)
def test_slots_follow_switch_and_number(said: dict[str, object], limits: dict[MediaKind, int | None]) -> None:
    read = read_one(**said)

    assert isinstance(read, ImportedAccount)
    assert read.limits == limits


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"session_token": 5}, "Expected `str | null`, got `int` - at `$.session_token`."),
        ({"session_token": f"{TOKEN} "}, None),
        ({"session_token": f"{TOKEN} {TOKEN}"}, "The session token has blanks"),
        ({"session_token": ""}, "The session token is empty."),
        ({"image_concurrency": -2}, "Expected `int` >= -1 - at `$.image_concurrency`."),
        ({"image_concurrency": "3"}, "got `str`"),
        ({"is_active": "yes"}, "got `str`"),
        ({"upstream": "nobody"}, "There is no such upstream; there is flow, host, keyed, other."),
    ],
)
def test_bad_row_is_a_sentence_without_its_secret(said: dict[str, object], problem: str | None) -> None:
    read = read_one(**said)

    if problem is None:
        assert isinstance(read, ImportedAccount)
    else:
        assert isinstance(read, str)
        assert problem in read
        assert "xxx" not in read


def test_row_without_a_session_token_is_bad_alone() -> None:
    data = msgspec.json.encode([{"email": "a@b.c"}, 17, None, {"session_token": TOKEN}])

    read = read_rows(data, KINDS)

    assert [isinstance(row, str) for row in read] == [True, True, True, False]
    assert read[0] == (
        "An account of the upstream flow wants a session token (session_token): session_token is missing."
    )


@pytest.mark.parametrize(
    "data",
    [b"", b"not json", b"{}", b'{"tokens": 5}', b'"text"', b"\xff", b"[" * 100_000, b'[{"session_token": "\xff"}'],
)
def test_another_form_is_refused_as_a_whole(data: bytes) -> None:
    with pytest.raises(UnsupportedInputError, match="The file is not of the form"):
        read_rows(data, KINDS)


def test_too_many_rows_are_refused_as_a_whole() -> None:
    with pytest.raises(UnsupportedInputError, match="more than 100,000 rows"):
        read_rows(b"[" + b",".join([b"1"] * (MOST_ROWS + 1)) + b"]", KINDS)


def test_what_is_written_is_read_as_the_same() -> None:
    account = Account(
        id=4,
        upstream="other",
        name="東京",
        created_at=START,
        email="me@example.com",
        remark="lent",
        capacity=Capacity(image=None, video=0),
        tags=frozenset({"eu"}),
    ).resting(RestReason.MANUAL, START)

    (read,) = read_rows(compose_rows([(account, Credentials(Secret(TOKEN)))], KINDS), KINDS)

    assert read == ImportedAccount(
        session_token=Secret(TOKEN),
        upstream="other",
        email="me@example.com",
        name="東京",
        remark="lent",
        is_enabled=False,
        limits={IMAGE: None, VIDEO: 0},
        tags=frozenset({"eu"}),
    )


def test_rows_of_upstreams_with_keys_say_key_and_host() -> None:
    rows = [
        {"upstream": "keyed", "api_key": "k1", "session_token": ""},
        {"upstream": "host", "api_key": "k2", "base_url": "https://Media.example.org/v1/"},
    ]

    assert read_rows(msgspec.json.encode(rows), KINDS) == [
        ImportedAccount(session_token=Secret("k1"), upstream="keyed"),
        ImportedAccount(session_token=Secret("k2"), upstream="host", base_url="https://media.example.org/v1"),
    ]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (
            {"upstream": "keyed", "session_token": "canary"},
            "wants an API key (api_key): api_key is missing, session_token",
        ),
        ({"upstream": "keyed", "api_key": "canary", "base_url": "https://a.b"}, "base_url does not belong to it."),
        ({"upstream": "host", "api_key": "canary"}, "and a base URL (base_url): base_url is missing."),
        ({"upstream": "host", "api_key": "", "base_url": "https://a.b"}, "The API key is empty."),
        ({"upstream": "host", "api_key": "canary", "base_url": "http://a.b"}, "The base URL has to be https"),
        ({"api_key": "canary"}, "wants a session token (session_token): session_token is missing, api_key"),
    ],
)
def test_row_with_what_its_upstream_does_not_want_is_told(row: dict[str, str], problem: str) -> None:
    (read,) = read_rows(msgspec.json.encode([row]), KINDS)

    assert isinstance(read, str)
    assert problem in read
    assert "canary" not in read


@pytest.mark.parametrize(
    ("upstream", "base_url"), [("keyed", None), ("host", "https://media.example.org/v1"), ("gone", "https://a.b")]
)
def test_accounts_with_keys_are_written_as_such(upstream: str, base_url: str | None) -> None:
    account = Account(id=4, upstream=upstream, name="", created_at=START, base_url=base_url)

    written = msgspec.json.decode(compose_rows([(account, Credentials(Secret("k1"), Secret("k1")))], KINDS))["tokens"]

    assert [(row["api_key"], row.get("base_url"), "session_token" in row) for row in written] == [
        ("k1", base_url, False)
    ]
