"""What a stolen session must not be enough for takes one that has just begun; everything else goes on with an old one."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
import sqlalchemy as sa

from tests.integration.admin_api.conftest import PASSPHRASE, Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

GUARDED = [
    ("POST", "/api/admin/operators", {"name": "eve", "passphrase": PASSPHRASE.reveal(), "role": "owner"}),
    ("PATCH", "/api/admin/operators/3", {"role": "owner"}),
    ("POST", "/api/admin/operators/3/reset-passphrase", {"passphrase": PASSPHRASE.reveal()}),
    ("POST", "/api/admin/operators/3/drop-second-factor", None),
    ("DELETE", "/api/admin/operators/3", None),
    ("POST", "/api/admin/webhooks/1/rotate-secret", None),
    ("POST", "/api/plugin/config", {"connection_token": ""}),
    ("POST", "/api/admin/apikey", {"new_api_key": "a-key-of-somebody-else"}),
    ("DELETE", "/api/admin/requests", None),
    ("DELETE", "/api/logs", None),
    ("POST", "/api/admin/keys/1/rotate", {}),
    ("GET", "/api/tokens?reveal=true", None),
]


@pytest_asyncio.fixture(loop_scope="session")
async def old(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """An owner who has signed in a while ago."""
    given = {"username": "owner", "password": PASSPHRASE.reveal()}
    token = (await site.client.post("/api/admin/login", json=given)).json()["token"]
    engine = sa.create_engine(f"sqlite:///{next(site.services.settings.data_dir.glob('*.db'))}")
    with engine.begin() as connection:
        newest = sa.text("SELECT max(created_at) FROM operator_sessions")
        values = {"newest": connection.scalar(newest), "before": 16 * 60 * 1_000_000}
        aged = "UPDATE operator_sessions SET created_at = created_at - :before WHERE created_at = :newest"
        connection.execute(sa.text(aged), values)
    engine.dispose()
    transport = site.owner._transport
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as client:
        yield client


@pytest.mark.parametrize(("method", "path", "body"), GUARDED)
async def test_session_of_long_ago_is_not_enough(
    site: Site, old: httpx.AsyncClient, method: str, path: str, body: object
) -> None:
    before = await site.services.entrance.operators.all()
    answer = await old.request(method, path, json=body)

    assert (answer.status_code, answer.json()["code"]) == (403, "session_too_old")
    assert await site.services.entrance.operators.all() == before
    assert (await old.get("/api/admin/operators")).status_code == 200


async def test_session_of_long_ago_goes_on_doing_what_takes_no_passphrase(site: Site, old: httpx.AsyncClient) -> None:
    made = await old.post("/api/admin/keys", json={"name": "of an old session"})
    auto = await old.post("/api/plugin/config", json={"auto_enable_on_update": True})

    assert (made.status_code, auto.status_code) == (201, 200)
