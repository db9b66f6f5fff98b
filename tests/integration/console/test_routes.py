"""Every route of the console: who may, what refuses a foreign page, what no reading changes, what strange addresses meet."""

import html
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from litestar import Litestar

from flow2api.adapters.console.guards import FORM_FIELD, LEAST_ROLE
from flow2api.domain.audit import Actor
from flow2api.domain.operator import Role
from flow2api.domain.secret import Secret
from tests.integration.console.conftest import BASE, PASSPHRASE, Person, Site, text_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

OWN = {"origin": BASE, "sec-fetch-site": "same-origin"}
OPEN = {
    "/",
    "/language",
    "/login",
    "/manage",
    "/seen/{token:str}",
    "/setup",
    "/setup/strength",
    "/static/{file_name:str}",
    "/test",
}
"""What needs no session."""

OF_EVERYBODY = re.compile(
    r"/logout|/console/looks|/console/generations/gallery/download|/console/system/updates|/console/you\b.*"
)
"""What viewers may send: it concerns only themselves, or changes nothing."""

OF_OWNERS = {
    ("GET", "/console/accounts/export"),
    ("POST", "/console/accounts/export"),
    ("POST", "/console/accounts/extension/revoke"),
    ("POST", "/console/accounts/extension/token"),
    ("POST", "/console/connect/keys"),
    ("GET", "/console/keys/create"),
    ("POST", "/console/keys/create"),
    ("POST", "/console/keys/{key_id:int}"),
    ("POST", "/console/keys/{key_id:int}/revoke"),
    ("GET", "/console/keys/{key_id:int}/rotate"),
    ("POST", "/console/keys/{key_id:int}/rotate"),
    ("POST", "/console/requests/clear"),
}
"""What makes, shows or takes away what opens something."""

UNKNOWN_HUGE = "99999999999999999999999999"


class Route(NamedTuple):
    """A route, and the least role that its handler asks for."""

    method: str
    path: str
    least: Role

    def at(self, number: str, word: str) -> str:
        """Its address, with these in the places of ids."""
        return re.sub(r"\{\w+:str\}", word, re.sub(r"\{\w+:int\}", number, self.path))


def routes_of(app: Any) -> Iterator[Route]:
    assert isinstance(app, Litestar)
    for route in app.routes:
        for method, found in getattr(route, "route_handler_map", {}).items():
            handler = found[0] if isinstance(found, tuple) else found
            if method == "OPTIONS" or ".adapters.console" not in handler.fn.__module__:
                continue
            yield Route(method, route.path, handler.opt.get(LEAST_ROLE) or default_of(method))


def default_of(method: str) -> Role:
    return Role.VIEWER if method == "GET" else Role.OPERATOR


def routes(site: Site) -> list[Route]:
    transport: Any = site.owner.browser._transport
    return [route for route in routes_of(transport.app) if route.path not in OPEN]


def people(site: Site) -> dict[Role, Person]:
    return {Role.VIEWER: site.viewer, Role.OPERATOR: site.operator, Role.OWNER: site.owner}


async def test_routes_that_take_less_than_is_usual_are_known_and_what_opens_something_is_for_owners(site: Site) -> None:
    found = {(route.method, route.path): route.least for route in routes(site)}

    weaker = [path for (method, path), least in found.items() if method != "GET" and least is Role.VIEWER]
    assert [path for path in weaker if not OF_EVERYBODY.fullmatch(path)] == []
    assert {one for one in OF_OWNERS if one in found and found[one] is not Role.OWNER} == set()
    assert len(found) > 60


async def test_nobody_without_a_session_gets_past_the_door(site: Site) -> None:
    for route in routes(site):
        answer = await site.stranger.browser.request(route.method, route.at("1", "x"), headers=OWN)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/login"), route


async def test_key_of_a_client_opens_no_page(site: Site) -> None:
    _, text = await site.services.operating.keys.create("no page", actor=None)
    for headers in ({"authorization": f"Bearer {text.reveal()}"}, {"x-api-key": text.reveal()}):
        answer = await site.stranger.browser.get("/console/accounts", headers=headers)
        assert answer.status_code == 303
    site.stranger.browser.cookies.clear()


async def test_every_role_does_what_it_may_and_only_with_a_form_of_its_own_session(site: Site) -> None:
    foreign = await site.viewer.token()
    for route in routes(site):
        for role, person in people(site).items():
            headers = OWN | ({"x-csrf-token": foreign[::-1]} if route.method != "GET" else {})
            if route.method == "GET" and role.includes(route.least):
                continue  # that they are read is seen in the tests of each page
            answer = await person.browser.request(route.method, route.at("987654", "none"), headers=headers)
            refused = "This takes the role" in answer.text
            assert refused is not role.includes(route.least), (route, role, answer.status_code)
            if route.method != "GET" and not refused:
                assert answer.status_code == 403, (route, role)
                assert "out of date" in answer.text, (route, role)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.test"},
        {"origin": "null"},
        {"origin": "null", "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": f"{BASE}.evil.test", "sec-fetch-site": "same-origin"},
    ],
)
async def test_page_of_another_site_sends_nothing(site: Site, headers: dict[str, str]) -> None:
    token = await site.owner.token()
    for route in routes(site):
        if route.method == "GET":
            continue
        data = {FORM_FIELD: token}
        answer = await site.owner.browser.request(route.method, route.at("1", "x"), data=data, headers=headers)
        assert answer.status_code == 403, route
        assert "another site" in answer.text, route


async def test_field_that_a_form_does_not_have_is_refused_before_anything_is_done(site: Site) -> None:
    places = await things(site)
    token, before = await site.owner.token(), await counts(site)
    untold = []
    for route in routes(site):
        if route.method == "GET":
            continue
        path = at_thing(route, places)
        fields = {FORM_FIELD: token, "passphrase": PASSPHRASE.reveal(), "smuggled": "owner"}
        answer = await site.owner.browser.post(path, data=fields, headers=OWN)
        assert answer.status_code == 422, (path, answer.status_code, text_of(answer.text)[:300])
        if "a field that is not known here" not in html.unescape(answer.text):
            untold.append(path)

    assert not untold, " ".join(untold)
    after = await counts(site)
    assert {name for name in before if after[name] != before[name]} <= {"health_events"}  # written when the journal is
    assert (await site.owner.browser.get("/console")).status_code == 200
    await clear(site, places)


async def test_reading_changes_no_record(site: Site) -> None:
    before = after = await counts(site)
    for _ in range(3):  # what others have begun before may come to its end meanwhile, once
        before = after
        for route in routes(site):
            if route.method == "GET" and route.path != "/console/events":
                await site.owner.browser.get(route.at("1", "none"))
        after = await counts(site)
        if after == before:
            return

    pytest.fail(f"reading has written: {[name for name in after if after[name] != before[name]]}")


@pytest.mark.parametrize("number", ["0", "9223372036854775808", UNKNOWN_HUGE, "1" * 5000, "٩٨٧٦٥٤", "-1"])
async def test_strange_number_in_an_address_is_told_and_breaks_nothing(site: Site, number: str) -> None:
    token = await site.owner.token()
    for route in routes(site):
        if ":int}" not in route.path:
            continue
        answer = await site.owner.browser.request(
            route.method, route.at(number, "none"), data={FORM_FIELD: token} if route.method != "GET" else None,
            headers=OWN,
        )  # fmt: skip
        assert answer.status_code in (303, 400, 404, 422), (route, answer.status_code)


@pytest.mark.parametrize("word", ["%00", "%F0%9F%92%A9", "..%2F..%2Fetc", "a" * 3000, "%ED%A0%80", "%25"])
async def test_strange_word_in_an_address_or_query_is_told_and_breaks_nothing(site: Site, word: str) -> None:
    token = await site.owner.token()
    names = ("q", "after", "before", "state", "span", "run", "of", "sort", "tag", "model", "key", "account", "name",
             "upstream", "again", "picture", "extend", "open", "show", "kind", "from", "to", "actor", "action")  # fmt: skip
    query = "&".join(f"{name}={word[:400]}" for name in names)
    for route in routes(site):
        if route.path == "/console/events":
            continue
        if route.method == "GET":
            answers = [await site.owner.browser.get(f"{route.at('1', word)}?{query}")]
        elif ":str}" in route.path:
            path = route.at("1", word)
            answers = [await site.owner.browser.post(path, data={FORM_FIELD: token}, headers=OWN)]
        else:
            continue
        for answer in answers:
            assert answer.status_code < 500, (route, str(answer.url)[-80:], text_of(answer.text)[:300])


async def test_form_that_is_none_is_told_as_one(site: Site) -> None:
    for kind in ("multipart/form-data", "multipart/form-data; boundary=b"):
        answer = await site.stranger.browser.post("/login", content=b"--b\r\nx", headers={**OWN, "content-type": kind})
        assert answer.status_code == 400


async def things(site: Site) -> dict[str, str]:
    """One thing of each kind that is named in an address, by how its addresses begin."""
    services, actor = site.services.operating, Actor(name="tests", door="cli")
    key, _ = await services.keys.create(None, actor=actor)
    proxy = await services.proxies.add("http://127.0.0.1:19", actor)
    webhook = await services.webhooks.add("walked", Secret("https://hooks.example.test/"), actor)
    target = await services.notify_targets.add("walked", Secret("json://127.0.0.1:9"), actor)
    return {
        "/console/accounts": str(await site.account()),
        "/console/keys": str(key.id),
        "/console/notify-targets": str(target.id),
        "/console/operators": str((await site.services.entrance.operators.named("viewer")).id),
        "/console/proxies": proxy.name,
        "/console/settings": "balancing",
        "/console/webhooks": str(webhook.id),
    }


async def clear(site: Site, places: dict[str, str]) -> None:
    """Have none of these things that other tests would come upon."""
    services, actor = site.services.operating, Actor(name="tests", door="cli")
    await services.webhooks.remove(places["/console/webhooks"], actor)
    await services.notify_targets.remove(places["/console/notify-targets"], actor)
    proxy = await services.proxies.named(places["/console/proxies"])
    await services.proxies.remove(proxy, actor, site.services.options())
    await services.keys.revoke(places["/console/keys"], actor)
    await services.accounts.remove(int(places["/console/accounts"]), actor)


def at_thing(route: Route, places: dict[str, str]) -> str:
    """The address of a route for the thing of its kind."""
    thing = next((thing for begin, thing in places.items() if route.path.startswith(begin)), "none")
    return re.sub(r"\{\w+:\w+\}", thing, route.path)


async def counts(site: Site) -> dict[str, int]:
    """How many rows each table has."""
    path = next(site.services.settings.data_dir.glob("*.db"))
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        names = sa.inspect(connection).get_table_names()
        found = {name: connection.scalar(sa.text(f'SELECT count(*) FROM "{name}"')) or 0 for name in names}
    engine.dispose()
    return found
