import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flow2api.adapters.vault import KeyRing, KeySource, MasterKey
from flow2api.domain.errors import ConfigurationError
from flow2api.domain.secret import Secret


def new_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def ring(tmp_path: Path, value: str | None = None, file: Path | None = None) -> KeyRing:
    return KeyRing(KeySource(None if value is None else Secret(value), file, tmp_path / "data" / "secret.key"))


@pytest.mark.parametrize(
    "text",
    ["", "   ", ",", "short", base64.urlsafe_b64encode(os.urandom(31)).decode(), "A" * 43, "ä" * 43, new_key() + "A"],
    ids=["empty", "blank", "comma", "short", "31-bytes", "all-the-same", "no-base64", "too-long"],
)
def test_refuses_a_key_that_is_empty_short_or_no_key(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match="32 random bytes"):
        ring(tmp_path, text).prepare(holds_secrets=False)


def test_reads_base64url_and_plain_base64_with_and_without_padding() -> None:
    material = b"\xfb\xff" + bytes(range(30))
    texts = [base64.urlsafe_b64encode(material).decode(), base64.b64encode(material).decode()]

    ids = {MasterKey.parse(text).id for padded in texts for text in (padded, padded.rstrip("="))}

    assert ids == {MasterKey(material).id}


def test_key_tells_nothing_of_itself_but_its_id() -> None:
    text = new_key()
    key = MasterKey.parse(text)

    assert repr(key) == f"MasterKey({key.id})"
    assert key.id not in base64.urlsafe_b64decode(text).hex()
    assert len(key.id) == 8


def test_derived_keys_differ_by_purpose_and_by_key() -> None:
    one, other = MasterKey.parse(new_key()), MasterKey.parse(new_key())

    derived = {one.derive("a"), one.derive("b"), other.derive("a"), other.derive("b")}

    assert len(derived) == 4
    assert {len(key) for key in derived} == {32}
    assert one.derive("a") == one.derive("a")


def test_makes_the_default_file_for_its_owner_alone_and_keeps_it(tmp_path: Path) -> None:
    first, second = ring(tmp_path), ring(tmp_path)
    first.prepare(holds_secrets=False)
    second.prepare(holds_secrets=True)

    file = tmp_path / "data" / "secret.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in file.parent.iterdir()] == ["secret.key"]
    assert first.writing.id == second.writing.id


def test_refuses_to_start_when_secrets_wait_for_a_lost_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="holds secrets, but there is no key"):
        ring(tmp_path).prepare(holds_secrets=True)

    assert not (tmp_path / "data").exists()


def test_never_makes_the_file_that_the_operator_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"operator\.key cannot be read: No such file"):
        ring(tmp_path, file=tmp_path / "operator.key").prepare(holds_secrets=False)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_refuses_a_file_that_others_can_read(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "operator.key"
    file.write_text(new_key())
    file.chmod(mode)

    with pytest.raises(ConfigurationError, match="chmod 600"):
        ring(tmp_path, file=file).prepare(holds_secrets=True)


def test_refuses_a_value_and_a_file_together(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not both"):
        ring(tmp_path, new_key(), tmp_path / "operator.key").prepare(holds_secrets=False)


def test_first_key_writes_and_all_are_found_by_id(tmp_path: Path) -> None:
    texts = [new_key(), new_key(), new_key()]
    keys = ring(tmp_path, f"{texts[0]}, {texts[1]}\n{texts[2]}\n")
    keys.prepare(holds_secrets=True)

    assert keys.writing.id == MasterKey.parse(texts[0]).id
    assert all(keys.by_id(MasterKey.parse(text).id) is not None for text in texts)
    assert keys.by_id("00000000") is None


def test_says_so_when_used_before_it_is_prepared(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not loaded yet"):
        _ = ring(tmp_path).writing


def test_processes_that_start_together_end_with_the_same_key(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from flow2api.adapters.vault import KeyRing, KeySource\n"
        "keys = KeyRing(KeySource(None, None, pathlib.Path(sys.argv[1])))\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "keys.prepare(holds_secrets=False); print(keys.writing.id)\n"
    )
    file = tmp_path / "data" / "secret.key"
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[4],
        )
        for _ in range(4)
    ]
    for process in starts:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    ids = {process.communicate("go\n", timeout=30)[0] for process in starts}

    assert len(ids) == 1
    assert ids == {MasterKey.parse(file.read_text().strip()).id + "\n"}
    assert [path.name for path in file.parent.iterdir()] == ["secret.key"]
