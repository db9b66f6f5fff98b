"""Every route of the whole program, and who may use it: what is not on the public list is behind a key or a session."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from litestar import Litestar
from litestar.routes import HTTPRoute

from flow2api.app import Services, build_services, running
from flow2api.app.web import create_app
from flow2api.domain.audit import Actor
from flow2api.domain.operator import Role
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.sign_in import Visitor
from flow2api.extensions import load_extensions
from flow2api.settings import load_settings
from tests.cheap_passphrases import cheap_passphrases

PUBLIC = {
    ("GET", "/"),
    ("GET", "/login"),
    ("GET", "/manage"),
    ("GET", "/test"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/health"),
    ("GET", "/static/{file_name:str}"),
    ("GET", "/language"),
    ("GET", "/seen/{token:str}"),
    ("POST", "/login"),
    ("GET", "/setup"),
    ("POST", "/setup"),
    ("POST", "/setup/strength"),
    ("GET", "/media/{media_id:str}"),
    ("HEAD", "/media/{media_id:str}"),
    ("GET", "/tmp/{media_id:str}"),
    ("HEAD", "/tmp/{media_id:str}"),
    ("POST", "/api/admin/login"),
    ("POST", "/api/login"),
}
"""All that strangers may use. Whoever adds a line here has to say why nobody can do harm with it."""

BY_TOKEN_OF_ITS_OWN = {("POST", "/api/plugin/update-token"), ("POST", "/api/plugin/check-tokens")}
"""Behind the browser extension's token, and neither a key nor a session."""

_CLIENT = re.compile(r"(/openai)?(/v1)?/(models|chat|images|videos)(/|$)")
_BEHIND_SESSION = re.compile(r"/(api|schema|metrics)(/|$)")
_CONSOLE = re.compile(r"/(console|logout)(/|$)")

Client = httpx.AsyncClient


# One program serves all tests of this file: putting one together takes longer than most of them.
pytestmark = pytest.mark.asyncio(loop_scope="module")


def services_at(folder: Path, **settings: str) -> Services:
    extensions = load_extensions()
    environment = {"FLOW2API_DATA_DIR": str(folder / "data"), **settings}
    with cheap_passphrases():
        return build_services(load_settings(environment, sections=extensions.sections), extensions)


def visiting(app: Litestar) -> Client:
    """A client in the event loop of the program."""
    asgi: Any = app  # the framework spells the types of messages out, the client does not
    return Client(transport=httpx.ASGITransport(asgi), base_url="http://127.0.0.1")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def services(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Services]:
    made = services_at(tmp_path_factory.mktemp("program"))
    async with running(made):
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(services: Services) -> Litestar:
    return create_app(services)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tokens(services: Services) -> dict[Role, str]:
    """A session for each role."""
    passphrase, entrance = Secret("quiet maple river lamp"), services.entrance
    made = {}
    for role in Role:
        await entrance.operators.create(role.value, passphrase, role)
        _, token = await entrance.sign_in(role.value, passphrase, Visitor("admin_api", ""))
        made[role] = token.reveal()
    return made


@pytest_asyncio.fixture(loop_scope="module")
async def client(app: Litestar) -> AsyncIterator[Client]:
    async with visiting(app) as client:
        yield client


def routes(app: Litestar) -> Iterator[tuple[str, str, str]]:
    """Method, path as it is registered, and a path that it matches."""
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for method in sorted(route.methods - {"OPTIONS"}):
                path = re.sub(r"\{\w+:int\}", "1", route.path)
                yield method, route.path, re.sub(r"\{\w+:\w+\}", "x", path)


def table(app: Litestar) -> set[tuple[str, str, str]]:
    return {one for one in routes(app) if one[:2] not in PUBLIC}


def bearing(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def test_every_route_has_a_place_in_the_table(app: Litestar) -> None:
    known = {path for _, path, _ in routes(app)}

    assert {path for _, path in PUBLIC} <= known
    for method, path, _ in table(app):
        places = [bool(_CLIENT.match(path)), bool(_BEHIND_SESSION.match(path)), bool(_CONSOLE.match(path))]
        assert sum(places) == 1, (method, path)


async def test_every_route_behind_the_session_has_the_guard(app: Litestar) -> None:
    for route in app.routes:
        if isinstance(route, HTTPRoute) and _BEHIND_SESSION.match(route.path):
            for handler in route.route_handlers:
                for method in handler.http_methods:
                    guards = {getattr(guard, "__name__", "") for guard in handler.resolve_guards()}
                    if (method, route.path) not in PUBLIC and (method, route.path) not in BY_TOKEN_OF_ITS_OWN:
                        owner = next(one for one in (method, route.path))
                        is_open = method == "OPTIONS" and any(route.path == path for _, path in PUBLIC)
                        assert is_open or guards & {"require_session", "require_connection"}, (owner, route.path)


async def test_every_page_of_the_console_has_its_guards(app: Litestar) -> None:
    for route in app.routes:
        if isinstance(route, HTTPRoute) and _CONSOLE.match(route.path):
            for handler in route.route_handlers:
                if set(handler.http_methods) != {"OPTIONS"}:
                    guards = {getattr(guard, "__name__", "") for guard in handler.resolve_guards()}
                    assert guards >= {"require_session", "require_own_origin"}, route.path
                    assert handler.resolve_before_request() is not None, route.path


@pytest.mark.parametrize("credential", ["nothing", "api key", "bearer session", "wrong session"])
async def test_who_is_not_signed_in_sees_nothing_of_the_console(
    app: Litestar, client: Client, services: Services, tokens: dict[Role, str], credential: str
) -> None:
    _, key = await services.operating.keys.create(f"console for {credential}")
    headers = {
        "nothing": {},
        "api key": bearing(key.reveal()),
        "bearer session": bearing(tokens[Role.OWNER]),
        "wrong session": {"cookie": f"f2a=admin-{'x' * 43}"},
    }[credential]

    for method, path, address in sorted(table(app)):
        if _CONSOLE.match(path):
            answer = await client.request(method, address, headers=headers)
            assert answer.status_code == 303, (method, path, answer.status_code)
            assert answer.headers["location"].startswith("/login"), (method, path)


async def test_page_of_another_site_changes_nothing(app: Litestar, client: Client, tokens: dict[Role, str]) -> None:
    cookie = {"cookie": f"f2a={tokens[Role.OWNER]}"}
    foreign = [
        {"origin": "https://evil.test", "sec-fetch-site": "cross-site"},
        {"origin": "null"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://127.0.0.1:81", "sec-fetch-site": "same-origin"},
        {},
    ]

    for method, path, address in sorted(table(app)):
        if _CONSOLE.match(path) and method != "GET":
            for headers in foreign:
                answer = await client.request(method, address, headers={**cookie, **headers})
                assert answer.status_code == 403, (method, path, headers, answer.status_code)


@pytest.mark.parametrize("credential", ["nothing", "api key", "wrong session"])
async def test_who_has_no_session_gets_nothing_of_the_operators(
    app: Litestar, client: Client, services: Services, tokens: dict[Role, str], credential: str
) -> None:
    _, key = await services.operating.keys.create(f"for {credential}")
    presented = {"nothing": "", "api key": key.reveal(), "wrong session": "admin-" + "x" * 43}[credential]
    headers = bearing(presented) if presented else {}

    for method, path, address in sorted(table(app)):
        if _BEHIND_SESSION.match(path):
            answer = await client.request(method, address, headers=headers)
            told = answer.json()
            assert answer.status_code == 401, (method, path)
            assert set(told) == {"detail", "code", "request_id"}, (method, path)
            is_own = (method, path) in BY_TOKEN_OF_ITS_OWN
            assert told["code"] == ("invalid_connection_token" if is_own else "not_signed_in"), (method, path)


async def test_session_opens_nothing_of_the_client_api(app: Litestar, client: Client, tokens: dict[Role, str]) -> None:
    headers = bearing(tokens[Role.OWNER])

    for method, path, address in sorted(table(app)):
        if _CLIENT.match(path):
            answer = await client.request(method, address, headers=headers)
            assert answer.status_code == 401, (method, path)


async def test_session_in_another_place_than_the_header_opens_nothing(
    app: Litestar, client: Client, tokens: dict[Role, str]
) -> None:
    token = tokens[Role.OWNER]

    for place in (
        {"params": {"token": token, "access_token": token, "key": token}},
        {"headers": {"cookie": f"token={token}; session={token}"}},
        {"headers": {"x-api-key": token}},
        {"headers": {"authorization": f"Basic {token}"}},
        {"headers": {"authorization": token}},
    ):
        answer = await client.get("/api/tokens", **place)  # type: ignore[arg-type]
        assert answer.status_code == 401, place


async def test_viewer_reads_and_changes_nothing(app: Litestar, client: Client, tokens: dict[Role, str]) -> None:
    headers = bearing(tokens[Role.VIEWER])
    own = {"/api/admin/logout", "/api/logout", "/api/admin/password", "/api/admin/change-password"}
    own |= {"/api/admin/sessions/{session_id:str}", "/api/admin/sessions/end-others"}

    for method, path, address in sorted(table(app)):
        if _BEHIND_SESSION.match(path) and path not in own and (method, path) not in BY_TOKEN_OF_ITS_OWN:
            answer = await client.request(method, address, headers=headers)
            if method == "GET":
                assert answer.status_code in (200, 404), (method, path)
            else:
                assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed"), (method, path)
    revealed = await client.get("/api/tokens", params={"reveal": "true"}, headers=headers)
    assert revealed.status_code == 403


async def test_operator_reveals_and_sets_keys_as_little_as_a_viewer(
    app: Litestar, client: Client, tokens: dict[Role, str]
) -> None:
    headers = bearing(tokens[Role.OPERATOR])

    answers = [
        await client.get("/api/tokens", params={"reveal": "true"}, headers=headers),
        await client.post("/api/admin/apikey", json={"new_api_key": "x" * 40}, headers=headers),
        await client.post("/api/tokens/st2at", json={"st": "x" * 400}, headers=headers),
        await client.delete("/api/logs", headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [403] * 4


async def test_before_the_first_operator_everything_asks_for_setup(tmp_path: Path) -> None:
    services = services_at(tmp_path)
    app = create_app(services)
    async with running(services), visiting(app) as client:
        for method, path, address in sorted(table(app)):
            if _BEHIND_SESSION.match(path) and (method, path) not in BY_TOKEN_OF_ITS_OWN:
                answer = await client.request(method, address)
                assert (answer.status_code, answer.json()["code"]) == (503, "setup_required"), (method, path)
        for path in ("/api/login", "/api/admin/login"):
            answer = await client.post(path, json={"username": "admin", "password": "admin"})
            assert (answer.status_code, answer.json()["code"]) == (503, "setup_required")


async def test_every_answer_is_private_and_open_to_no_other_origin(
    app: Litestar, client: Client, tokens: dict[Role, str]
) -> None:
    token = tokens[Role.OWNER]
    origin = {"origin": "https://evil.example"}

    for headers in (origin, {**origin, "authorization": f"Bearer {token}"}):
        for method, path, address in sorted(table(app)):
            if _BEHIND_SESSION.match(path) and "log" not in path and "sign-out" not in path:
                answer = await client.request(method, address, headers=headers)
                assert answer.headers["cache-control"] == "no-store", (method, path)
                assert answer.headers["x-content-type-options"] == "nosniff", (method, path)
                assert answer.headers["referrer-policy"] == "no-referrer", (method, path)
                assert "default-src 'none'" in answer.headers["content-security-policy"], (method, path)
                assert answer.headers["x-request-id"], (method, path)
                assert not [name for name in answer.headers if name.startswith("access-control")], (method, path)
    for address in ("/api/tokens", "/api/nowhere", "/api/admin/login"):
        answer = await client.options(
            address, headers={**origin, "access-control-request-method": "POST", "authorization": f"Bearer {token}"}
        )
        assert not [name for name in answer.headers if name.startswith("access-control")], address


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/nowhere", 404, "not_found"),
        ("PATCH", "/api/tokens", 405, "method_not_allowed"),
        ("GET", "/api/login", 405, "method_not_allowed"),
        ("GET", "/nowhere", 404, "not_found"),
        ("POST", "/manage", 405, "method_not_allowed"),
    ],
)
async def test_unknown_address_is_told_as_every_error_is(
    client: Client, method: str, path: str, status: int, code: str
) -> None:
    answer = await client.request(method, path)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["cache-control"] == "no-store"


async def test_description_has_no_other_pages(client: Client, tokens: dict[Role, str]) -> None:
    for path in ("/schema/x", "/schema/x.json", "/schema/x.html"):
        answer = await client.get(path, headers=bearing(tokens[Role.VIEWER]))
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
        assert answer.json()["request_id"] == answer.headers["x-request-id"], path


@pytest.mark.parametrize(
    ("path", "new"), [("/", "/console"), ("/manage", "/console/accounts"), ("/test", "/console/playground")]
)
async def test_pages_of_the_former_server_lead_to_the_new_ones(client: Client, path: str, new: str) -> None:
    answer = await client.get(path)

    assert (answer.status_code, answer.headers["location"]) == (307, new)
    assert (await client.get("/login")).status_code == 200


class TestBodies:
    @pytest.fixture
    def admin(self, client: Client, tokens: dict[Role, str]) -> Client:
        client.headers["authorization"] = f"Bearer {tokens[Role.OWNER]}"
        return client

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/api/login", {"username": "ada", "password": "x", "role": "owner"}),
            ("/api/admin/config", {"error_ban_threshold": 3, "policy": "random"}),
            ("/api/tokens", {"st": "x" * 400, "id": 7}),
            ("/api/tokens", {"st": "x" * 400, "credits": 10_000}),
            ("/api/admin/debug", {"enabled": True, "path": "/etc/passwd"}),
        ],
    )
    async def test_field_that_is_not_known_is_refused(self, admin: Client, path: str, body: dict[str, object]) -> None:
        answer = await admin.post(path, json=body)

        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_value")
        assert "unknown field" in answer.json()["detail"]

    async def test_value_is_never_repeated(self, admin: Client) -> None:
        answer = await admin.post("/api/login", json={"username": "ada", "password": {"secret": "hunter2hunter2"}})

        assert answer.status_code == 400
        assert "hunter2" not in answer.text
        assert "password" in answer.json()["detail"]

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 50_000])
    async def test_what_is_no_json_is_refused(self, admin: Client, body: bytes) -> None:
        answer = await admin.post("/api/login", content=body, headers={"content-type": "application/json"})

        assert answer.status_code == 400
        assert set(answer.json()) == {"detail", "code", "request_id"}

    async def test_what_is_no_json_is_named(self, admin: Client) -> None:
        answer = await admin.post("/api/login", content=b"{", headers={"content-type": "application/json"})

        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_json")
        assert answer.json()["detail"] == "The body is no JSON; send a JSON object."

    async def test_large_body_is_refused(self, admin: Client) -> None:
        answer = await admin.post("/api/login", json={"username": "ada", "password": "x" * 2_000_000})

        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")

    async def test_compressed_body_is_refused(self, admin: Client) -> None:
        answer = await admin.post("/api/login", content=b"x", headers={"content-encoding": "gzip"})

        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


async def test_counts_in_health_are_an_option(client: Client, services: Services) -> None:
    nobody = Actor(name="tests", door="tests")
    await services.options.change({"health_counts": False}, nobody)
    few = await client.get("/health")
    await services.options.change({"health_counts": None}, nobody)

    assert few.json() == {"backend_running": True, "has_active_tokens": False}
    assert few.headers["cache-control"] == "no-store"
    assert (await client.get("/health")).json()["total_tokens"] == 0


async def test_setting_opens_the_metrics(tmp_path: Path) -> None:
    services = services_at(tmp_path, FLOW2API_OPEN_METRICS="true")
    async with running(services), visiting(create_app(services)) as client:
        answer = await client.get("/metrics")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "# TYPE flow2api_accounts gauge" in answer.text


async def test_word_that_is_no_proxy_is_told_with_the_nearest_name(
    client: Client, services: Services, tokens: dict[Role, str]
) -> None:
    headers = bearing(tokens[Role.OWNER])
    await services.operating.proxies.add("http://192.0.2.1:8080", Actor(name="tests", door="tests"), name="berlin")

    answers = [
        await client.post(path, json={"proxy_url": "berlni"} | more, headers=headers)
        for path, more in (("/api/proxy/test", {}), ("/api/proxy/config", {"proxy_enabled": True}))
    ]

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_value")
        assert answer.json()["detail"] == "No proxy or pool of proxies has this name. Did you mean 'berlin'?"
