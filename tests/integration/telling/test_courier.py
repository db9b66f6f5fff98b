"""Signed messages over real connections: an independent implementation verifies them, and nobody is led inside."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, ip_address
from pathlib import Path

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from flow2api.adapters.fetch.addresses import is_public
from flow2api.adapters.fetch.resolver import resolve
from flow2api.adapters.webhooks import CurlCourier
from flow2api.adapters.webhooks.signature import new_secret
from flow2api.adapters.webhooks.target import Address
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.notices import NoticeKind
from flow2api.domain.secret import Secret
from flow2api.domain.webhook import Webhook
from tests.e2e.processes import free_port
from tests.hook_receiver import Receiver, receiving
from tests.integration.fetch.tls_server import Authority, body, serving

CONTENT = '{"type":"disk.full","data":{"name":"Ärger"}}'.encode()


def hook(url: str, signing: Secret | None = None) -> Webhook:
    return Webhook(
        id=1,
        name="shop",
        url=Secret(url),
        shown="",
        signing=new_secret() if signing is None else signing,
        kinds=frozenset(NoticeKind),
        created_at=datetime.now(UTC),
    )


def courier(*, private: bool = True, timeout_s: float = 30.0, ca_bundle: Path | None = None) -> CurlCourier:
    return CurlCourier(resolve, is_public, lambda: private, timeout_s=timeout_s, ca_bundle=ca_bundle)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


async def test_independent_implementation_verifies_the_signature(receiver: Receiver) -> None:
    webhook = hook(receiver.url("/a?b=c%20d"))
    receipt = await courier().carry(webhook, "msg_1", datetime.now(UTC), CONTENT)

    (got,) = receiver.received
    assert (receipt.answer, receipt.is_good) == (204, True)
    assert (got.path, got.body, got.headers["content-type"]) == ("/a?b=c%20d", CONTENT, "application/json")
    assert got.headers["webhook-id"] == "msg_1"
    assert Verifier(webhook.signing.reveal()).verify(got.body, dict(got.headers)) == {
        "type": "disk.full",
        "data": {"name": "Ärger"},
    }


@pytest.mark.parametrize("spoil", ["body", "webhook-id", "webhook-timestamp", "secret"])
async def test_what_was_changed_on_the_way_is_not_verified(receiver: Receiver, spoil: str) -> None:
    webhook = hook(receiver.url())
    await courier().carry(webhook, "msg_1", datetime.now(UTC), CONTENT)
    (got,) = receiver.received
    headers = dict(got.headers)
    if spoil in headers:
        headers[spoil] = "msg_2" if spoil == "webhook-id" else str(int(headers[spoil]) + 1)
    secret = (new_secret() if spoil == "secret" else webhook.signing).reveal()

    with pytest.raises(WebhookVerificationError):
        Verifier(secret).verify(got.body + b" " * (spoil == "body"), headers)


@pytest.mark.parametrize("status", [301, 400, 401, 404, 410, 429, 500, 503])
async def test_every_other_answer_is_no_success(receiver: Receiver, status: int) -> None:
    receiver.replies["/"] = [status]
    receipt = await courier().carry(hook(receiver.url()), "msg_1", datetime.now(UTC), CONTENT)

    assert (receipt.answer, receipt.error, receipt.is_gone) == (status, f"it answered {status}", status == 410)


async def test_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.replies["/"], receiver.extra["/"] = [307], {"Location": receiver.url("/elsewhere")}
    receipt = await courier().carry(hook(receiver.url()), "msg_1", datetime.now(UTC), CONTENT)

    assert receipt.answer == 307
    assert receiver.of("/elsewhere") == []


async def test_asked_pause_is_heard_in_seconds_and_as_a_date(receiver: Receiver) -> None:
    at = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    never = [
        "9" * 60,
        "Mon, 23 Nov 99999999999999999999 12:03:00 GMT",
        "Mon, 23 Nov 2026 12:03:00 +99999999999999999999",
    ]
    asked = ["120", "Mon, 23 Nov 2026 12:03:00 GMT", "soon", "", *never]
    heard = []
    for value in asked:
        receiver.replies["/"], receiver.extra["/"] = [503], {"Retry-After": value}
        heard.append((await courier().carry(hook(receiver.url()), "msg_1", at, CONTENT)).retry_after_s)

    assert heard == [120.0, 180.0, None, None, 1e9, None, None]


async def test_receiver_that_never_answers_is_given_up_in_time(receiver: Receiver) -> None:
    receiver.delay_s["/"] = 120.0
    async with asyncio.timeout(60):
        receipt = await courier(timeout_s=0.3).carry(hook(receiver.url()), "msg_1", datetime.now(UTC), CONTENT)

    assert (receipt.answer, receipt.error) == (None, "no answer came in time")


async def test_nobody_there_is_an_error_and_no_exception() -> None:
    gone = Receiver(free_port())
    receipt = await courier().carry(hook(gone.url()), "msg_1", datetime.now(UTC), CONTENT)

    assert (receipt.answer, receipt.error) == (None, "nobody takes connections there")


async def test_answer_without_end_is_cut_off_and_its_status_counts() -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            for _ in range(1000):
                writer.write(b"x" * 65536)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(flood, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    receipt = await courier().carry(hook(f"http://127.0.0.1:{port}/"), "msg_1", datetime.now(UTC), CONTENT)
    server.close()
    await server.wait_closed()

    assert receipt.answer == 200


class TestGuard:
    @pytest.mark.parametrize(
        "url",
        [
            "http://127.0.0.1:{port}/",
            "https://127.0.0.1:{port}/",
            "https://localhost:{port}/",
            "https://[::1]:{port}/",
            "https://169.254.169.254/latest/meta-data/",
            "https://10.0.0.1/",
            "http://hooks.example.org/",
        ],
    )
    async def test_inner_addresses_are_refused_when_they_are_added_and_when_they_are_used(
        self, receiver: Receiver, url: str
    ) -> None:
        url = url.format(port=receiver.port)
        guarded = courier(private=False)
        with pytest.raises(UnsupportedInputError):
            guarded.check(Secret(url))
        receipt = await guarded.carry(hook(url), "msg_1", datetime.now(UTC), CONTENT)

        assert receipt.answer is None
        assert not receipt.is_good
        assert receiver.received == []

    @pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00::1"])
    async def test_name_that_leads_inside_is_refused_at_every_try(self, receiver: Receiver, address: str) -> None:
        async def inside(host: str) -> Sequence[Address]:
            return [ip_address("93.184.216.34"), ip_address(address)]

        guarded = CurlCourier(inside, is_public, lambda: False)
        url = f"https://hooks.example.org:{receiver.port}/"
        assert guarded.check(Secret(url)) == f"https://hooks.example.org:{receiver.port}"
        receipt = await guarded.carry(hook(url), "msg_1", datetime.now(UTC), CONTENT)

        assert "not on the public internet" in receipt.error
        assert receiver.received == []

    @pytest.mark.parametrize(
        "url",
        ["", "shop.example", "ftp://shop.example/", "https://user:pass@shop.example/", "https://shop.example\\@inside/",
         "https://shop.example/\r\nX: y", "https://shop.example:0/", "https://shop.example:99999/", "https://a b/",
         "https://127.1/", "https://0x7f000001/", "https://2130706433/"],
    )  # fmt: skip
    def test_what_is_no_address_is_refused_even_where_private_ones_are_allowed(self, url: str) -> None:
        with pytest.raises(UnsupportedInputError):
            courier().check(Secret(url))

    async def test_environment_cannot_turn_a_proxy_on(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        assert (await courier().carry(hook(receiver.url()), "msg_1", datetime.now(UTC), CONTENT)).is_good


class TestTls:
    @asynccontextmanager
    async def _server(self, folder: Path) -> AsyncIterator[tuple[int, Path]]:
        authority = Authority.made_in(folder)
        async with serving(authority.context_for("hooks.example.org")) as server:
            server.replies["/"] = body(b"")
            yield server.port, authority.bundle

    @staticmethod
    def _courier(bundle: Path | None) -> CurlCourier:
        async def here(host: str) -> Sequence[Address]:
            return [IPv4Address("127.0.0.1")]

        return CurlCourier(here, lambda address: True, lambda: False, ca_bundle=bundle)

    async def test_certificate_is_verified_for_the_name(self, tmp_path: Path) -> None:
        async with self._server(tmp_path) as (port, bundle):
            good, other = f"https://hooks.example.org:{port}/", f"https://other.example.org:{port}/"
            now = datetime.now(UTC)
            receipts = [
                await self._courier(bundle).carry(hook(good), "msg_1", now, CONTENT),
                await self._courier(None).carry(hook(good), "msg_1", now, CONTENT),
                await self._courier(bundle).carry(hook(other), "msg_1", now, CONTENT),
            ]

        assert [receipt.answer for receipt in receipts] == [200, None, None]
        assert {receipt.error for receipt in receipts[1:]} == {"its certificate cannot be trusted"}


class TestSecrets:
    def test_made_ones_are_of_chance_and_pass(self) -> None:
        made = {new_secret().reveal() for _ in range(20)}
        assert len(made) == 20
        for text in made:
            courier().check_secret(Secret(text))

    @pytest.mark.parametrize(
        "text", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!!", "c2VjcmV0" * 8, "whsec_" + "A" * 200]
    )
    async def test_empty_and_short_ones_are_refused_and_sign_nothing(self, receiver: Receiver, text: str) -> None:
        with pytest.raises(UnsupportedInputError, match="whsec_"):
            courier().check_secret(Secret(text))
        receipt = await courier().carry(hook(receiver.url(), Secret(text)), "msg_1", datetime.now(UTC), CONTENT)
        assert not receipt.is_good
        assert receiver.received == []

    async def test_signature_covers_the_moment_of_the_try(self, receiver: Receiver) -> None:
        webhook = hook(receiver.url())
        now = datetime.now(UTC)
        for at in (now, now + timedelta(seconds=7)):
            await courier().carry(replace(webhook), "msg_1", at, CONTENT)

        first, second = receiver.received
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
