"""Commands for webhooks."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook as Verifier

from flow2api.domain.webhook import Delivery, DeliveryState
from flow2api.testing.fakes.clock import START
from tests.command_line import CommandLine
from tests.hook_receiver import Receiver, receiving
from tests.unit.cli.conftest import Stage

PRIVATE = {"FLOW2API_OPTIONS__PRIVATE_WEBHOOKS": "true"}
URL = "https://hooks.example.org/in?token=canary"


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def test_secret_stands_alone_on_standard_output_and_is_shown_once(run: CommandLine, stage: Stage) -> None:
    added = run("webhooks", "add", "shop", URL)
    shown = run("webhooks", "list").out + run("webhooks", "list", "--json").out

    secret = added.out.strip()
    assert secret.startswith("whsec_")
    assert secret not in added.err + shown
    assert "canary" not in added.err + shown + repr(stage.tables.audit)
    (webhook,) = stage.tables.told.webhooks.values()
    assert webhook.signing.reveal() == secret
    assert webhook.url.reveal() == URL
    assert [(entry.action, entry.subject) for entry in stage.tables.audit] == [("webhook.added", "1")]


def test_json_tells_everything_but_secrets(run: CommandLine) -> None:
    run("keys", "create", "--name", "laptop")
    made = run("webhooks", "add", "shop", "-", "--key", "laptop", "--event", "generation.failed", "--json", stdin=URL)
    (listed,) = run("webhooks", "list", "--json").json["webhooks"]

    assert made.json == {"secret": made.json["secret"], "id": 1, "name": "shop"}
    assert listed == {
        "id": 1,
        "name": "shop",
        "address": "https://hooks.example.org",
        "events": ["generation.failed"],
        "key_id": 1,
        "is_enabled": True,
        "created_at": listed["created_at"],
        "disabled_at": None,
        "disabled_why": "",
        "failing_since": None,
        "delivered_at": None,
    }


def test_address_with_a_secret_need_stand_on_no_command_line(run: CommandLine, stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "url").write_text(f"{URL}\n")
    own = "whsec_" + "QUJD" * 10
    run("webhooks", "add", "shop", "--url-file", "url", "--secret-file", "-", stdin=own)

    assert stage.tables.told.webhooks[1].url.reveal() == URL
    assert "--url-file" in run("webhooks", "add", "none").err
    assert "either" in run("webhooks", "add", "both", URL, "--url-file", "url").err
    assert "holds one thing" in run("webhooks", "add", "one", "--url-file", "-", "--secret-file", "-", stdin=URL).err
    assert len(stage.tables.told.webhooks) == 1


def test_own_secret_is_taken(run: CommandLine, stage: Stage) -> None:
    own = "whsec_" + "QUJD" * 10
    assert run("webhooks", "add", "shop", URL, "--secret-file", "-", stdin=own + "\n").out.strip() == own
    assert run("webhooks", "add", "other", URL, "--secret-file", "-", stdin="short").code == 1
    assert len(stage.tables.told.webhooks) == 1


def test_message_to_try_it_is_signed(run: CommandLine, receiver: Receiver) -> None:
    url = receiver.url("/try")
    secret = run("webhooks", "add", "shop", url, **PRIVATE).out.strip()
    ran = run("webhooks", "test", "shop", "--json", **PRIVATE)

    (got,) = receiver.of("/try")
    assert ran.json == {"name": "shop", "status": 204, "error": ""}
    assert Verifier(secret).verify(got.body, dict(got.headers))["type"] == "webhook.test"


def test_message_that_does_not_get_through_is_an_exit_code(run: CommandLine, receiver: Receiver) -> None:
    receiver.replies["/no"] = [404, 404]
    run("webhooks", "add", "shop", receiver.url("/no"), **PRIVATE)
    told, as_json = run("webhooks", "test", "shop", **PRIVATE), run("webhooks", "test", "shop", "--json", **PRIVATE)

    assert (told.code, as_json.code) == (1, 1)
    assert "it answered 404" in told.err
    assert as_json.json["status"] == 404


def test_one_that_was_switched_off_can_be_switched_on(run: CommandLine, stage: Stage) -> None:
    run("webhooks", "add", "shop", URL)
    off = run("webhooks", "disable", "1", "--json").json
    listed = run("webhooks", "list").out
    on = run("webhooks", "enable", "shop", "--json").json

    assert off["disabled_at"] is not None
    assert "off: by" in listed
    assert (on["disabled_at"], stage.tables.told.webhooks[1].disabled_at) == (None, None)
    assert run("webhooks", "enable", "shop").code == 0
    assert [entry.action for entry in stage.tables.audit] == ["webhook.added", "webhook.changed", "webhook.changed"]


def test_deliveries_show_what_became_of_each_message(run: CommandLine, stage: Stage) -> None:
    run("webhooks", "add", "shop", URL)
    waiting = Delivery(
        number=1, webhook_id=1, message_id="msg_1", kind="disk.full", at=START, content="{}", attempts=2,
        error="it answered 500", answer=500, due_at=START + timedelta(minutes=5),
    )  # fmt: skip
    ended = replace(waiting, number=2, message_id="msg_2", state=DeliveryState.DELIVERED, ended_at=START, error="")
    stage.tables.told.deliveries.update({1: waiting, 2: ended})
    table, shown = run("webhooks", "deliveries", "shop").out, run("webhooks", "deliveries", "--json").json["deliveries"]

    assert [(one["number"], one["state"], one["attempts"]) for one in shown] == [(2, "delivered", 2), (1, "pending", 2)]
    assert [one["next_try_at"] for one in shown] == [None, "2026-11-23T12:05:00Z"]
    assert "it answered 500" in table
    assert len(run("webhooks", "deliveries", "--before", "2", "--json").json["deliveries"]) == 1


def test_removed_one_is_gone_with_its_messages(run: CommandLine, stage: Stage) -> None:
    run("webhooks", "add", "shop", URL)
    assert run("webhooks", "remove", "shop").out == "Removed 'shop'.\n"
    assert stage.tables.told.webhooks == {}
    assert "flow2api webhooks add" in run("webhooks", "list").err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["add", "shop", "http://hooks.example.org/"], "private_webhooks"),
        (["add", "shop", "https://127.0.0.1/"], "private_webhooks"),
        (["add", "shop", "hooks.example.org"], "looks like https://"),
        (["add", "shop", URL, "--event", "generation.complete"], "Did you mean 'generation.completed'?"),
        (["add", "shop", URL, "--key", "nobody"], "There is no active key 'nobody'"),
        (["add", "1", URL], "is no number"),
        (["test", "shop"], "There is no webhook 'shop'"),
        (["remove", "shop"], "There is no webhook 'shop'"),
        (["deliveries", "shop"], "There is no webhook 'shop'"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(run: CommandLine, stage: Stage, arguments: list[str], says: str) -> None:
    ran = run("webhooks", *arguments)

    assert ran.code == 1
    assert says in ran.err
    assert sum(line.startswith("flow2api: ") for line in ran.err.splitlines()) == 1
    assert stage.tables.told.webhooks == {}


def test_no_two_have_one_name(run: CommandLine) -> None:
    run("webhooks", "add", "shop", URL)
    assert "Choose another name" in run("webhooks", "add", "shop", URL).err


def test_webhook_is_changed_without_its_secret(run: CommandLine, stage: Stage) -> None:
    run("keys", "create", "--name", "laptop")
    secret = run("webhooks", "add", "shop", URL, "--key", "laptop").out.strip()
    elsewhere = "https://till.example.org/in?token=canary"
    changed = run("webhooks", "update", "shop", "--url", "-", "--event", "generation.failed", "--json", stdin=elsewhere)
    freed = run("webhooks", "update", "1", "--key", "")

    (webhook,) = stage.tables.told.webhooks.values()
    assert (changed.json["address"], changed.json["events"], changed.json["key_id"]) == (
        "https://till.example.org",
        ["generation.failed"],
        1,
    )
    assert (webhook.url.reveal(), webhook.key_id, webhook.signing.reveal()) == (elsewhere, None, secret)
    assert "Changed 'shop' (https://till.example.org)" in freed.out
    assert "canary" not in changed.out + changed.err + repr(stage.tables.audit)
    assert run("webhooks", "update", "shop").code == 2
    assert run("webhooks", "update", "shop", "--key", "nobody").code == 1


def test_new_secret_stands_alone_on_standard_output(run: CommandLine, stage: Stage) -> None:
    former = run("webhooks", "add", "shop", URL).out.strip()
    made = run("webhooks", "rotate-secret", "shop")
    told = run("webhooks", "rotate-secret", "shop", "--json").json

    (webhook,) = stage.tables.told.webhooks.values()
    assert made.out.strip().startswith("whsec_")
    assert len({former, made.out.strip(), told["secret"]}) == 3
    assert webhook.signing.reveal() == told["secret"]
