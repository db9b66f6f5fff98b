"""The first operator as the server makes it when it starts."""

from pathlib import Path

import pytest

from flow2api.adapters.vault import Argon2Passphrases
from flow2api.app import Services, build_services, running
from flow2api.domain.errors import ConfigurationError
from flow2api.domain.secret import Secret
from flow2api.extensions import load_extensions
from flow2api.settings import load_settings


def services_at(folder: Path) -> Services:
    extensions = load_extensions()
    environment = {
        "FLOW2API_DATA_DIR": str(folder / "data"),
        "FLOW2API_OPERATOR_PASSWORD_FILE": str(folder / "passphrase"),
    }
    return build_services(load_settings(environment, sections=extensions.sections), extensions)


async def test_starting_server_makes_it_once_and_does_not_need_the_file_again(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_text("quiet maple river lamp\n")
    file.chmod(0o600)
    first, second = services_at(tmp_path), services_at(tmp_path)

    async with running(first):
        (made,) = await first.entrance.operators.all()
    file.unlink()
    async with running(second):
        assert await second.entrance.operators.all() == [made]

    assert (made.name, made.role) == ("operator", "owner")
    assert await Argon2Passphrases().verify(Secret("quiet maple river lamp"), made.passphrase_hash)
    kept = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir() if path.is_file())
    assert b"maple" not in kept


async def test_server_does_not_start_with_a_file_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "passphrase").write_text("quiet maple river lamp\n")
    (tmp_path / "passphrase").chmod(0o644)

    with pytest.raises(ConfigurationError, match="chmod 600"):
        async with running(services_at(tmp_path)):
            raise AssertionError("it started")
