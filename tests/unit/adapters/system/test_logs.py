"""What our logs show, whoever wrote the line."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from structlog.contextvars import bound_contextvars, get_contextvars

from flow2api.adapters.system.logs import configure_logs, context_of
from flow2api.domain.secret import Secret
from flow2api.testing.factories import GenerationFactory

CANARY = "canary-0123456789abcdef"


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def lines(written: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.splitlines()]


def failing() -> None:
    raise ValueError(f"token f2a_{CANARY} refused")


@pytest.mark.parametrize("form", ["json", "console"])
def test_secret_is_nowhere_whoever_logs_it(capsys: pytest.CaptureFixture[str], form: str) -> None:
    configure_logs("debug", form)
    structlog.get_logger("ours").warning(f"said Bearer {CANARY}", session_token=CANARY, nested=[{"cookie": CANARY}])
    logging.getLogger("theirs").warning("to https://user:%s@proxy", CANARY, extra={"authorization": CANARY})
    logging.getLogger("theirs").warning("a secret %s", Secret(CANARY), extra={"of": Secret(CANARY)})
    try:
        failing()
    except ValueError:
        logging.getLogger("theirs").exception("it fell", extra={"error": ValueError(f"ya29.{CANARY}")})

    written = capsys.readouterr().err
    assert CANARY not in written
    assert written.count("***") >= 7


def test_line_cannot_be_forged(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info", "json")
    logging.getLogger("theirs").warning("one\r\ntwo\x1b[31m", extra={"model": "a\nb"})

    (line,) = lines(capsys.readouterr().err)
    assert line["event"] == "one\\x0d\\ntwo\\x1b[31m"
    assert line["model"] == "a\\nb"


def test_detail_that_another_handler_wants_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info", "json")
    logger = logging.getLogger("flow2api.planted")
    logger.setLevel(logging.DEBUG)
    logger.debug("small talk")
    logger.info("news")

    assert [line["event"] for line in lines(capsys.readouterr().err)] == ["news"]


def test_resumed_work_is_logged_under_the_id_that_the_request_log_has_for_it() -> None:
    generation = GenerationFactory.build(group_id="req_of_long_ago")
    with bound_contextvars(request_id="req_of_somebody_else", colour="red"):
        assert context_of(generation).run(get_contextvars) == {"request_id": "req_of_long_ago"}


def test_one_without_a_group_is_logged_under_its_own_id() -> None:
    generation = GenerationFactory.build(id="gen_1", group_id="")
    assert context_of(generation).run(get_contextvars) == {"request_id": "gen_1"}
