"""Files of accounts as pages take them in and give them away."""

import asyncio
import json
import threading
import time

import pytest

from flow2api.app.account_moves import AccountFiles
from flow2api.domain.account import Account, CredentialKind, Credentials
from flow2api.domain.credential_kinds import CredentialKinds
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.import_accounts import ImportedAccount
from flow2api.domain.usecases.run_imports import GivenRows
from flow2api.testing.fakes.clock import START

FILES = AccountFiles(CredentialKinds({"flow": CredentialKind.SESSION}))
KEY = Secret("correct horse battery")
TOKEN = "eyJ" + "x" * 300


def written(form: str, key: Secret | None, many: int = 3) -> bytes:
    writer = FILES.writer(form, key)
    account = Account(id=1, upstream="flow", name="", created_at=START)
    kept = [(account, Credentials(Secret(f"{TOKEN}{one}"))) for one in range(many)]
    return b"".join([writer.begin(), writer.part(kept[:1]), writer.part(kept[1:]), writer.end()])


@pytest.mark.parametrize(("form", "unit"), [("json", "row"), ("csv", "line")])
@pytest.mark.parametrize("key", [None, KEY], ids=["plain", "sealed"])
def test_what_is_written_is_read_again(form: str, unit: str, key: Secret | None) -> None:
    data = written(form, key)

    given = FILES.read(data, "auto", key)

    secrets = [row.session_token.reveal() for row in given.rows if isinstance(row, ImportedAccount)]
    assert secrets == [f"{TOKEN}{one}" for one in range(3)]
    assert given.unit == unit
    assert (TOKEN.encode() in data) == (key is None)


def test_lines_are_told_by_their_number() -> None:
    assert FILES.read(f"{TOKEN}\n".encode(), "auto", None).unit == "line"


@pytest.mark.parametrize("data", [b"", b" \n\t"])
def test_empty_file_is_refused(data: bytes) -> None:
    with pytest.raises(UnsupportedInputError, match="empty"):
        FILES.read(data, "auto", None)


def test_sealed_file_wants_its_passphrase() -> None:
    sealed = written("json", KEY)

    with pytest.raises(UnsupportedInputError, match="encrypted") as refused:
        FILES.read(sealed, "auto", None)
    assert refused.value.param == "key"
    with pytest.raises(UnsupportedInputError, match="wrong"):
        FILES.read(sealed, "auto", Secret("something else"))


def test_file_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flow2api.app.account_moves.MOST_BYTES", 10)

    with pytest.raises(UnsupportedInputError, match="larger"):
        FILES.read(TOKEN.encode(), "auto", None)


@pytest.mark.skipif(not hasattr(time, "pthread_getcpuclockid"), reason="threads have no clock of their own here")
@pytest.mark.parametrize("form", ["json", "lines"])
async def test_large_file_is_read_while_others_have_their_turn(form: str) -> None:
    many = 20_000
    tokens = [f"{TOKEN}{one}" for one in range(many)]
    text = "\n".join(tokens) if form == "lines" else json.dumps([{"session_token": one} for one in tokens])
    clocks, longest, is_over = list[int](), 0.0, False

    def read() -> GivenRows:
        clocks.append(time.pthread_getcpuclockid(threading.get_ident()))
        return FILES.read(text.encode(), form, None)

    async def watch() -> None:
        nonlocal longest
        while not clocks:
            await asyncio.sleep(0.001)
        while not is_over:
            before = time.clock_gettime(clocks[0])
            await asyncio.sleep(0)
            longest = max(longest, time.clock_gettime(clocks[0]) - before)
            await asyncio.sleep(0.001)

    watching = asyncio.create_task(watch())
    given = await asyncio.to_thread(read)
    is_over = True
    await watching

    assert len(given.rows) == many
    assert longest < 0.25, "what the thread computes while everybody else waits, whatever else the machine does"
