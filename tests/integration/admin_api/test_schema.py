"""The description of the resources, for programs: whole, and without a place where a secret could come out again."""

import pytest

from tests.integration.admin_api.conftest import Json, Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

ONCE = {"NewKey": "key", "SignedWebhook": "signing_secret"}
"""The only answers that show a secret, and where."""


async def schema_of(site: Site) -> Json:
    answer = await site.viewer.get("/schema/openapi.json")
    assert answer.status_code == 200
    return answer.json()


def answers_in(schema: Json) -> dict[str, Json]:
    """What each operation on a resource answers when it goes well."""
    found = {}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            (status,) = [status for status in operation["responses"] if status.startswith("2")]
            found[f"{method.upper()} {path}"] = (status, operation["responses"][status])
    return found


async def test_every_resource_is_described_with_its_status(site: Site) -> None:
    answers = answers_in(await schema_of(site))

    for path in ("accounts", "keys", "operators", "webhooks", "notify-targets", "proxies"):
        assert answers[f"POST /api/admin/{path}"][0] == "201"
    for place in ("accounts/{account_id}", "operators/{operator_id}", "options/{name}", "proxies/{name}"):
        assert answers[f"DELETE /api/admin/{place}"][0] == "204"
        assert "application/json" in answers[f"GET /api/admin/{place}"][1]["content"]


async def test_lists_have_items_and_a_cursor(site: Site) -> None:
    schema = await schema_of(site)
    lists = ("accounts", "keys", "operators", "options", "proxies", "proxy-pools", "policies", "webhooks", "deliveries")
    for name in (*lists, "notify-targets", "generations", "requests", "audit-entries"):
        _, answer = answers_in(schema)[f"GET /api/admin/{name}"]
        shape = answer["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        assert {"items", "next_cursor"} <= set(schema["components"]["schemas"][shape]["properties"]), name


async def test_secrets_come_out_where_they_were_made_and_nowhere_else(site: Site) -> None:
    schema = await schema_of(site)
    shapes = schema["components"]["schemas"]
    secret = {"session_token", "url", "passphrase", "signing_secret", "key", "password", "access_token"}
    shown = {
        name: secret & set(shapes[name].get("properties", ()))
        for path, (_, answer) in answers_in(schema).items()
        if "/api/admin/" in path and "login" not in path
        for reference in [answer.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "")]
        if (name := reference.rpartition("/")[2])
    }

    assert {name: fields for name, fields in shown.items() if fields} == {name: {one} for name, one in ONCE.items()}
