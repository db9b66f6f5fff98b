"""The page about what operators did: narrowed, taken away, never changed."""

import csv
import io
import json
import re
from typing import Any
from urllib.parse import quote

import pytest

from flow2api.domain.audit import Actor, AuditEntry
from flow2api.domain.usecases.change_account import AccountChange
from tests.integration.console.conftest import text_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOSTILE = "<img src=x onerror=alert(1)>"


async def noted(site: Any, action: str, **more: Any) -> None:
    """Something that somebody has done."""
    actor = Actor(name=more.pop("name", "grace"), door="command_line")
    entry = AuditEntry(at=site.services.clock.now(), actor=actor, action=action, **more)
    await site.services.storage.audit_log.note(entry)


async def test_change_shows_what_was_and_what_is(site: Any) -> None:
    await noted(site, "options.changed", details={"before": {"max_running": 7}, "after": {"max_running": 9001}})

    text = await site.viewer.read("/console/audit?action=options.&actor=grace")

    assert "Options changed" in text
    assert "before: 7 now: 9001" in text
    assert "on the command line" in text


async def test_what_others_have_written_is_shown_as_text(site: Any) -> None:
    details = {"before": {HOSTILE: HOSTILE}, "after": {HOSTILE: None}, "note": HOSTILE}
    await noted(site, "key.changed", name=HOSTILE, subject=HOSTILE, details=details)
    await noted(site, "plugin.thing_of_later_versions", details={"list": [1, {"a": HOSTILE}]})

    page = await site.viewer.see("/console/audit")

    assert HOSTILE not in page
    assert "&lt;img src=x" in page
    assert "plugin.thing_of_later_versions" in page


async def test_filter_narrows_and_tells_when_nothing_passes(site: Any) -> None:
    await noted(site, "account.removed", subject="77", name="heidi")

    found = await site.viewer.see("/console/audit?actor=heidi&subject=77&span=1h")

    assert found.count('id="entry-') == 1
    assert 'href="/console/accounts/77"' not in found
    assert "Nothing matches" in await site.viewer.read("/console/audit?actor=nobody-at-all")


async def test_things_are_called_by_their_names_now(site: Any) -> None:
    operating = site.services.operating
    account_id, actor = await site.account(), Actor(name="niaj", door="cli")
    await operating.accounts.change(account_id, AccountChange(name="studio <1>"), actor)
    key, _ = await operating.keys.create("of the shop", actor=actor)
    (owner,) = [one for one in await site.services.entrance.operators.all() if one.name == "owner"]
    await noted(site, "operator.role_changed", name="niaj", subject=str(owner.id))

    page = await site.viewer.see("/console/audit?actor=niaj")

    assert f'<a href="/console/accounts/{account_id}">studio &lt;1&gt;</a>' in page
    assert f'<a href="/console/keys/{key.id}">of the shop</a>' in page
    text = text_of(page)
    assert f"owner no. {owner.id}" in text
    assert f"studio <1> no. {account_id}" in text


async def test_things_are_found_by_their_names_and_addresses(site: Any) -> None:
    operating, actor = site.services.operating, Actor(name="olivia", door="cli")
    account_id = await site.account()
    await operating.accounts.change(account_id, AccountChange(name="Studio East"), actor)
    email = (await operating.accounts.get(account_id)).email
    key, _ = await operating.keys.create("For the shop", actor=actor)
    (owner,) = [one for one in await site.services.entrance.operators.all() if one.name == "owner"]
    await noted(site, "operator.role_changed", name="olivia", subject=str(owner.id))
    for kind in ("account", "key", "operator", "webhook"):
        await noted(site, f"{kind}.of_another", name="olivia", subject="990001")
    await noted(site, "proxy.checked", name="olivia", subject="studio east")

    async def found(subject: str) -> list[str]:
        page = text_of(await site.viewer.see(f"/console/audit?actor=olivia&subject={quote(subject)}"))
        return re.findall(r"no\. (\d+)", page)

    assert await found(" studio east ") == [str(account_id)]
    assert await found(email.upper()) == [str(account_id)]
    assert await found("for THE shop") == [str(key.id)]
    assert await found("Owner") == [str(owner.id)]
    assert await found("studio") == []
    exported = (await site.viewer.browser.get("/console/audit/export?form=jsonl&subject=for+the+shop")).text
    assert [json.loads(line)["subject"] for line in exported.splitlines()] == [str(key.id)]
    await operating.accounts.remove(account_id, actor)
    assert await found("Studio East") == [str(account_id)] * 2


async def test_deleted_ones_are_called_as_they_were(site: Any) -> None:
    operating, actor = site.services.operating, Actor(name="judy", door="cli")
    account_id = await site.account()
    await operating.accounts.change(account_id, AccountChange(name="gone by now"), actor)
    await operating.accounts.remove(account_id, actor)
    await noted(
        site, "account.changed", name="judy", subject="880001", details={"before": {"name": "old"}, "after": {}}
    )
    await noted(site, "account.removed", name="judy", subject="880002", details={"email": "two@example.org"})
    await noted(site, "account.tested", name="judy", subject="880002")
    await noted(site, "proxy.checked", name="judy", subject="880003", details={"proxies": ["frankfurt"]})

    page = await site.viewer.see("/console/audit?actor=judy")
    text = text_of(page)

    assert text.count(f"gone by now no. {account_id}") == 2
    assert text.count("two@example.org no. 880002") == 2
    assert "frankfurt no. 880003" in text
    assert "no. 880001" not in text
    assert "/console/accounts/" not in page.partition("<tbody>")[2].partition("</tbody>")[0]


async def test_names_of_a_page_are_asked_for_once(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    operators = site.services.entrance.operators

    async def counted() -> Any:
        asked.append("operators")
        return ()

    monkeypatch.setattr(operators, "all", counted)
    for number in range(5):
        await noted(site, "operator.role_changed", name="mallory", subject=str(number))
    await site.viewer.see("/console/audit?actor=mallory")

    assert asked == ["operators"]


@pytest.mark.parametrize("query", ["before=x", "before=0", "before=99999999999999999999", "actor=" + "x" * 300])
async def test_address_that_asks_for_what_cannot_be_is_told(site: Any, query: str) -> None:
    await site.viewer.see(f"/console/audit?{query}", 422)


async def test_entries_come_page_by_page(site: Any) -> None:
    for number in range(55):
        await noted(site, "proxy.checked", name="ivan", subject=f"p{number}")

    first = await site.viewer.see("/console/audit?actor=ivan")
    last = await site.viewer.see("/console/audit?actor=ivan&before=" + first.split("before=")[1].split('"')[0])

    assert (first.count('id="entry-'), last.count('id="entry-')) == (50, 5)


async def test_file_has_what_the_filter_lets_pass(site: Any) -> None:
    await noted(site, "webhook.removed", name="=judy", subject="hook")

    table = await site.viewer.browser.get("/console/audit/export?action=webhook.removed")
    lines = await site.viewer.browser.get("/console/audit/export?action=webhook.removed&form=jsonl")

    assert [row["actor"] for row in csv.DictReader(io.StringIO(table.text))] == ["'=judy"]
    assert [json.loads(line)["subject"] for line in lines.text.splitlines()] == ["hook"]
    assert table.headers["content-disposition"] == 'attachment; filename="audit.csv"'
    await site.stranger.see("/console/audit/export", 303)


async def test_page_has_nothing_that_changes_the_log(site: Any) -> None:
    page = (await site.owner.see("/console/audit")).split('id="main"')[1].split("</main>")[0]

    assert 'method="post"' not in page
    answer = await site.owner.browser.request("DELETE", "/console/audit", headers={"origin": "http://127.0.0.1"})
    assert answer.status_code == 405
