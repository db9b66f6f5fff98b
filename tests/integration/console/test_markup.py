"""What strangers and upstreams have put into the database is shown as text on every page, and makes no element of any."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import pytest_asyncio
import sqlalchemy as sa

from flow2api.app import Services, build_services, create_app, running
from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.generation import FailedAttempt, Fault, Phase, State
from flow2api.domain.media import MediaKind
from flow2api.domain.operator import Role
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.manage_accounts import NewAccount
from flow2api.extensions import load_extensions
from flow2api.settings import load_settings
from flow2api.testing.samples import generation_of
from flow2api.testing.simulator import SimulatorProcess
from tests.integration.console.conftest import BASE, PASSPHRASE, Person, _browser, _signed_in
from tests.integration.console.test_routes import OPEN, routes_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

CANARY = "\"'><canary-tag onerror=canary()></script><script>canary()</script>{{ 7*7 }}"
NAME = "<canary-tag onerror=canary()>"
ACTOR = Actor(name=f"ada {CANARY}", door="cli", address=f"192.0.2.7 {CANARY}")

SEEDED = {
    "accounts": ("name", "email", "remark", "tags", "base_url", "workspace", "workspace_name", "search_text"),
    "api_keys": ("name", "prefix", "tag", "models"),
    "daily_statistics": ("model",),
    "generations": ("model", "prompt", "warnings", "workspace", "operation_name", "fault_code", "fault_message"),
    "health_events": ("model", "by"),
    "media": ("prompt", "model", "workspace", "upstream_name"),
    "notify_targets": ("service", "error"),
    "operator_sessions": ("address", "agent"),
    "options": ("changed_by",),
    "overall_statistics": ("model",),
    "proxies": ("address", "egress", "fault"),
    "quarter_statistics": ("model",),
    "request_log": ("model", "code", "message", "prompt", "body"),
    "total_statistics": ("model",),
    "webhook_deliveries": ("error",),
    "webhooks": ("shown", "disabled_why"),
}
"""What others than the program itself can put words into."""

JSON_ARRAYS = {("accounts", "tags"), ("api_keys", "models"), ("generations", "warnings")}

OURS = {
    "accounts": {"upstream", "proxy", "rests", "streaks"},
    "api_keys": {"profile", "scopes"},
    "audit_log": {"actor", "door", "address", "request_id", "action", "subject", "details"},
    "changes": {"what", "id", "origin"},
    "counters": {"name"},
    "credentials": {"session_token", "access_token"},
    "credits_history": {"day"},
    "daily_statistics": {"day"},
    "deleted_accounts": {"account", "credentials", "deleted_by"},
    "facts": {"name", "value"},
    "generations": {
        "id", "kind", "spec_name", "group_id", "door", "inputs", "size", "parent_id", "state", "phase", "stage",
        "operation_payload", "made", "results", "owner", "choice", "passages", "failed_attempts",
    },
    "health_events": {"kind", "reason", "call", "cause"},
    "idempotency_claims": {"idempotency_key", "group_id"},
    "media": {"id", "kind", "role", "content_type", "sha256", "generation_id", "parent_id", "upstream_extra"},
    "notify_targets": {"name", "url"},
    "operator_sessions": {"id", "stamp"},
    "operators": {"name", "folded_name", "role", "passphrase_hash", "stamp", "preferences"},
    "options": {"name", "value"},
    "proxies": {"name", "url", "pool", "state"},
    "proxy_assignments": {"pool", "proxy"},
    "request_log": {"request_id", "door", "generation_id", "state", "kind"},
    "second_factors": {"secret"},
    "told_notices": {"about", "news"},
    "webhook_deliveries": {"message_id", "kind", "content", "results", "state", "about", "news"},
    "webhooks": {"name", "url", "signing", "kinds"},
}  # fmt: skip
"""Words of the program's own, ids, what is sealed; and what is seeded through use cases, for it is not free in form:
the audit log, deleted accounts (rows of accounts as they were), names that are letters of a seal or of a sign-in, failed attempts."""


class Seen(HTMLParser):
    """What of the canary became more than text, and how often it is read."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.harm: list[str] = []
        self.texts = 0
        self._raw = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attributes}
        if "canary" in tag or any(name.startswith("on") or "canary" in name or name == "style" for name in names):
            self.harm.append(str(self.get_starttag_text()))
        found = dict(attributes)
        if tag == "script" and not (found.get("src") or "").startswith("/static/"):
            self.harm.append(str(self.get_starttag_text()))
        for name in ("href", "src", "action", "poster", "hx-get", "hx-post"):
            value = found.get(name) or ""
            if value and not re.match(
                r"/(?!/)|#|\?|data:image/|https?://(127\.0\.0\.1|[\w.-]+\.(org|com|dev|io))|[\w-]+:", value
            ):
                self.harm.append(f"{name}={value}")
            if value.lower().startswith("javascript:"):
                self.harm.append(f"{name}={value}")

    def handle_data(self, data: str) -> None:
        self.texts += "canary-tag" in data
        if "49" in data and "canary" in data and "7*7" not in data:
            self.harm.append("a template was run")


class Poisoned(NamedTuple):
    """The program over a database that is full of canaries."""

    services: Services
    owner: Person
    app: Any


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def poisoned(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Poisoned]:
    data = tmp_path_factory.mktemp("poisoned") / "data"
    async with SimulatorProcess(picture_s=0.0, media="small") as simulator:
        environment = {
            "FLOW2API_DATA_DIR": str(data),
            "FLOW2API_DRAIN_S": "5",
            "FLOW2API_FLOW__LABS_BASE_URL": simulator.labs_base_url,
            "FLOW2API_FLOW__API_BASE_URL": simulator.api_base_url,
            "FLOW2API_OPTIONS__BACKGROUND_RENEWAL": "false",
            "FLOW2API_OPTIONS__LOG_PROMPTS": "full",
            "FLOW2API_OPTIONS__LOG_BODIES": "true",
        }
        services = _services(environment)
        async with running(services):
            await _fill(services, simulator)
        _poison(data)
        services = _services(environment)
        async with running(services):
            app: Any = create_app(services)
            async with _browser(app) as browser:
                browser.headers["user-agent"] = CANARY
                yield Poisoned(services, await _signed_in(services, browser, Role.OWNER), app)


def _services(environment: dict[str, str]) -> Services:
    extensions = load_extensions()
    return build_services(load_settings(environment, sections=extensions.sections), extensions)


async def _fill(services: Services, simulator: SimulatorProcess) -> None:
    """One of everything that has a page."""
    operating = services.operating
    made = await simulator.control.add_account()
    account = await operating.take_in(NewAccount(session_token=Secret(made.session_token)), ACTOR)
    await operating.accounts.set_enabled(account.id, enabled=False, actor=ACTOR)
    await operating.accounts.set_enabled(account.id, enabled=True, actor=ACTOR)
    _, key = await operating.keys.create("one", tag=None, actor=ACTOR)
    await services.entrance.operators.create(NAME, PASSPHRASE, Role.OWNER)
    await operating.proxies.add("http://127.0.0.1:19", ACTOR)
    hook = await operating.webhooks.add(NAME, Secret("https://hooks.example.test/"), ACTOR)
    await operating.webhooks.test(str(hook.id))
    await operating.notify_targets.add(NAME, Secret("json://127.0.0.1:9"), ACTOR)
    await services.options.change({"image_wait_s": 33}, ACTOR)
    details = {"name": [CANARY, "before"], CANARY: CANARY}
    for action in AuditAction:
        entry = AuditEntry(at=services.clock.now(), actor=ACTOR, action=action, subject=CANARY, details=details)
        await services.storage.audit_log.note(entry)
    app: Any = create_app(services)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as client:
        model = next(one.id for one in services.catalog.listed() if one.kind is MediaKind.IMAGE)
        for name in (model, CANARY):
            body = {"model": name, "prompt": CANARY, "n": 1}
            await client.post("/v1/images/generations", json=body, headers={"authorization": f"Bearer {key.reveal()}"})
    failed = replace(
        generation_of("gen_failed"),
        created_at=services.clock.now(),
        ended_at=services.clock.now(),
        state=State.FAILED,
        fault=Fault("upstream_rejected", CANARY),
        failed_attempts=(FailedAttempt(account.id, 0, 9, Phase.POLLING, "upstream_rejected", CANARY),),
    )
    await services.storage.generations.add([failed])


def _poison(data: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{next(data.glob('*.db'))}")
    with engine.begin() as connection:
        for table, columns in SEEDED.items():
            for column in columns:
                of_row = f"{column}-' || rowid || ' {CANARY.replace(chr(39), chr(39) * 2)}"
                text = f"'{of_row}'"
                if (table, column) in JSON_ARRAYS:
                    text = f"json_array({text})"
                connection.exec_driver_sql(f'UPDATE "{table}" SET "{column}" = {text}')
        assert connection.scalar(sa.text("SELECT count(*) FROM request_log")), "there is nothing to be shown"
    engine.dispose()


async def test_every_column_of_text_is_either_seeded_or_known_to_be_our_own(poisoned: Poisoned) -> None:
    engine = sa.create_engine(f"sqlite:///{next(poisoned.services.settings.data_dir.glob('*.db'))}")
    inspector = sa.inspect(engine)
    found = {
        (table, column["name"])
        for table in inspector.get_table_names()
        if table != "alembic_version"
        for column in inspector.get_columns(table)
        if isinstance(column["type"], sa.Text | sa.String)
    }
    engine.dispose()
    known = {(table, name) for names in (SEEDED, OURS) for table, columns in names.items() for name in columns}

    assert found == known


async def test_no_page_makes_more_than_text_of_what_others_wrote(poisoned: Poisoned) -> None:
    shown: dict[str, int] = {}
    for path in await _paths(poisoned):
        answer = await poisoned.owner.browser.get(path)
        assert answer.status_code < 500, (path, answer.text[:500])
        if not answer.headers.get("content-type", "").startswith("text/html"):
            assert answer.headers["x-content-type-options"] == "nosniff", path
            continue
        seen = Seen()
        seen.feed(answer.text)
        seen.close()
        assert not seen.harm, (path, seen.harm)
        assert "unsafe" not in answer.headers["content-security-policy"], path
        shown[path] = seen.texts

    told = {path for path, count in shown.items() if count}
    pages = {"accounts", "keys", "requests", "generations", "audit", "settings/operators", "you"}
    assert {page for page in pages if f"/console/{page}" not in told} == set()
    assert len(told) > 15, told


async def test_toast_of_what_others_wrote_is_text(poisoned: Poisoned) -> None:
    await poisoned.owner.submit("/console/accounts/1/pause")
    page = await poisoned.owner.see("/console/accounts")
    seen = Seen()
    seen.feed(page)

    assert "is paused" in page
    assert not seen.harm


async def _paths(poisoned: Poisoned) -> list[str]:
    """Every page, and that of each thing there is, with the canary in every part of its query."""
    engine = sa.create_engine(f"sqlite:///{next(poisoned.services.settings.data_dir.glob('*.db'))}")
    asked_for = {
        "account_id": "SELECT id FROM accounts",
        "key_id": "SELECT id FROM api_keys",
        "operator_id": "SELECT id FROM operators",
        "webhook_id": "SELECT id FROM webhooks",
        "generation_id": "SELECT id FROM generations",
        "media_id": "SELECT id FROM media WHERE role = 'result'",
        "number": "SELECT number FROM request_log",
    }
    with engine.connect() as connection:
        things = {name: [str(one) for one in connection.scalars(sa.text(query))] for name, query in asked_for.items()}
    engine.dispose()
    assert all(things.values()), things
    things["group_name"] = ["balancing", "proxies", "notifications", "security", "limits", "appearance"]
    paths: list[str] = []
    for route in routes_of(poisoned.app):
        if route.method != "GET" or route.path in OPEN or route.path == "/console/events":
            continue
        name = re.search(r"\{(\w+):\w+\}", route.path)
        ids = things.get(name[1], {"1"}) if name else {""}
        paths += [re.sub(r"\{\w+:\w+\}", one, route.path) for one in sorted(ids)]
    asked = httpx.QueryParams(
        dict.fromkeys(("q", "model", "tag", "name", "key", "actor", "action", "option", "next", "prompt"), CANARY)
    )
    return [*paths, *(f"{path}?{asked}" for path in paths), f"/login?next={json.dumps(CANARY)}"]
