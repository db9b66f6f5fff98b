"""Proxies, messages and operators: owners change them; secrets are shown once or never."""

import re
from typing import Any

import pyotp
import pytest

from flow2api.domain.operator import Operator, Role
from flow2api.domain.secret import Secret
from flow2api.domain.session import OperatorSession
from flow2api.domain.usecases.sign_in import SignedIn, Visitor
from tests.integration.console.conftest import PASSPHRASE, Site, text_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

GOOD = "quiet maple river lamp"
OWN = PASSPHRASE.reveal()
PASSWORD = "tr4verse-the-sea"
VISITOR = Visitor("tests", "127.0.0.1", "pytest", "req_1")
HOSTILE = "<script>alert(1)</script>"


class TestProxies:
    async def test_are_added_checked_switched_moved_and_removed(self, site: Site) -> None:
        page, urls = "/console/settings/proxies", f"http://ada:{PASSWORD}@127.0.0.1:9\n\nsocks5://127.0.0.1:10"
        await site.owner.submit("/console/proxies/add", urls=urls, pool="eu")
        shown = await site.owner.see(page)
        assert "2 proxies were added." in text_of(shown)
        assert "http://127.0.0.1:9" in shown
        assert PASSWORD not in shown
        names = sorted(one.name for one in await site.services.operating.proxies.all())

        await site.owner.submit(f"/console/proxies/{names[0]}/check")
        assert "Down" in await site.viewer.read(page)
        await site.owner.submit("/console/proxies/check")
        await site.owner.submit(f"/console/proxies/{names[0]}/switch")
        assert "Switched off" in await site.viewer.read(page)
        await site.owner.submit(f"/console/proxies/{names[0]}/switch", on="on")
        await site.owner.submit(f"/console/proxies/{names[0]}/change", url="", pool="us")
        assert {one.pool for one in await site.services.operating.proxies.all()} == {"eu", "us"}
        for name in names:
            await site.owner.submit(f"/console/proxies/{name}/remove")
        assert "Accounts go direct" in await site.viewer.read(page)

    async def test_line_that_cannot_be_used_is_told_and_shows_no_password(self, site: Site) -> None:
        answer = await site.owner.submit(
            "/console/proxies/add", 422, urls=f"ftp://ada:{PASSWORD}@example.test:1", pool=""
        )

        assert "Line 1" in text_of(answer.text)
        assert PASSWORD not in answer.text
        await site.owner.submit("/console/proxies/add", 422, urls=" ")

    async def test_one_that_is_needed_stays(self, site: Site) -> None:
        await site.owner.submit("/console/proxies/add", urls="http://127.0.0.1:9")
        (proxy,) = await site.services.operating.proxies.all()
        fields = {"was.proxy": "", "proxy": proxy.name, "step": "save"}
        await site.owner.send("/console/settings/proxies", 303, fields)

        answer = await site.owner.submit(f"/console/proxies/{proxy.name}/remove", 409)

        assert "change it first" in text_of(answer.text)
        await site.owner.send("/console/settings/proxies", 303, {"was.proxy": proxy.name, "proxy": "", "step": "save"})
        await site.owner.submit(f"/console/proxies/{proxy.name}/remove")

    async def test_are_owners_to_change(self, site: Site) -> None:
        await site.operator.submit("/console/proxies/add", 403, urls="http://127.0.0.1:9")
        assert "/console/proxies/add" not in await site.operator.see("/console/settings/proxies")


class TestMessages:
    async def test_place_is_added_tried_and_removed_and_its_address_never_shown(self, site: Site) -> None:
        page, url = "/console/settings/notifications", f"json://ada:{PASSWORD}@127.0.0.1:9"
        await site.owner.submit("/console/notify-targets/add", target_name=HOSTILE, target_url=url)
        shown = await site.owner.see(page)
        assert HOSTILE not in shown
        assert PASSWORD not in shown
        (target,) = await site.services.operating.notify_targets.all()

        await site.operator.submit(f"/console/notify-targets/{target.id}/test")
        assert "did not get there" in await site.operator.read(page)
        await site.operator.submit(f"/console/notify-targets/{target.id}/remove", 403)
        await site.owner.submit(f"/console/notify-targets/{target.id}/remove")
        assert "Nobody is told yet" in await site.viewer.read(page)

    async def test_address_that_names_no_place_is_told_beside_its_field(self, site: Site) -> None:
        answer = await site.owner.submit("/console/notify-targets/add", 422, target_name="x", target_url=PASSWORD)

        assert 'id="target_url-bad"' in answer.text
        assert PASSWORD not in answer.text
        assert 'value="x"' in answer.text

    async def test_webhook_shows_its_secret_once(self, site: Site) -> None:
        page, hook = "/console/settings/notifications", f"https://hooks.example.test/{PASSWORD}"
        events = ["generation.completed", "proxy.dead"]
        made = await site.owner.submit("/console/webhooks/add", 200, hook_name="crm", hook_url=hook, events=events)
        first = re.findall(r'<code id="signing-secret">([^<]+)<', made.text)[0]
        shown = await site.owner.see(page)
        assert first not in shown
        assert PASSWORD not in shown
        assert "2 events" in text_of(shown)
        (webhook,) = await site.services.operating.webhooks.all()

        path = f"/console/webhooks/{webhook.id}/rotate"
        assert "Your own passphrase" in await site.owner.read(path)
        await site.operator.see(path, 403)
        for fields in ({}, {"passphrase": "not the passphrase"}, {"passphrase": OWN, "webhook": "2"}):
            refused = await site.owner.submit(path, 422, **fields)
            assert "signing-secret" not in refused.text
            assert OWN not in refused.text
        rotated = await site.owner.submit(path, 200, passphrase=OWN)
        second = re.findall(r'<code id="signing-secret">([^<]+)<', rotated.text)[0]
        assert second != first
        await site.owner.submit(f"/console/webhooks/{webhook.id}/switch")
        assert "Switched off" in await site.viewer.read(page)
        await site.owner.submit(f"/console/webhooks/{webhook.id}/switch", on="on")
        await site.operator.submit(f"/console/webhooks/{webhook.id}/test")
        assert "has not taken the message" in await site.operator.read(page)
        await site.owner.submit(f"/console/webhooks/{webhook.id}/remove")
        assert "No webhooks" in await site.viewer.read(page)

    @pytest.mark.parametrize(
        ("fields", "blamed"),
        [
            ({"hook_name": "", "hook_url": "https://hooks.example.test/"}, "hook_name"),
            ({"hook_name": "x", "hook_url": "http://127.0.0.1/"}, "hook_url"),
            ({"hook_name": "7", "hook_url": "https://hooks.example.test/"}, "hook_name"),
        ],
    )
    async def test_what_is_wrong_with_a_webhook_stands_beside_its_field(
        self, site: Site, fields: dict[str, Any], blamed: str
    ) -> None:
        answer = await site.owner.submit("/console/webhooks/add", 422, **fields)

        assert f'id="{blamed}-bad"' in answer.text
        assert await site.services.operating.webhooks.all() == []


class TestOperators:
    async def test_one_is_made_changed_and_removed(self, site: Site) -> None:
        page, operators = "/console/settings/operators", site.services.entrance.operators
        await site.owner.submit(
            "/console/operators/add", name="bob", role="viewer", passphrase=GOOD, again=GOOD, own=OWN
        )
        bob = await operators.named("bob")
        path = f"/console/operators/{bob.id}"
        assert "bob may sign in now." in await site.owner.read(page)

        await site.owner.submit(f"{path}/role", role="operator", was_role="viewer", role_own=OWN)
        assert (await operators.named("bob")).role is Role.OPERATOR
        other = "seven green kettles whisper"
        await site.owner.submit(f"{path}/reset", passphrase=other, again=other, own=OWN)
        await site.owner.submit(f"{path}/sign-out")
        await site.owner.submit(f"{path}/drop-second-factor", factor_own=OWN)
        wrong = await site.owner.submit(f"{path}/remove", 422, confirm="alice", remove_own=OWN)
        assert 'id="confirm-bad"' in wrong.text
        await site.owner.submit(f"{path}/remove", confirm="bob", remove_own=OWN)
        assert "bob" not in [one.name for one in await operators.all()]
        await site.owner.see(path, 404)

    async def test_open_page_alone_is_not_enough_to_let_somebody_in(self, site: Site) -> None:
        viewer = await site.services.entrance.operators.named("viewer")
        fields = {"passphrase": "seven green kettles whisper", "again": "seven green kettles whisper"}

        for own in ({}, {"own": "not the passphrase"}):
            made = await site.owner.submit("/console/operators/add", 422, name="eve", role="owner", **fields, **own)
            reset = await site.owner.submit(f"/console/operators/{viewer.id}/reset", 422, **fields, **own)
            assert all('id="own-bad"' in answer.text for answer in (made, reset))
            assert "not the passphrase" not in made.text + reset.text

        assert "eve" not in [one.name for one in await site.services.entrance.operators.all()]
        assert await site.services.entrance.operators.named("viewer") == viewer
        await site.owner.submit(
            f"/console/operators/{viewer.id}/role", role="viewer", role_own=OWN
        )  # tries are forgotten

    @pytest.mark.parametrize(
        ("act", "fields", "field"),
        [
            ("role", {"role": "owner"}, "role_own"),
            ("drop-second-factor", {}, "factor_own"),
            ("remove", {"confirm": "viewer"}, "remove_own"),
        ],
    )
    async def test_open_page_alone_is_not_enough_to_change_what_somebody_may(
        self, site: Site, act: str, fields: dict[str, str], field: str
    ) -> None:
        operators = site.services.entrance.operators
        viewer = await operators.named("viewer")
        here = (await site.services.entrance.sign_in.sessions_of(viewer))[0]
        await _enrol(site, viewer, here)

        for own in ({}, {field: "not the passphrase"}):
            answer = await site.owner.submit(f"/console/operators/{viewer.id}/{act}", 422, **fields, **own)
            assert f'id="{field}-bad"' in answer.text
        assert await operators.named("viewer") == viewer
        assert (await site.services.entrance.second_factor.standing(viewer)).since is not None

        await site.owner.submit(f"/console/operators/{viewer.id}/drop-second-factor", factor_own=OWN)
        assert (await site.services.entrance.second_factor.standing(viewer)).since is None

    async def test_role_that_somebody_has_changed_meanwhile_is_shown_beside_the_one_that_was_chosen(
        self, site: Site
    ) -> None:
        operators = site.services.entrance.operators
        viewer = await operators.named("viewer")
        path = f"/console/operators/{viewer.id}"
        assert 'name="was_role" value="viewer"' in " ".join((await site.owner.see(path)).split())
        await operators.set_role("viewer", Role.OPERATOR)

        answer = await site.owner.submit(f"{path}/role", 409, role="owner", was_role="viewer", role_own=OWN)

        assert "Somebody has changed this to “Operator: runs the pool” meanwhile." in text_of(answer.text)
        assert 'value="owner" selected' in " ".join(answer.text.split())
        assert (await operators.named("viewer")).role is Role.OPERATOR
        await site.owner.submit(f"{path}/role", role="viewer", was_role="operator", role_own=OWN)
        assert await operators.named("viewer") == viewer

    async def test_what_is_wrong_stands_beside_its_field(self, site: Site) -> None:
        taken = await site.owner.submit(
            "/console/operators/add", 409, name="viewer", role="viewer", passphrase=GOOD, again=GOOD, own=OWN
        )
        weak = await site.owner.submit(
            "/console/operators/add", 422, name=HOSTILE, role="king", passphrase="short", again="x"
        )

        assert 'id="name-bad"' in taken.text
        assert all(f'id="{name}-bad"' in weak.text for name in ("role", "again"))
        assert HOSTILE not in weak.text
        assert GOOD not in taken.text

    async def test_last_owner_stays_one(self, site: Site) -> None:
        owner = await site.services.entrance.operators.named("owner")
        fields = {"role": "viewer", "was_role": "owner", "role_own": OWN}
        answer = await site.owner.submit(f"/console/operators/{owner.id}/role", 409, **fields)

        assert "owner" in text_of(answer.text)
        assert (await site.services.entrance.operators.named("owner")).role is Role.OWNER

    async def test_only_owners_change_who_may_sign_in(self, site: Site) -> None:
        viewer = await site.services.entrance.operators.named("viewer")
        fields = {"name": "eve", "role": "owner", "passphrase": GOOD, "again": GOOD}
        for person in (site.operator, site.viewer):
            await person.send("/console/operators/add", 403, fields)
            await person.send(f"/console/operators/{viewer.id}/remove", 403, {"confirm": "viewer"})
            assert "/console/operators/add" not in await person.see("/console/settings/operators")
            await person.see(f"/console/operators/{viewer.id}", 403)


async def _enrol(site: Site, operator: Operator, session: OperatorSession) -> None:
    """Have the operator asked for a code when he signs in."""
    factor, here = site.services.entrance.second_factor, SignedIn(operator, session)
    begun = await factor.begin(here, PASSPHRASE, VISITOR)
    at = site.services.clock.now()
    await factor.confirm(here, Secret(pyotp.TOTP(begun.secret.reveal()).at(at)), VISITOR)
