"""Messages through Apprise to a real receiver, each from a process of its own."""

import asyncio
import json
import os
import sys
from collections.abc import Iterator

import pytest

from flow2api.adapters.notify import AppriseMessenger, messenger
from flow2api.adapters.notify.process import LONGEST_ERROR, without
from flow2api.domain.notification import Message
from flow2api.domain.secret import Secret
from tests.e2e.processes import free_port
from tests.hook_receiver import Receiver, receiving

MESSAGE = Message("flow2api: care is needed", "Account 7 (Ärger & Söhne) does not work.\n- line two")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def place(receiver: Receiver, path: str = "/canary-path") -> Secret:
    return Secret(f"json://canary-user:canary-pass@127.0.0.1:{receiver.port}{path}")


async def test_message_gets_there_as_it_is(receiver: Receiver) -> None:
    assert await AppriseMessenger().send(place(receiver), MESSAGE) is None

    (got,) = receiver.received
    told = json.loads(got.body)
    assert (told["title"], told["message"]) == (MESSAGE.title, MESSAGE.text)
    assert "apprise" not in sys.modules, "the server itself must not pay for Apprise"


async def test_refusal_is_told_without_anything_of_the_address(receiver: Receiver) -> None:
    receiver.replies["/canary-path"] = [500] * 9
    error = await AppriseMessenger().send(place(receiver), MESSAGE)

    assert error
    assert "canary" not in error
    assert "500" in error


async def test_nobody_there_is_an_error() -> None:
    error = await AppriseMessenger().send(place(Receiver(free_port())), MESSAGE)
    assert error
    assert "canary" not in error


async def test_place_that_hangs_is_ended_in_time_with_its_process(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []
    create = asyncio.create_subprocess_exec

    async def noted(*command: str, **how: object) -> object:
        process = await create(*command, **how)  # type: ignore[arg-type]
        started.append(process.pid)
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noted)
    receiver.delay_s["/canary-path"] = 120.0
    async with asyncio.timeout(60):
        error = await AppriseMessenger(timeout_s=2.5).send(place(receiver), MESSAGE)

    assert error == "no answer came within 2.5 s"
    (pid,) = started
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_process_that_does_not_start_is_an_error_and_no_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")

    error = await AppriseMessenger().send(Secret("json://canary.example"), MESSAGE)

    assert error == "the process that writes messages does not start: No such file or directory"


async def test_services_are_known_by_their_scheme() -> None:
    known = AppriseMessenger()

    assert await known.service_of(Secret("tgram://123456789:abcdefg_hijklmnop/12315544/")) == "Telegram"
    assert await known.service_of(Secret("nonsense://x")) is None
    assert await known.service_of(Secret("tgram://")) is None


async def test_own_variables_are_not_handed_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOW2API_SECRET_KEY", "canary")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")

    handed = messenger._environment()
    assert "canary" not in handed.values()
    assert handed["HTTPS_PROXY"] == "http://proxy.example"


def test_every_part_of_an_address_is_hidden() -> None:
    url = "mailto://someone:pa%73sword@mail.example.org/?to=other@example.org"
    text = "Failed for someone:password at mail.example.org\n to other@example.org " + "x" * 500
    hidden = without(url, text)

    assert [part for part in ("someone", "password", "example.org", "\n") if part in hidden] == []
    assert len(hidden) == LONGEST_ERROR
