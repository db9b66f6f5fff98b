"""The whole command line in this process, over a storage and an upstream in memory."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog
from click.testing import CliRunner

from flow2api.adapters.system import SystemClock
from flow2api.cli import context
from flow2api.cli.main import cli
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.ports.storage import Storage
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Upstream
from flow2api.extensions import load_extensions
from flow2api.hookspecs import Section, StorageFactory, UpstreamFactory, hookimpl
from tests.fakes.storage import FakeStorage, Tables
from tests.fakes.upstream import FakeUpstream


class PreparingStorage(FakeStorage):
    """Has the cipher ready when it is open, as every storage does."""

    cipher: Cipher

    async def open(self) -> None:
        await super().open()
        self.cipher.prepare(holds_secrets=False)


@dataclass(eq=False)
class Stage:
    """What stands behind the commands. It outlives each of them, as a database does."""

    storage: PreparingStorage
    upstream: FakeUpstream

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

        return [UpstreamFactory("fake", build)]


@dataclass(frozen=True)
class Ran:
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.out)


@dataclass(frozen=True)
class CommandLine:
    """Runs commands as the shell would."""

    environment: Mapping[str, str]

    def __call__(self, *arguments: str | Path, stdin: str | bytes = "", **settings: str) -> Ran:
        result = CliRunner().invoke(
            cli, [str(argument) for argument in arguments], input=stdin, env={**self.environment, **settings}
        )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    stage = Stage(PreparingStorage(), FakeUpstream(SystemClock(), name="fake"))
    monkeypatch.setattr(context, "load_extensions", partial(load_extensions, extra={"stage": stage}))
    return stage


@pytest.fixture
def run(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CommandLine]:
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield CommandLine({"FLOW2API_DATA_DIR": str(tmp_path / "data"), "FLOW2API_DATABASE_URL": "fake:"})
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text("eyJ" + "x" * 300 + "\n")
    return file
