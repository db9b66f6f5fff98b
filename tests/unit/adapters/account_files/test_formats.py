import codecs

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.adapters.account_files.formats import AUTO, CSV, JSON, LINES, AccountWriter, format_of, read_accounts
from flow2api.adapters.account_files.tables import write_table
from flow2api.domain.account import Account, Capacity, CredentialKind, Credentials, RestReason
from flow2api.domain.credential_kinds import CredentialKinds
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.media import MediaKind
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.import_accounts import ImportedAccount
from flow2api.testing.fakes.clock import START

IMAGE, VIDEO = MediaKind.IMAGE, MediaKind.VIDEO
KINDS = CredentialKinds(
    dict.fromkeys(("flow", "other"), CredentialKind.SESSION) | {"host": CredentialKind.API_KEY_AND_BASE_URL}
)


def token(name: object = "") -> str:
    return f"eyJ{name}".ljust(300, "x")


TOKEN = token()


def read(data: bytes | str, form: str = AUTO) -> list[ImportedAccount | str | None]:
    return read_accounts(data.encode() if isinstance(data, str) else data, form, KINDS)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ('{"tokens": []}', JSON),
        (" \n [", JSON),
        ("", JSON),
        ("email,session_token\n", CSV),
        ('"Session Token";"E-Mail"\n', CSV),
        ("session_token\n", CSV),
        (f"{TOKEN}\n", LINES),
        (f"# mine\n{TOKEN}", LINES),
        (f"me@example.com {TOKEN}", LINES),
    ],
)
def test_form_shows_in_the_first_characters(text: str, form: str) -> None:
    assert format_of(text.encode()) == form
    assert format_of(codecs.BOM_UTF8 + text.encode()) == form
    if text:
        assert format_of(text.encode("utf-16")) == form


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_table_is_read_whatever_wrote_it(separator: str, end: str, encoding: str) -> None:
    lines = [
        separator.join(["email", "Session_Token", "is_active", "video_concurrency", "tags", "what else", "name"]),
        separator.join(["me@example.com", TOKEN, "No", "3", '"b a"', "x", '"Ä ""q"""']),
    ]

    assert read(end.join(lines).encode(encoding)) == [
        None,
        ImportedAccount(
            session_token=Secret(TOKEN),
            email="me@example.com",
            name='Ä "q"',
            is_enabled=False,
            limits={VIDEO: 3},
            tags=frozenset({"a", "b"}),
        ),
    ]


def test_numbers_of_rows_are_those_of_lines() -> None:
    text = f'session_token,remark\n{token(1)},a\n\n{token(2)},"two\nlines"\n,,\n{token(3)},c\n'

    rows = read(text)

    assert [None if row is None else getattr(row, "remark", row) for row in rows] == [
        None, "a", None, "two\nlines", None, None, "c",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ("short token,", "The session token has blanks"),
        (",me@example.com", "session_token is missing"),
        (f"{TOKEN},a,b,c,d", "The line has 5 cells, and the first one names 4."),
        (f"{TOKEN},,perhaps,", "The column is_active says neither true nor false."),
        (f"{TOKEN},,,many", "The column image_concurrency is no number from -1"),
        (f"{TOKEN},,no,1²", "The column image_concurrency is no number from -1"),
        (f"{TOKEN},,,-2", "The column image_concurrency is no number from -1"),
        (f'{TOKEN},"a"b,,', "The quotes of the line are wrong"),
        (f"{TOKEN},{'canary' * 30_000},,", "far too long"),
    ],
)
def test_bad_line_is_a_sentence_and_the_next_one_counts(cells: str, problem: str) -> None:
    rows = read(f"session_token,email,is_active,image_concurrency\n{cells}\n{token(2)},,,\n")

    assert isinstance(rows[1], str)
    assert problem in rows[1]
    assert "xxx" not in rows[1]
    assert "canary" not in rows[1]
    assert rows[2] == ImportedAccount(session_token=Secret(token(2)))


def test_unclosed_quote_costs_no_more_than_the_lines_up_to_the_next_one() -> None:
    rows = read(f'session_token,name\n"{token(1)},a\n{token(2)},b\n{token(3)},"c"\n{token(4)},d\n')

    assert isinstance(rows[1], str)
    assert [row for row in rows if isinstance(row, ImportedAccount)] == [
        ImportedAccount(session_token=Secret(token(4)), name="d")
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("email,name\na@b.c,x\n", "names neither session_token nor api_key"),
        ("session_token,email,email\n", "names email twice"),
        (TOKEN, "names neither session_token nor api_key"),
        ("", "names neither session_token nor api_key"),
        ('session_token,"\n', "names neither session_token nor api_key"),
    ],
)
def test_table_without_a_usable_header_is_refused_as_a_whole(text: str, problem: str) -> None:
    with pytest.raises(UnsupportedInputError, match=problem):
        read(text, CSV)


def test_lines_are_tokens_with_or_without_an_address() -> None:
    text = f"# mine\r\n{token(1)}\r\n\r\n  {token(2)} Me@Example.com  \nme@example.org,{token(3)}\n{token(4)};\n"

    assert read(text) == [
        None,
        ImportedAccount(session_token=Secret(token(1))),
        None,
        ImportedAccount(session_token=Secret(token(2)), email="Me@Example.com"),
        ImportedAccount(session_token=Secret(token(3)), email="me@example.org"),
        ImportedAccount(session_token=Secret(token(4))),
    ]


@pytest.mark.parametrize("line", ["canary a b", "a@b.cc canary@b.cc", "me@example.com", 'canary"quoted"'])
def test_bad_line_shows_nothing_of_itself(line: str) -> None:
    (row,) = read(line, LINES)

    assert isinstance(row, str)
    assert "canary" not in row


@pytest.mark.parametrize("form", [CSV, LINES])
def test_text_that_is_no_utf_8_is_refused(form: str) -> None:
    with pytest.raises(UnsupportedInputError, match="no text in UTF-8"):
        read(b"session_token\nJ\xfcrgen\n", form)


@pytest.mark.parametrize(("form", "head"), [(CSV, "session_token\n"), (LINES, "# tokens\n")])
def test_too_many_rows_are_refused_and_empty_lines_are_none(
    form: str, head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flow2api.adapters.account_files.formats.MOST_ROWS", 2)
    text = f"{head}\n{token(1)}\n\n{token(2)}\n"

    assert [row for row in read(text, form) if row is not None] == [
        ImportedAccount(session_token=Secret(token(number))) for number in (1, 2)
    ]
    with pytest.raises(UnsupportedInputError, match="The file has 3 rows, and 2 are taken at once"):
        read(text + token(3), form)


def test_json_with_a_mark_at_its_beginning_is_read() -> None:
    data = msgspec.json.encode([{"session_token": TOKEN}])

    for marked in (codecs.BOM_UTF8 + data, data.decode().encode("utf-16")):
        assert read(marked) == [ImportedAccount(session_token=Secret(TOKEN))]


def account(**fields: object) -> Account:
    return Account(**{"id": 1, "upstream": "flow", "name": "", "created_at": START, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize("opening", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_an_export_is_a_formula(opening: str) -> None:
    evil = account(name=f"{opening}HYPERLINK(1)", remark=f"{opening}1+1", email=f"{opening}a@b.c")

    cells = write_table([(evil, Credentials(Secret(TOKEN)))], KINDS).decode().split("\r\n", 1)[1].split(",")

    assert not [cell for cell in cells if cell.lstrip('"').startswith(("=", "+", "@", "\t", "\r"))]
    assert not [cell for cell in cells if cell.startswith("-") and cell.strip() != "-1"]


_TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=20).map(str.strip)


@given(
    name=_TEXTS,
    remark=_TEXTS,
    image=st.none() | st.integers(0, 9),
    video=st.none() | st.integers(0, 9),
    tags=st.frozensets(st.from_regex(r"[a-z0-9_.:-]{1,8}", fullmatch=True), max_size=3),
    is_off=st.booleans(),
    weight=st.integers(2, 100),
    priority=st.integers(1, 1000),
)
def test_exported_table_brings_the_same_accounts(
    name: str,
    remark: str,
    image: int | None,
    video: int | None,
    tags: frozenset[str],
    is_off: bool,
    weight: int,
    priority: int,
) -> None:
    kept = account(
        name=name,
        remark=remark,
        capacity=Capacity(image, video),
        tags=tags,
        email="me@example.com",
        weight=weight,
        priority=priority,
    )
    kept = kept.resting(RestReason.MANUAL, START) if is_off else kept

    header, row = read(write_table([(kept, Credentials(Secret(TOKEN)))], KINDS))

    assert header is None
    assert isinstance(row, ImportedAccount)
    assert (row.name or "", row.remark or "", row.tags or frozenset()) == (name, remark, tags)
    assert (row.limits[IMAGE], row.limits[VIDEO], row.is_enabled) == (image, video, not is_off)
    assert (row.weight, row.priority) == (weight, priority)
    assert row.session_token == Secret(TOKEN)


def test_table_holds_accounts_of_every_kind() -> None:
    host = account(id=2, upstream="host", base_url="https://media.example.org/v1")

    header, *rows = read(
        write_table([(account(), Credentials(Secret(TOKEN))), (host, Credentials(Secret("=k1")))], KINDS)
    )

    assert header is None
    assert [
        (row.upstream, row.session_token.reveal(), row.base_url) for row in rows if isinstance(row, ImportedAccount)
    ] == [
        ("flow", TOKEN, None),
        ("host", "=k1", "https://media.example.org/v1"),
    ]


def test_table_may_be_of_keys_alone() -> None:
    (_, row) = read("upstream,api_key,base_url\nhost,k1,http://127.0.0.1:8000\n")

    assert row == ImportedAccount(session_token=Secret("k1"), upstream="host", base_url="http://127.0.0.1:8000")


@pytest.mark.parametrize("form", [JSON, CSV])
def test_file_that_is_written_in_parts_is_the_file_of_all(form: str) -> None:
    kept = [(account(id=one), Credentials(Secret(token(one)))) for one in range(5)]
    writer = AccountWriter(form, KINDS)

    parts = [
        writer.begin(),
        writer.part([]),
        writer.part(kept[:3]),
        writer.part(kept[3:]),
        writer.part([]),
        writer.end(),
    ]

    rows = [row for row in read(b"".join(parts)) if isinstance(row, ImportedAccount)]
    assert [row.session_token for row in rows] == [credentials.session_token for _, credentials in kept]


@pytest.mark.parametrize("form", [JSON, CSV])
def test_file_of_no_account_can_be_read(form: str) -> None:
    writer = AccountWriter(form, KINDS)

    assert [row for row in read(writer.begin() + writer.end(), form) if row is not None] == []
