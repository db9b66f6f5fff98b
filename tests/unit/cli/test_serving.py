"""A server without an operator tells how to become the first one."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flow2api.cli.serving import offer_setup
from flow2api.domain.errors import ConfigurationError
from flow2api.settings import Settings
from tests.unit.domain.usecases.entrance import Entrance

OWN = "k7Qw-93hd-Zx0P-mm2L-vB8t-11"


@dataclass
class Server:
    entrance: Entrance
    settings: Settings

    @property
    def services(self) -> Any:
        entrance = SimpleNamespace(offer_setup=self.entrance.offer)
        return SimpleNamespace(entrance=entrance, settings=self.settings)

    async def tells(self) -> None:
        """Run until an operator comes, a quarter of an hour later."""
        sleep = self.entrance.clock.sleep

        async def sleep_and_come(seconds: float) -> None:
            await sleep(seconds)
            await self.entrance.operator()

        self.entrance.clock.sleep = sleep_and_come  # type: ignore[method-assign]
        await offer_setup(self.services, 4711)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "code"
    file.write_text(f"{OWN}\n")
    file.chmod(0o600)
    return file


async def test_code_is_told_with_the_address(capsys: pytest.CaptureFixture[str]) -> None:
    server = Server(Entrance(), Settings(port=0))

    await server.tells()

    told = capsys.readouterr()
    assert told.out == ""
    (line,) = told.err.splitlines()
    assert "http://127.0.0.1:4711/setup" in line
    assert len(line.split()[-1].replace("-", "")) == 26


async def test_code_of_a_file_is_offered_and_not_told(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server = Server(Entrance(), Settings(setup_code_file=str(file)))

    await server.tells()

    told = capsys.readouterr().err
    assert str(file) in told
    assert OWN not in told
    assert len(server.entrance.tables.setup_codes) == 1


async def test_with_an_operator_nothing_is_told_and_no_file_looked_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = Server(Entrance(), Settings(setup_code_file=str(tmp_path / "none")))
    await server.entrance.operator()

    await offer_setup(server.services, 4711)

    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("text", "mode", "why"), [(OWN, 0o644, "chmod 600"), ("admin", 0o600, "openssl rand"), ("", 0o600, "empty")]
)
async def test_file_that_cannot_be_used_is_told(file: Path, text: str, mode: int, why: str) -> None:
    file.write_text(text)
    file.chmod(mode)

    with pytest.raises(ConfigurationError, match=why):
        await offer_setup(Server(Entrance(), Settings(setup_code_file=str(file))).services, 4711)
