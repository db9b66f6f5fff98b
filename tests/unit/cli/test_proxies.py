import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from flow2api.domain.audit import AuditAction
from flow2api.domain.proxy import ProxyHealth, ProxyState
from flow2api.testing.samples import NOW, account_of, credentials_of
from tests.command_line import CommandLine
from tests.proxy_servers import HttpProxy, SocksProxy
from tests.unit.cli.conftest import Stage

LIST = """
# bought in May
http://user:canary@one.example:1

socks5h://user:canary@two.example:1080
socks://user:canary@three.example:1
"""


def add_accounts(stage: Stage, count: int) -> None:
    for number in range(1, count + 1):
        account = account_of(f"a{number}")
        asyncio.run(stage.storage.accounts.add([(account, credentials_of(f"a{number}"))]))


def test_file_is_taken_in_line_by_line_and_bad_lines_are_told_without_their_secrets(
    run: CommandLine, stage: Stage
) -> None:
    ran = run("proxies", "add", "--file", "-", "--pool", "eu", stdin=LIST)

    assert ran.code == 1
    assert ran.out.splitlines() == [
        "Added 'one.example' (http://one.example:1, in the pool 'eu').",
        "Added 'two.example' (socks5h://two.example:1080, in the pool 'eu').",
    ]
    assert "\nline 6: A proxy is reached by http, https, socks5 or socks5h" in ran.err
    assert "canary" not in ran.out + ran.err
    urls = [one.url.reveal() for one in stage.tables.proxies.values()]
    assert urls == ["http://user:canary@one.example:1", "socks5h://user:canary@two.example:1080"]


def test_json_of_what_was_added_and_refused(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "list").write_text(LIST)

    told = run("proxies", "add", "--file", tmp_path / "list", "--json").json

    assert [one["name"] for one in told["added"]] == ["one.example", "two.example"]
    assert [one["line"] for one in told["refused"]] == [6]


def test_credentials_on_the_command_line_are_refused(run: CommandLine, stage: Stage) -> None:
    ran = run("proxies", "add", "http://user:canary@one.example:1")

    assert ran.code == 1
    assert "--file" in ran.err
    assert "canary" not in ran.err
    assert stage.tables.proxies == {}
    assert run("proxies", "add", "http://one.example:1", "--name", "one").code == 0


@pytest.mark.parametrize("arguments", [(), ("http://p:1", "--file", "-")])
def test_one_source_is_needed(run: CommandLine, arguments: tuple[str, ...]) -> None:
    assert "either one URL, or --file" in run("proxies", "add", *arguments).err


def test_one_name_does_not_stand_for_several(run: CommandLine, stage: Stage) -> None:
    assert run("proxies", "add", "--file", "-", "--name", "x", stdin=LIST).code == 1
    assert stage.tables.proxies == {}


def test_list_shows_how_they_stand_and_no_credentials(run: CommandLine, stage: Stage) -> None:
    run("proxies", "add", "--file", "-", "--pool", "eu", stdin=LIST)
    health = ProxyHealth(state=ProxyState.DOWN, checked_at=NOW, failures=2, fault="The proxy cannot be reached.")
    asyncio.run(stage.storage.proxies.note_health({1: health}))
    run("proxies", "disable", "two.example")

    shown = run("proxies", "list")
    told = run("proxies", "list", "--json").json["proxies"]

    assert "canary" not in shown.out + repr(told)
    rows = [line.split() for line in shown.out.splitlines()[1:]]
    assert [row[:4] for row in rows] == [
        ["one.example", "eu", "http://one.example:1", "down"],
        ["two.example", "eu", "socks5h://two.example:1080", "disabled"],
    ]
    assert (told[0]["state"], told[0]["failures"], told[0]["fault"]) == ("down", 2, "The proxy cannot be reached.")
    assert told[1]["is_enabled"] is False


def test_empty_list_says_what_to_do(run: CommandLine) -> None:
    ran = run("proxies", "list")

    assert (ran.code, ran.out) == (0, "")
    assert "flow2api proxies add" in ran.err


def test_accounts_are_assigned_by_id_tag_or_all_and_it_is_audited(run: CommandLine, stage: Stage) -> None:
    add_accounts(stage, 3)
    run("proxies", "add", "http://p:1", "--name", "one", "--pool", "eu")

    assert run("proxies", "assign", "eu", "1", "a2").out == "2 accounts now use 'eu'.\n"
    assert run("proxies", "assign", "direct", "--all", "--json").json == {"proxy": "direct", "changed": [1, 2, 3]}
    assert run("proxies", "assign", "global", "1").out == "1 account now uses what the option `proxy` says.\n"
    assert run("proxies", "assign", "eu", "--tag", "nobody").out == "0 accounts now use 'eu'.\n"

    assert [account.proxy for account in stage.tables.accounts.values()] == [None, "direct", "direct"]
    entries = [entry for entry in stage.tables.audit if entry.action == AuditAction.PROXY_ASSIGNED]
    assert [(entry.subject, entry.actor.door) for entry in entries][:2] == [
        ("1", "command_line"),
        ("2", "command_line"),
    ]
    assert "Which accounts?" in run("proxies", "assign", "eu").err
    assert "no proxy and no pool 'eux'. Did you mean 'eu'?" in run("proxies", "assign", "eux", "1").err


def test_needed_proxy_is_removed_by_force_only(run: CommandLine, stage: Stage) -> None:
    add_accounts(stage, 1)
    run("proxies", "add", "http://p:1", "--name", "one")
    run("proxies", "assign", "one", "1")

    assert "only way for 1 account (1)" in run("proxies", "remove", "one", "--yes").err
    assert "Say --yes" in run("proxies", "remove", "one").err
    assert run("proxies", "remove", "one", "--yes", "--force").out == "Removed 'one' (http://p:1).\n"
    assert stage.tables.proxies == {}


def test_switching_names_one_proxy(run: CommandLine, stage: Stage) -> None:
    run("proxies", "add", "http://p:1", "--name", "one", "--pool", "eu")

    assert run("proxies", "disable", "one", "--json").json["is_enabled"] is False
    assert run("proxies", "enable", "one").out == "Enabled 'one' (http://p:1).\n"
    assert "'eu' is a pool" in run("proxies", "disable", "eu").err


class Servers:
    """Two proxies and a target that tells callers their address, in a thread of their own."""

    def __enter__(self) -> "Servers":
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.http = HttpProxy()
        self.socks = SocksProxy(credentials=("user", "right"))
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(self, *error: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _start(self) -> None:
        await self.http.start()
        await self.socks.start()
        self._target = await asyncio.start_server(self._tell, "127.0.0.1", 0)
        self.target = f"http://127.0.0.1:{self._target.sockets[0].getsockname()[1]}/"

    async def _stop(self) -> None:
        await self.http.kill()
        await self.socks.kill()
        self._target.close()

    async def _tell(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = b'{"ip": "192.0.2.77"}'
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()


def test_test_says_status_latency_egress_and_what_went_wrong(run: CommandLine, stage: Stage) -> None:
    with Servers() as servers:
        lines = [servers.http.url(), servers.socks.url(), servers.socks.url("user", "canary"), "http://127.0.0.1:1"]
        for name, line in zip(("plain", "socks", "wrong", "closed"), lines, strict=True):
            assert run("proxies", "add", "--file", "-", "--name", name, "--pool", "all", stdin=line).code == 0

        ran = run("proxies", "test", "all", "--url", servers.target, "--json")
        good = run("proxies", "test", "plain", "socks", "--url", servers.target)

    found: dict[str, dict[str, Any]] = {check["name"]: check for check in ran.json["checks"]}
    assert (ran.code, ran.json["ok"]) == (1, False)
    for name in ("plain", "socks"):
        assert (found[name]["ok"], found[name]["status"], found[name]["egress"]) == (True, 200, "192.0.2.77")
        assert found[name]["latency_ms"] >= 1
    assert found["wrong"]["fault"] == "The proxy does not accept the credentials that it is given."
    assert found["closed"]["fault"] == "The proxy cannot be reached: nobody listens there."
    assert "canary" not in ran.out + ran.err
    assert good.code == 0
    states = {one.name: one.health.state.value for one in stage.tables.proxies.values()}
    assert states == {"plain": "healthy", "socks": "healthy", "wrong": "down", "closed": "down"}


def test_doctor_tells_of_proxies_that_somebody_needs_and_nobody_has(run: CommandLine, stage: Stage) -> None:
    def finding(**settings: str) -> tuple[str, str]:
        checks = run("doctor", "--json", **settings).json["checks"]
        (found,) = [check for check in checks if check["name"] == "proxies"]
        return found["state"], found["sentence"]

    assert finding() == ("ok", "There are no proxies; calls go direct.")
    state, sentence = finding(FLOW2API_OPTIONS__PROXY="eu")
    assert (state, "'eu', which the option proxy should use" in sentence) == ("fail", True)
    add_accounts(stage, 1)
    for number in (1, 2):
        run("proxies", "add", f"http://p:{number}", "--name", f"p{number}", "--pool", "eu")
    run("proxies", "assign", "eu", "1")
    assert finding(FLOW2API_OPTIONS__PROXY="eu")[0] == "ok"
    asyncio.run(stage.storage.proxies.note_health({1: ProxyHealth(state=ProxyState.DOWN)}))
    assert finding() == ("warn", "1 of 2 proxies is down: p1.")
    run("proxies", "disable", "p2")
    assert finding() == ("fail", "No proxy of 'eu' works, which 1 account should use.")


def test_proxy_moves_by_a_file_and_its_credentials_are_told_by_nobody(run: CommandLine, stage: Stage) -> None:
    run("proxies", "add", "--file", "-", "--name", "one", stdin="http://user:canary@one.example:1")

    ran = run(
        "proxies", "update", "one", "--url-file", "-", "--pool", "eu", stdin="http://user:canary2@two.example:2\n"
    )

    assert ran.code == 0, ran.err
    assert ran.out == "Changed 'one' (http://two.example:2).\n"
    (proxy,) = stage.tables.proxies.values()
    assert (proxy.url.reveal(), proxy.pool) == ("http://user:canary2@two.example:2", "eu")
    assert "canary" not in repr(stage.tables.audit)
    wrong = run("proxies", "update", "one", "--url-file", "-", stdin="sock5://user:canary@two.example:2")
    assert (wrong.code, "Did you mean socks5?" in wrong.err, "canary" in wrong.err) == (1, True, False)
    assert run("proxies", "update", "one").code == 2
