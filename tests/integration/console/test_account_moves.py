"""Accounts that come in one by one, many at once and by the extension, and that go out as a file."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from flow2api.adapters.console.account_moves.views import ROWS
from flow2api.domain.audit import Actor, AuditFilter
from tests.integration.console.conftest import PASSPHRASE, text_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

ADD, IMPORT, EXPORT = "/console/accounts/add", "/console/accounts/import", "/console/accounts/export"
EXTENSION = "/console/accounts/extension"


@pytest_asyncio.fixture(autouse=True, scope="module", loop_scope="session")
async def as_before(site: Any) -> AsyncIterator[None]:
    """Other pages of the same program find the pool as it was."""
    before = {account.id async for batch in site.services.storage.accounts.load() for account in batch}
    yield
    after = {account.id async for batch in site.services.storage.accounts.load() for account in batch}
    for account_id in after - before:
        await site.services.operating.accounts.remove(account_id, Actor(name="tests", door="cli"))


def token(name: object) -> str:
    return f"eyJ{name}-".ljust(300, "x")


def csv_of(*lines: str) -> dict[str, Any]:
    return {"file": ("accounts.csv", "\n".join(["session_token,email,tags", *lines]).encode(), "text/csv")}


async def given(person: Any, files: Any = None, **fields: Any) -> str:
    """The address of the preview of what was given."""
    answer = await person.send(IMPORT, 303, {"form": "auto", "proxy": "", **fields}, files)
    return str(answer.headers["location"])


# --- one account ------------------------------------------------------------------------------------------------------


async def test_account_is_tried_and_then_in_the_pool(site: Any) -> None:
    made = await site.simulator.control.add_account(credits=1234)

    answer = await site.operator.submit(
        ADD, upstream="flow", session_token=made.session_token, name="studio <1>", tags="eu, video", image_slots="2"
    )

    (stored,) = await site.services.storage.accounts.with_emails([made.email])
    account_id = stored.id
    assert answer.headers["location"] in (f"/console/accounts/{account_id}", "/console/keys")
    account = await site.services.operating.accounts.get(account_id)
    assert (account.name, account.tags, account.capacity.image, account.capacity.video) == (
        "studio <1>", frozenset({"eu", "video"}), 2, None,
    )  # fmt: skip
    assert account.email == made.email


async def test_refused_session_token_is_told_beside_its_field_and_not_stored(site: Any) -> None:
    before = len(site.services.pool)

    answer = await site.operator.submit(
        ADD, 422, upstream="flow", session_token=token("nobody"), name="<b>bold</b>", image_slots="3"
    )

    assert 'id="session_token-bad"' in answer.text
    assert token("nobody") not in answer.text
    assert "&lt;b&gt;bold&lt;/b&gt;" in answer.text
    assert 'value="3"' in answer.text
    assert len(site.services.pool) == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("session_token", ""),
        ("session_token", "too short"),
        ("tags", "a/b"),
        ("image_slots", "many"),
        ("video_slots", "-1"),
        ("name", "x" * 200),
    ],
)
async def test_wrong_field_is_told_beside_it(site: Any, field: str, value: str) -> None:
    fields = {"upstream": "flow", "session_token": token("some"), field: value}

    answer = await site.operator.send(ADD, 422, fields)

    assert f'id="{field}-bad"' in answer.text


async def test_account_that_is_here_already_is_told(site: Any) -> None:
    made = await site.simulator.control.add_account()
    await site.operator.submit(ADD, upstream="flow", session_token=made.session_token)

    answer = await site.operator.submit(ADD, 409, upstream="flow", session_token=made.session_token)

    assert "already" in text_of(answer.text)
    assert 'id="session_token-bad"' in answer.text


async def test_form_asks_for_what_the_upstream_wants(site: Any) -> None:
    flow = await site.operator.see(ADD)

    assert 'name="session_token"' in flow
    assert 'name="api_key"' not in flow
    for upstream, kind in site.services.kinds.by_upstream.items():
        page = await site.operator.see(f"{ADD}?upstream={upstream}")
        assert f'name="{kind.field}"' in page
        assert ('name="base_url"' in page) == kind.has_base_url


async def test_upstream_that_there_is_not_is_refused(site: Any) -> None:
    answer = await site.operator.submit(ADD, 422, upstream="other", session_token=token(1))

    assert 'role="alert"' in answer.text


# --- many at once -----------------------------------------------------------------------------------------------------


async def test_import_is_shown_then_stored_then_told(site: Any) -> None:
    known = await site.simulator.control.add_account()
    await site.operator.submit(ADD, upstream="flow", session_token=known.session_token)
    lines = [
        f"{token('m1')},m1@example.org,eu",
        "short,m2@example.org,",
        f"{known.session_token},{known.email},late",
        f"{token('m1')},m1@example.org,",
    ]

    page = await given(site.operator, csv_of(*lines))
    before = len(site.services.pool)
    shown = await site.operator.read(page)

    assert "1 New" in shown
    assert "1 Update" in shown
    assert "1 Unchanged" in shown
    assert "1 Invalid" in shown
    assert "Import 2 accounts" in shown
    assert "Will change: what it signs in with, tags" in shown
    assert token("m1") not in await site.operator.see(page)
    assert len(site.services.pool) == before

    await site.operator.submit(f"{IMPORT}/{page.split('=')[1]}/start")
    done = await _at_rest(site.operator, page)

    assert "2 accounts were added or changed" in done
    assert len(site.services.pool) == before + 1


async def test_line_numbers_and_reasons_of_bad_lines_are_in_the_report(site: Any) -> None:
    page = await given(site.operator, csv_of("", "=cmd(),r@example.org,", f"{token('r1')},r1@example.org,a/b"))

    answer = await site.operator.browser.get(f"{IMPORT}/{page.split('=')[1]}/report?show=invalid")

    lines = answer.text.splitlines()
    assert lines[0] == "line,result,account,changed,problem"
    assert [line.split(",")[:2] for line in lines[1:]] == [["3", "invalid"], ["4", "invalid"]]
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "session token" in lines[1]
    assert "tag" in lines[2]


@pytest.mark.parametrize(
    ("text", "unit", "row"),
    [
        (f"# mine\n{token('l1')} l1@example.org\nnot a line at all\n", "line", 3),
        (json.dumps({"tokens": [{"session_token": token("j1")}, {"session_token": 5}]}), "row", 2),
    ],
)
async def test_pasted_text_is_read_in_every_form(site: Any, text: str, unit: str, row: int) -> None:
    page = await given(site.operator, text=text)

    shown = await site.operator.read(f"{page}&show=invalid")

    assert "Import 1 account" in shown
    assert f"{unit} {row}" in shown


async def test_many_rows_are_shown_page_by_page_both_ways(site: Any) -> None:
    page = await given(site.operator, csv_of(*(f"{token(f'p{one}')},p{one}@example.org," for one in range(120))))

    first = await site.operator.see(page)
    second_path = re.findall(r'href="([^"]+)"\s+rel="next"', first)[0].replace("&amp;", "&")
    second = await site.operator.see(second_path)
    back_path = next(link for link in re.findall(r'class="btn sm" href="([^"]+)"', second) if "before" in link)
    back = await site.operator.see(back_path.replace("&amp;", "&"))

    def rows(html: str) -> list[str]:
        return re.findall(r"p\d+@example\.org", html)

    assert (len(rows(first)), rows(second)[0], rows(back)) == (ROWS, "p50@example.org", rows(first))


async def test_thousand_accounts_are_there_in_seconds_and_the_page_follows_without_script(site: Any) -> None:
    lines = [f"{token(f'k{one}')} k{one}@example.org" for one in range(1000)]
    before = len(site.services.pool)
    page = await given(site.operator, text="\n".join(lines))
    await _at_rest(site.operator, page)

    began = time.process_time()
    await site.operator.submit(f"{IMPORT}/{page.split('=')[1]}/start")
    done = await _at_rest(site.operator, page)

    assert time.process_time() - began < 20, "of this process, whatever else the machine does"
    assert "1000 accounts were added" in done or "1,000 accounts were added" in done
    assert len(site.services.pool) == before + 1000


async def test_import_cannot_be_started_twice_nor_discarded_once_done(site: Any) -> None:
    page = await given(site.operator, text=f"{token('twice')}\n")
    path = f"{IMPORT}/{page.split('=')[1]}"
    await site.operator.submit(f"{path}/start")
    await _at_rest(site.operator, page)

    answer = await site.operator.submit(f"{path}/start", 409)

    assert "cannot be started" in text_of(answer.text)


async def test_discarded_import_is_gone_and_nothing_was_stored(site: Any) -> None:
    before = len(site.services.pool)
    page = await given(site.operator, text=f"{token('gone')}\n")

    await site.operator.submit(f"{IMPORT}/{page.split('=')[1]}/discard")

    assert "not here any more" in await site.operator.read(page, 404)
    assert len(site.services.pool) == before


async def test_import_is_nobody_else_s(site: Any) -> None:
    page = await given(site.operator, text=f"{token('mine')}\n")

    await site.owner.see(page, 404)
    await site.owner.submit(f"{IMPORT}/{page.split('=')[1]}/start", 404)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": "{broken"}, "text"),
        ({"text": token("p"), "proxy": "nowhere"}, "proxy"),
        ({"text": token("p"), "form": "xml"}, "form"),
        ({"text": "a,b\n1,2", "form": "csv"}, "text"),
    ],
)
async def test_what_cannot_be_read_is_told_beside_its_field(site: Any, fields: dict[str, str], field: str) -> None:
    answer = await site.operator.send(IMPORT, 422, {"form": "auto", "proxy": "", **fields})

    assert f'id="{field}-bad"' in answer.text


async def test_hostile_text_in_rows_is_shown_as_text(site: Any) -> None:
    row = {"session_token": token("evil"), "name": "<script>alert(1)</script>", "email": "e@example.org"}

    page = await site.operator.see(await given(site.operator, text=json.dumps([row])))

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


async def test_proxy_for_all_of_them_is_stored(site: Any) -> None:
    page = await given(site.operator, text=f"{token('direct')} direct@example.org\n", proxy="direct")

    await site.operator.submit(f"{IMPORT}/{page.split('=')[1]}/start")
    await _at_rest(site.operator, page)

    (account,) = await site.services.storage.accounts.with_emails(["direct@example.org"])
    assert account.proxy == "direct"


async def test_body_has_a_limit_of_its_own(site: Any) -> None:
    body = "# " + "x" * (2 * 1024 * 1024)

    page = await given(site.operator, {"file": ("large.txt", f"{body}\n{token('large')}\n".encode(), "text/plain")})

    assert "Import 1 account" in await _at_rest(site.operator, page)


# --- out --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json", "csv"])
async def test_plain_export_brings_the_same_accounts_again(site: Any, form: str) -> None:
    await site.account()
    answer = await site.owner.submit(EXPORT, 200, form=form, sealing="plain", passphrase=PASSPHRASE.reveal())

    assert answer.headers["content-disposition"].endswith(f'.{form}"')
    assert answer.headers["cache-control"] == "no-store"
    page = await given(site.owner, {"file": ("again", answer.content, "text/plain")})
    shown = await _at_rest(site.owner, page)
    assert "0 New" in shown
    assert "0 Update" in shown
    assert "0 Invalid" in shown


async def test_sealed_export_opens_under_its_passphrase_alone(site: Any) -> None:
    await site.account()
    key = "correct horse battery"
    answer = await site.owner.submit(
        EXPORT, 200, form="json", sealing="sealed", key=key, again=key, passphrase=PASSPHRASE.reveal()
    )
    files = {"file": ("accounts.sealed", answer.content, "application/json")}

    assert b"session_token" not in answer.content
    without = await site.owner.send(IMPORT, 422, {"form": "auto", "proxy": ""}, files)
    wrong = await site.owner.send(IMPORT, 422, {"form": "auto", "proxy": "", "key": "something else"}, files)
    page = await given(site.owner, files, key=key)

    assert 'id="key-bad"' in without.text
    assert "damaged" in wrong.text
    assert "0 Invalid" in await _at_rest(site.owner, page)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"passphrase": "not the one"}, "passphrase"),
        ({"passphrase": ""}, "passphrase"),
        ({"sealing": "sealed", "key": "short", "again": "short"}, "key"),
        ({"sealing": "sealed", "key": "long enough to be", "again": "another that is"}, "again"),
        ({"form": "xml"}, "form"),
    ],
)
async def test_export_is_refused_with_the_reason_beside_the_field(site: Any, fields: Any, field: str) -> None:
    sent = {"form": "json", "sealing": "plain", "passphrase": PASSPHRASE.reveal(), **fields}

    answer = await site.owner.send(EXPORT, 422, sent)

    assert f'id="{field}-bad"' in answer.text
    assert "session_token" not in answer.text


async def test_export_is_put_down_before_it_leaves(site: Any) -> None:
    await site.owner.submit(EXPORT, 200, form="csv", sealing="plain", passphrase=PASSPHRASE.reveal())

    page = await site.services.operating.audit_log.page(AuditFilter(action="account.exported"), limit=1)
    entry = page.items[0]
    assert (entry.action, entry.details["is_plain"], entry.actor.door) == ("account.exported", True, "console")


# --- who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [ADD, IMPORT, EXPORT, EXTENSION])
async def test_viewers_are_refused(site: Any, path: str) -> None:
    await site.viewer.see(path, 403)


async def test_operators_cannot_export_nor_make_a_connection_token(site: Any) -> None:
    await site.operator.see(EXPORT, 403)
    await site.operator.submit(EXPORT, 403, form="json", sealing="plain", passphrase=PASSPHRASE.reveal())
    await site.operator.submit(f"{EXTENSION}/token", 403)
    await site.operator.submit(f"{EXTENSION}/revoke", 403)
    assert "Only an owner" in await site.operator.read(EXTENSION)


# --- the extension ----------------------------------------------------------------------------------------------------


async def test_connection_token_is_shown_once_and_then_masked(site: Any) -> None:
    assert "Your own passphrase" in await site.owner.read(f"{EXTENSION}/token")
    for fields in ({}, {"passphrase": "not the passphrase"}):
        refused = await site.owner.submit(f"{EXTENSION}/token", 422, **fields)
        assert "extension-token" not in refused.text
    made = await site.owner.submit(f"{EXTENSION}/token", 200, passphrase=PASSPHRASE.reveal())
    (text,) = re.findall(r'id="extension-token"[^>]*>(f2c_[\w-]+)<', made.text)

    later = await site.owner.see(EXTENSION)

    assert text not in later
    assert text[:10] in later
    assert "http://127.0.0.1/api/plugin/update-token" in later
    pushed = await site.stranger.browser.post(
        "/api/plugin/check-tokens", json={}, headers={"authorization": f"Bearer {text}"}
    )
    assert pushed.status_code == 200

    await site.owner.submit(f"{EXTENSION}/revoke")
    assert "Lets nobody in" in await site.owner.read(EXTENSION)


async def _at_rest(person: Any, page: str) -> str:
    """What the page shows once nothing goes on in the import; it asks to be opened again until then."""
    async with asyncio.timeout(60):
        while 'http-equiv="refresh"' in await person.see(page):
            await asyncio.sleep(0.05)
    return str(await person.read(page))
