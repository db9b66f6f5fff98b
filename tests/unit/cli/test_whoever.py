import getpass

import pytest

from flow2api.cli.whoever import whoever
from flow2api.domain.audit import Actor


def test_is_the_user_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "ada")

    assert whoever() == Actor(name="ada", door="command_line")


def test_user_without_a_name_is_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> str:
        raise OSError

    monkeypatch.setattr(getpass, "getuser", fail)

    assert whoever().name == "somebody"
