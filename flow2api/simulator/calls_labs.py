"""The calls of the labs base that a session cookie opens: exchange, projects, media redirect."""

from email.utils import formatdate
from typing import Any

import msgspec

from flow2api.simulator.accounts import Account
from flow2api.simulator.answer import Response, html_response, json_response
from flow2api.simulator.call import Call
from flow2api.simulator.checks import read_body
from flow2api.simulator.clock import rfc3339
from flow2api.simulator.errors import LabsError
from flow2api.simulator.ids import new_uuid
from flow2api.simulator.request_bodies import Trpc
from flow2api.simulator.world import World

COOKIE = "__Secure-next-auth.session-token"
NEW_HOME = "https://flow.google.com/"
TRPC = msgspec.json.Decoder(Trpc)
REUSE_SHARE = 0.98
"""An access token with more than this share of its life ahead is handed out again."""


async def exchange(world: World, call: Call) -> Response:
    """Session token to access token, with every way in which it can go wrong (Flow, 2025-11 to 2026-09)."""
    now = world.clock.now()
    found = world.book.read_session(call.cookie, now)
    if found is None:
        return json_response({})
    account, generation = found
    knobs = account.knobs
    if knobs.migrated:
        return moved()
    if knobs.revoked != "no":
        return json_response({}, 401 if knobs.revoked == "unauthorized" else 200)
    if knobs.refresh_needed or generation < account.broken_below:
        world.book.mint_access(account, now).dead = True
        broken = {"error": "ACCESS_TOKEN_REFRESH_NEEDED"}
        return json_response(session(account, now - 60) | broken, headers=rotation(world, account, now))
    if knobs.stale_then_rotate:
        knobs.stale_then_rotate = False
        account.generation += 1
        account.stale_below = account.generation
    if generation < account.stale_below:
        if not account.access_token:
            world.book.mint_access(account, now - knobs.at_lifetime_s)
        return json_response(session(account, now - 60), headers=rotation(world, account, now, always=True))
    expires = fresh_access(world, account, now)
    return json_response(session(account, expires), headers=rotation(world, account, now))


def fresh_access(world: World, account: Account, now: float) -> float:
    """Sees that the account has a young access token; returns when it expires."""
    entry = world.book.access(account.access_token) if account.access_token else None
    if entry is None or entry.dead or entry.expires_at - now < REUSE_SHARE * account.knobs.at_lifetime_s:
        entry = world.book.mint_access(account, now)
    return entry.expires_at


def session(account: Account, expires: float) -> dict[str, Any]:
    """The body of a session answer."""
    knobs = account.knobs
    user = {"name": knobs.name, "email": knobs.email, "image": f"https://lh3.googleusercontent.com/a/{account.id}"}
    return {"user": user, "expires": rfc3339(expires), "access_token": account.access_token}


def rotation(world: World, account: Account, now: float, *, always: bool = False) -> list[tuple[bytes, bytes]]:
    """The cookie with a new session token, if the account rotates."""
    if not (account.knobs.rotate or always):
        return []
    token = world.book.mint_session(account, now)
    expires = formatdate(now + account.knobs.st_window_s, usegmt=True)
    cookie = f"{COOKIE}={token}; Path=/; Expires={expires}; HttpOnly; Secure; SameSite=Lax"
    return [(b"set-cookie", cookie.encode())]


def moved() -> Response:
    """What a migrated account gets: the way to the new host."""
    return Response(307, b"", headers=[(b"location", NEW_HOME.encode())])


def trpc_result(result: Any) -> Response:
    """A good answer of the labs base."""
    return json_response({"result": {"data": {"json": {"result": result, "status": 200, "statusText": "OK"}}}})


def signed_in(world: World, call: Call) -> Account:
    """The account of the session cookie.

    Raises:
        LabsError: 401.
    """
    found = world.book.read_session(call.cookie, world.clock.now())
    if found is None or found[0].knobs.revoked != "no" or found[1] < found[0].broken_below:
        raise LabsError(401)
    return found[0]


async def create_project(world: World, call: Call) -> Response:
    """Makes a project of the account."""
    account = signed_in(world, call)
    if account.knobs.migrated:
        return moved()
    title = str(read_body(call, TRPC).json.get("projectTitle") or "Untitled")
    project = new_uuid()
    account.projects[project] = (title, world.clock.now())
    return trpc_result({"projectId": project, "projectInfo": {"projectTitle": title}})


async def delete_project(world: World, call: Call) -> Response:
    """Deletes a project; later calls that name it are refused."""
    account = signed_in(world, call)
    project = str(read_body(call, TRPC).json.get("projectToDeleteId") or "")
    if account.projects.pop(project, None) is None:
        raise LabsError(404)
    return trpc_result({})


async def list_projects(world: World, call: Call) -> Response:
    """The account's projects."""
    account = signed_in(world, call)
    rows = [project_row(project, *entry) for project, entry in account.projects.items()]
    return trpc_result({"projects": rows})


def project_row(project: str, title: str, created_at: float) -> dict[str, Any]:
    """A project as the list shows it."""
    info = {"projectTitle": title}
    return {"projectId": project, "projectInfo": info, "creationTime": rfc3339(created_at), "agentInfo": {}}


async def project_data(world: World, call: Call) -> Response:
    """A project's contents and the model list of the era."""
    account = signed_in(world, call)
    asked = msgspec.json.decode(call.arguments().get("input", "{}") or "{}", type=dict[str, Any])
    project = str((asked.get("json") or {}).get("projectId") or "")
    if project not in account.projects:
        raise LabsError(404)
    keys = world.model_keys[world.options.era].items()
    models = [{"modelKey": name, "kind": key.kind, "videoLengthSeconds": key.seconds} for name, key in keys]
    row = project_row(project, *account.projects[project])
    return trpc_result({"project": row, "modelConfig": {"models": models}})


async def delete_media(world: World, call: Call) -> Response:
    """Forgets media of the account; others are left alone."""
    account = signed_in(world, call)
    names = read_body(call, TRPC).json.get("names")
    for name in names if isinstance(names, list) else []:
        world.kept.remove(str(name), account)
    return trpc_result({})


async def media_redirect(world: World, call: Call) -> Response:
    """The way to a media's bytes: 307 to a signed link (Flow, 2026-05 on).

    A dead session gets the sign-in page with status 200, as upstream does.
    """
    try:
        account = signed_in(world, call)
    except LabsError:
        return html_response("Sign in")
    if account.knobs.migrated:
        raise LabsError(404)
    arguments = call.arguments()
    item = world.kept.items.get(arguments.get("name", ""))
    now = world.clock.now()
    if item is None or item.account is not account or item.ready_at > now:
        raise LabsError(404)
    if item.not_found_left > 0:
        item.not_found_left -= 1
        raise LabsError(404)
    folder: Any = "image" if arguments.get("mediaUrlType") == "MEDIA_URL_TYPE_THUMBNAIL" else "video"
    if item.kind != "video":
        folder = "image"
    link = world.links.content(folder, item.key, now + world.options.url_lifetime_s)
    if fault := call.fault("redirect"):
        link = fault.location
    return Response(307, b"", headers=[(b"location", link.encode())])
