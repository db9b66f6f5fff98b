"""The whole command line over a storage and an upstream in memory."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from flow2api.adapters.system import SystemClock
from flow2api.cli import context, operator
from flow2api.domain.account import CredentialKind
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.ports.storage import Storage
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Upstream
from flow2api.extensions import load_extensions
from flow2api.hookspecs import Section, StorageFactory, UpstreamFactory, hookimpl
from flow2api.testing.fakes.key_upstream import FakeKeyUpstream
from flow2api.testing.fakes.storage import FakeStorage
from flow2api.testing.fakes.tables import Tables
from flow2api.testing.fakes.upstream import FakeUpstream
from tests.cheap_passphrases import CHEAP, seal_cheaply
from tests.command_line import CommandLine

NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)


class PreparingStorage(FakeStorage):
    """Has the cipher ready when it is open, as every storage does."""

    cipher: Cipher

    async def open(self) -> None:
        await super().open()
        self.cipher.prepare(holds_secrets=False)


@dataclass(eq=False)
class Stage:
    """What stands behind the commands, as a plugin. It outlives each of them, as a database does."""

    storage: PreparingStorage
    upstream: FakeUpstream
    keyed: FakeKeyUpstream
    hosts: FakeKeyUpstream

    @property
    def tables(self) -> Tables:
        return self.storage.tables

    @hookimpl
    def register_storages(self) -> Iterable[StorageFactory]:
        def build(url: str, section: Section, cipher: Cipher, clock: Clock) -> Storage:
            self.storage.cipher = cipher
            return self.storage

        return [StorageFactory("memory_storage", ("fake",), build)]

    @hookimpl
    def register_upstreams(self) -> Iterable[UpstreamFactory]:
        def build(section: Section, clock: Clock) -> Upstream:
            return self.upstream

        return [
            UpstreamFactory("fake", build),
            UpstreamFactory("keyed", lambda *_: self.keyed, CredentialKind.API_KEY),
            UpstreamFactory("hosts", lambda *_: self.hosts, CredentialKind.API_KEY_AND_BASE_URL),
        ]


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    clock = SystemClock()
    stage = Stage(
        PreparingStorage(),
        FakeUpstream(clock, name="fake"),
        FakeKeyUpstream(clock, name="keyed"),
        FakeKeyUpstream(clock, name="hosts"),
    )
    monkeypatch.setattr(context, "load_extensions", partial(load_extensions, extra={"stage": stage}))
    return stage


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The time of day at which all commands run, however near to midnight the tests do."""
    monkeypatch.setattr(SystemClock, "now", lambda self: NOON)
    return NOON


@pytest.fixture
def run(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(operator, "Argon2Passphrases", CHEAP)
    seal_cheaply(monkeypatch)
    return CommandLine({"FLOW2API_DATA_DIR": str(tmp_path / "data"), "FLOW2API_DATABASE_URL": "fake:"})


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text("eyJ" + "x" * 300 + "\n")
    return file
