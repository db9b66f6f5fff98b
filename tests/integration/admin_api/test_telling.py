"""Webhooks and notify targets over HTTP: signed anew, changed, tried, and never shown with their secrets."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from tests.hook_receiver import Receiver, receiving
from tests.integration.admin_api.conftest import Json, Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

CANARY = "path-canary"


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def none_left(site: Site) -> AsyncIterator[None]:
    await site.ok("PATCH", "/options", {"private_webhooks": True})
    yield
    for resource in ("webhooks", "notify-targets"):
        for one in (await site.ok("GET", f"/{resource}"))["items"]:
            await site.ok("DELETE", f"/{resource}/{one['id']}", None, 204)
    await site.ok("DELETE", "/options/private_webhooks", None, 204)


async def added(site: Site, receiver: Receiver, **more: object) -> Json:
    body = {"name": "shop", "url": receiver.url(f"/{CANARY}"), **more}
    return await site.ok("POST", "/webhooks", body, 201)


def genuine(secret: str, receiver: Receiver) -> bool:
    """Whether the last message was signed with this secret."""
    last = receiver.received[-1]
    try:
        Verifier(secret).verify(last.body, dict(last.headers))
    except WebhookVerificationError:
        return False
    return True


class TestWebhooks:
    async def test_signing_secret_is_shown_once_and_signs(self, site: Site, receiver: Receiver) -> None:
        webhook = await added(site, receiver)
        path = f"/webhooks/{webhook['id']}"
        secret = webhook.pop("signing_secret")
        tested = await site.ok("POST", f"{path}/test")

        assert tested == {"ok": True, "status": 204, "error": ""}
        assert genuine(secret, receiver)
        assert await site.ok("GET", path) == webhook
        everything = [webhook, *[await site.ok("GET", one) for one in ("/webhooks", "/audit-entries")]]
        assert secret not in str(everything)
        assert CANARY not in str(everything)

    async def test_new_secret_takes_the_place_of_the_former_one(self, site: Site, receiver: Receiver) -> None:
        webhook = await added(site, receiver)
        rotated = await site.ok("POST", f"/webhooks/{webhook['id']}/rotate-secret")
        entry = await site.audited()
        await site.ok("POST", f"/webhooks/{webhook['id']}/test")

        assert genuine(rotated["signing_secret"], receiver)
        assert not genuine(webhook["signing_secret"], receiver)
        assert (entry["action"], entry["details"]["after"]) == ("webhook.changed", {"signing": "new"})
        assert rotated["signing_secret"] not in str(entry)

    async def test_address_events_and_key_are_changed(self, site: Site, receiver: Receiver) -> None:
        key = await site.ok("POST", "/keys", {}, 201)
        webhook = await added(site, receiver)
        path = f"/webhooks/{webhook['id']}"
        change = {"url": receiver.url("/elsewhere"), "events": ["generation.failed"], "key_id": key["id"]}
        changed = await site.ok("PATCH", path, change)
        entry = await site.audited()
        await site.ok("POST", f"{path}/test")

        assert (changed["events"], changed["key_id"]) == (["generation.failed"], key["id"])
        assert receiver.received[-1].path == "/elsewhere"
        assert genuine(webhook["signing_secret"], receiver)
        assert (entry["subject"], entry["details"]["after"]["url"]) == (str(webhook["id"]), "new")
        assert "elsewhere" not in str(entry)
        freed = await site.ok("PATCH", path, {"key_id": None})
        assert (freed["key_id"], freed["events"]) == (None, ["generation.failed"])

    async def test_it_is_switched_off_and_on(self, site: Site, receiver: Receiver) -> None:
        webhook = await added(site, receiver)
        off = await site.ok("PATCH", f"/webhooks/{webhook['id']}", {"is_enabled": False})
        on = await site.ok("PATCH", f"/webhooks/{webhook['id']}", {"is_enabled": True})

        assert (off["is_enabled"], off["disabled_why"], on["is_enabled"]) == (False, "by owner", True)

    async def test_server_tells_it_at_once(self, site: Site, receiver: Receiver) -> None:
        webhook = await added(site, receiver, events=["generation.completed"])
        key = (await site.ok("POST", "/keys", {}, 201))["key"]
        await site.account()
        before = len(receiver.received)
        body = {"model": "gpt-image-1", "prompt": "a hill"}
        made = await site.client.post("/v1/images/generations", json=body, headers={"authorization": f"Bearer {key}"})

        assert made.status_code == 200, made.text
        async with asyncio.timeout(30):
            while not (sent := (await site.ok("GET", "/deliveries", webhook_id=webhook["id"]))["items"]):
                await asyncio.sleep(0.01)  # it is stored behind the answer
            while (await site.ok("GET", "/deliveries"))["items"][0]["state"] == "pending":
                await asyncio.sleep(0.01)
        (message,) = receiver.received[before:]
        assert message.headers["webhook-id"] == sent[0]["message_id"]
        assert sent[0]["event"] == "generation.completed"

    @pytest.mark.parametrize(
        "body",
        [
            {"name": "", "url": "https://shop.example"},
            {"name": "7", "url": "https://shop.example"},
            {"name": "x", "url": f"ftp://shop.example/{CANARY}"},
            {"name": "x", "url": "https://shop.example", "events": ["generation.faled"]},
            {"name": "x", "url": "https://shop.example", "key_id": 999},
            {"name": "x", "url": "https://shop.example", "signing_secret": "weak-canary"},
            {"name": "x", "url": "https://shop.example", "shown": "x"},
            {"name": "x"},
        ],
    )
    async def test_what_cannot_be_is_refused(self, site: Site, body: object) -> None:
        told = await site.refused("POST", "/webhooks", 400, body)

        assert "canary" not in str(told)
        assert (await site.ok("GET", "/webhooks"))["items"] == []

    @pytest.mark.parametrize(
        "body", [{}, {"events": ["x"]}, {"url": "x"}, {"key_id": 999}, {"url": None}, {"name": "y"}]
    )
    async def test_change_that_cannot_be_changes_nothing(self, site: Site, receiver: Receiver, body: object) -> None:
        webhook = await added(site, receiver)
        del webhook["signing_secret"]
        await site.refused("PATCH", f"/webhooks/{webhook['id']}", 400, body)

        assert await site.ok("GET", f"/webhooks/{webhook['id']}") == webhook

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("GET", "", None),
            ("PATCH", "", {"is_enabled": True}),
            ("DELETE", "", None),
            ("POST", "/test", None),
            ("POST", "/rotate-secret", None),
        ],
    )
    async def test_webhook_that_is_not_there_is_not_found(
        self, site: Site, method: str, path: str, body: object
    ) -> None:
        assert (await site.refused(method, f"/webhooks/999{path}", 404, body))["code"] == "not_found"

    async def test_deliveries_of_a_webhook_that_is_not_there_are_not_found(self, site: Site) -> None:
        assert (await site.refused("GET", "/deliveries", 404, webhook_id=999))["code"] == "not_found"


class TestNotifyTargets:
    async def test_place_is_written_to_and_its_address_never_shown(self, site: Site, receiver: Receiver) -> None:
        url = f"json://127.0.0.1:{receiver.port}/{CANARY}"
        target = await site.ok("POST", "/notify-targets", {"name": "phone", "url": url}, 201)
        path = f"/notify-targets/{target['id']}"
        one, every = await site.ok("POST", f"{path}/test"), await site.ok("POST", "/notify-targets/test")

        assert one == every
        assert one["results"] == [{"id": target["id"], "name": "phone", "ok": True, "error": None}]
        assert len(receiver.of(f"/{CANARY}")) >= 2
        shown = [await site.ok("GET", each) for each in (path, "/notify-targets", "/audit-entries")]
        assert CANARY not in str(shown)
        assert shown[0]["sent_at"] is not None

    async def test_address_that_names_no_place_is_refused_without_it(self, site: Site) -> None:
        told = await site.refused("POST", "/notify-targets", 400, {"name": "x", "url": f"nowhere://{CANARY}"})

        assert CANARY not in str(told)

    @pytest.mark.parametrize(("method", "path"), [("GET", ""), ("DELETE", ""), ("POST", "/test")])
    async def test_target_that_is_not_there_is_not_found(self, site: Site, method: str, path: str) -> None:
        assert (await site.refused(method, f"/notify-targets/999{path}", 404))["code"] == "not_found"
