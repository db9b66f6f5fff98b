"""The server itself: checks, the support bundle, backups, draining, updates."""

import json

import pytest

from flow2api.adapters.console.guards import FORM_FIELD
from flow2api.domain.audit import AuditAction, AuditFilter
from tests.integration.console.conftest import BASE, Person, Site, text_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _audited(site: Site, action: AuditAction) -> int:
    page = await site.services.operating.audit_log.page(AuditFilter(action=action.value))
    return len(page.items)


async def test_checks_are_told_with_their_result(site: Site) -> None:
    page = await site.viewer.read("/console/system")
    assert "database writes" in page
    assert "Passes" in page
    assert "Run again" not in page
    assert "Only an owner can do this." in page


async def test_checks_run_again_when_somebody_asks(site: Site) -> None:
    await site.operator.see("/console/system")
    before = site.services.overseeing.diagnosis.latest
    answer = await site.operator.submit("/console/system/checks")
    assert answer.headers["location"] == "/console/system"
    assert site.services.overseeing.diagnosis.latest is not before
    await site.viewer.submit("/console/system/checks", 403)


async def test_checks_can_be_narrowed_to_a_result(site: Site) -> None:
    page = await site.owner.read("/console/system?result=fail")
    assert "Nothing matches" in page
    assert "database writes" not in page
    assert "database writes" in await site.owner.read("/console/system?result=nonsense")


async def test_the_support_bundle_tells_much_and_no_secret(site: Site) -> None:
    await site.account(email="private@example.org")
    answer = await site.owner.submit("/console/system/bundle", 200)
    assert "attachment" in answer.headers["content-disposition"]
    told = json.loads(answer.text)
    assert told["flow2api"]
    assert any(one["name"] == "database writes" for one in told["checks"])
    assert told["options"]["policy"] in ("default", "set", "settings")
    assert "private@example.org" not in answer.text
    assert str(site.services.settings.data_dir) not in answer.text
    assert "<data folder>" in answer.text
    assert await _audited(site, AuditAction.BUNDLE_TAKEN) >= 1
    await site.viewer.submit("/console/system/bundle", 403)


async def test_a_backup_is_made_beside_the_running_server(site: Site) -> None:
    assert "none yet" in await site.owner.read("/console/system")
    await site.operator.submit("/console/system/backup")
    folder = site.services.settings.data_dir / "backups"
    (made,) = folder.glob("*.db")
    assert made.stat().st_size > 0
    assert folder.stat().st_mode & 0o077 == 0
    assert made.stat().st_mode & 0o077 == 0
    assert str(folder) in await site.owner.read("/console/system")
    assert await _audited(site, AuditAction.DATABASE_BACKED_UP) == 1


async def test_a_backup_that_cannot_be_made_says_why_in_place(site: Site) -> None:
    folder = site.services.settings.data_dir / "backups"
    aside = folder.rename(folder.with_name("aside")) if folder.exists() else None
    folder.write_text("in the way")
    try:
        answer = await site.operator.submit("/console/system/backup", 500)
        assert "cannot be made" in text_of(answer.text)
    finally:
        folder.unlink()
        if aside is not None:
            aside.rename(folder)


async def test_only_the_typed_word_drains_the_server_and_the_same_page_ends_that(site: Site) -> None:
    answer = await site.owner.submit("/console/system/drain", 422, confirm="maybe<script>")
    assert "Type drain to confirm." in text_of(answer.text)
    assert "maybe<script>" not in answer.text
    assert site.services.work.is_open
    await site.operator.submit("/console/system/drain", 403, confirm="drain")

    await site.owner.submit("/console/system/drain", confirm="drain")
    try:
        assert not site.services.work.is_open
        assert (await site.owner.browser.get("/readyz")).json() == {"status": "draining"}
        assert "it is safe to stop the server" in await site.owner.read("/console/system")
        site.services.overseeing.glance._busy._answers.clear()
        assert "This server takes nothing new." in await site.owner.read("/console")
        assert "This server is drained: it takes nothing new." in await site.viewer.read("/console/accounts")
    finally:
        await site.owner.submit("/console/system/reopen")
    assert site.services.work.is_open
    assert (await site.owner.browser.get("/readyz")).json() == {"status": "ready"}
    assert "This server takes new work again." in await site.owner.read("/console/system")
    assert "This server is drained" not in await site.viewer.read("/console/accounts")


async def test_everybody_may_have_his_pages_stand_still(site: Site) -> None:
    await site.viewer.submit("/console/system/updates", live="off")
    assert "Switch on" in await site.viewer.read("/console/system")
    assert "Switch off" in await site.owner.read("/console/system")
    await site.viewer.submit("/console/system/updates", live="on")
    assert "Switch off" in await site.viewer.read("/console/system")


@pytest.mark.parametrize("path", ["checks", "bundle", "backup", "drain", "reopen", "updates"])
async def test_a_form_without_its_token_changes_nothing(site: Site, path: str) -> None:
    headers = {"origin": BASE, "sec-fetch-site": "same-origin"}
    answer = await site.owner.browser.post(f"/console/system/{path}", data={FORM_FIELD: "x"}, headers=headers)
    assert answer.status_code == 403
    assert site.services.work.is_open


async def test_strangers_are_led_to_the_door(site: Site) -> None:
    stranger: Person = site.stranger
    answer = await stranger.browser.get("/console/system")
    assert answer.headers["location"].startswith("/login")
