import shutil
from pathlib import Path
from typing import Any

import pytest

from flow2api.app.current_options import CurrentOptions
from flow2api.cli import checks
from flow2api.cli.checks import (
    look_at_folder,
    look_at_key,
    look_at_open_files,
    look_at_public_url,
    look_at_upstreams,
    media_folder,
    online_checks,
    options_check,
)
from flow2api.domain.errors import ConfigurationError, UpstreamUnavailableError
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.diagnose import CheckState, Diagnose
from flow2api.settings import Settings
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.storage import FakeStorage

OK, WARN, FAIL = CheckState.OK, CheckState.WARN, CheckState.FAIL


def test_folder_of_ours_is_fine(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)

    assert look_at_folder(tmp_path, "The folder").state is OK


def test_folder_that_can_be_made_is_fine(tmp_path: Path) -> None:
    finding = look_at_folder(tmp_path / "a" / "b", "The folder")

    assert (finding.state, finding.sentence) == (
        OK,
        f"The folder {tmp_path / 'a' / 'b'} is not there yet, and can be made.",
    )


def test_folder_that_is_open_to_others_is_warned_of(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    finding = look_at_folder(tmp_path, "The folder")

    assert (finding.state, finding.cure) == (WARN, f"chmod 700 {tmp_path}")


def test_file_in_the_place_of_the_folder_fails(tmp_path: Path) -> None:
    (tmp_path / "data").touch()

    assert look_at_folder(tmp_path / "data", "The folder").state is FAIL
    assert look_at_folder(tmp_path / "data" / "media", "The folder").state is FAIL


def test_folder_that_cannot_be_written_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)

    assert look_at_folder(tmp_path, "The folder").state is FAIL


@pytest.mark.parametrize(("free", "state"), [(10 * 1024**3, OK), (500 * 1024**2, WARN), (1024**2, FAIL)])
def test_full_disk_is_told_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: CheckState
) -> None:
    tmp_path.chmod(0o700)
    usage = shutil._ntuple_diskusage(total=free, used=0, free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)

    assert look_at_folder(tmp_path, "The folder").state is state


@pytest.mark.parametrize(
    ("url", "folder"),
    [("file:data/media", Path("data/media")), ("file:///srv/my%20media", Path("/srv/my media")), ("s3://bucket", None)],
)
def test_media_folder_is_known_for_stores_on_this_disk(url: str, folder: Path | None) -> None:
    assert media_folder(url) == folder


def test_key_file_of_ours_is_fine(tmp_path: Path) -> None:
    (tmp_path / "secret.key").touch(0o600)

    assert look_at_key(Settings(data_dir=tmp_path)).state is OK


def test_key_file_that_others_can_read_fails(tmp_path: Path) -> None:
    (tmp_path / "secret.key").touch()
    (tmp_path / "secret.key").chmod(0o640)

    finding = look_at_key(Settings(data_dir=tmp_path))

    assert (finding.state, finding.cure) == (FAIL, f"chmod 600 {tmp_path / 'secret.key'}")


def test_key_that_is_not_made_yet_is_fine(tmp_path: Path) -> None:
    assert look_at_key(Settings(data_dir=tmp_path)).state is OK


def test_named_key_file_that_is_missing_fails(tmp_path: Path) -> None:
    assert look_at_key(Settings(secret_key_file=str(tmp_path / "key"))).state is FAIL
    (tmp_path / "file").touch()
    assert look_at_key(Settings(secret_key_file=str(tmp_path / "file" / "key"))).state is FAIL


def test_key_and_key_file_exclude_each_other() -> None:
    assert look_at_key(Settings(secret_key=Secret("k"))).state is OK
    assert look_at_key(Settings(secret_key=Secret("k"), secret_key_file="f")).state is FAIL


@pytest.mark.parametrize(
    ("url", "host", "state"),
    [
        ("", "0.0.0.0", OK),
        ("https://media.example.org", "0.0.0.0", OK),
        ("https://media.example.org/flow", "127.0.0.1", OK),
        ("http://127.0.0.1:8000", "127.0.0.1", OK),
        ("http://localhost:8000", "0.0.0.0", WARN),
        ("http://[::1]:8000", "::", WARN),
        ("http://media.example.org", "0.0.0.0", WARN),
        ("media.example.org", "0.0.0.0", FAIL),
        ("ftp://media.example.org", "0.0.0.0", FAIL),
        ("https://", "0.0.0.0", FAIL),
        ("https://me:secret@example.org", "0.0.0.0", FAIL),
        ("https://example.org/?a=1", "0.0.0.0", FAIL),
        ("https://example.org:99999", "0.0.0.0", FAIL),
        ("https://[example", "0.0.0.0", FAIL),
    ],
)
def test_public_address_has_to_lead_clients_here(url: str, host: str, state: CheckState) -> None:
    finding = look_at_public_url(url, host)

    assert finding.state is state
    assert bool(finding.cure) is (state is not OK)
    assert "secret" not in finding.sentence


def test_upstream_addresses_are_told_without_a_call() -> None:
    finding = look_at_upstreams({"flow": {"labs_base_url": "http://127.0.0.1:9/fx/api", "era": "seed"}})

    assert finding.sentence == (
        "Flow is asked at http://127.0.0.1:9 and https://aisandbox-pa.googleapis.com, in the era seed."
    )


def test_upstream_address_of_a_wrong_form_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="labs_base_url"):
        look_at_upstreams({"flow": {"labs_base_url": "http://elsewhere.example/fx/api"}})


async def test_stored_options_are_checked_under_the_fixed_ones() -> None:
    storage = FakeStorage()
    await storage.options.write({"policy": "gone", "max_attempts": 3}, "me")

    def under(fixed: dict[str, object]) -> CurrentOptions:
        return CurrentOptions(storage.options, fixed, lambda: frozenset({"least_busy", "random"}), FakeClock())

    free = await options_check(lambda: under({})).look()
    fixed = await options_check(lambda: under({"policy": "random"})).look()

    assert (free.state, fixed.state) == (FAIL, OK)
    assert "The stored option policy is ignored: There is no selection policy 'gone'" in free.sentence


async def test_hosts_are_asked_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def answers_at(origin: str) -> int:
        asked.append(origin)
        if "127.0.0.2" in origin:
            raise UpstreamUnavailableError(f"Nobody answers at {origin}: refused.", reached=False)
        return 404

    monkeypatch.setattr(checks, "answers_at", answers_at)
    flow: dict[str, Any] = {"labs_base_url": "http://127.0.0.1:9/fx/api", "api_base_url": "http://127.0.0.2:9/v1"}

    found = [one async for one in Diagnose(online_checks(Settings(sections={"flow": flow})))()]

    assert asked == ["http://127.0.0.1:9", "http://127.0.0.2:9"]
    assert [(one.name, one.finding.state) for one in found] == [("reach 127.0.0.1:9", OK), ("reach 127.0.0.2:9", FAIL)]


@pytest.mark.parametrize(
    ("limits", "state", "figure"),
    [((1024, 1_048_576), OK, "65,536"), ((1024, 4096), OK, "4,096"), ((256, 1024), WARN, "1,024")],
)
def test_open_files_are_told_and_too_few_warned_of(
    monkeypatch: pytest.MonkeyPatch, limits: tuple[int, int], state: CheckState, figure: str
) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda kind: limits)

    finding = look_at_open_files()

    assert finding.state is state
    assert f" {figure} " in finding.sentence
