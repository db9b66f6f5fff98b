"""The handlers of the pages."""

from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency

from flow2api.adapters.console.errors import sentence_of
from flow2api.adapters.console.forms import Form, read_button, read_form
from flow2api.adapters.console.guards import LEAST_ROLE
from flow2api.adapters.console.keys.views import PATH, KeyView, ShownKey, key_list, new_key, one_key, view_of
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.links import Id
from flow2api.adapters.console.passphrase import FIELD as PASSPHRASE
from flow2api.adapters.console.passphrase import confirm
from flow2api.adapters.console.visit import Visit
from flow2api.domain.errors import ConflictError, UnsupportedInputError
from flow2api.domain.operator import Role

_FIELDS = ("name", "tag", "profile")
_FIELD_OF = {"name": "name", "tags": "tag", "profile": "profile"}
_OWNER = {LEAST_ROLE: Role.OWNER}


class KeysController(Controller):
    """Keys of clients: made, changed, rotated and revoked by owners, seen by everybody who is signed in."""

    path = PATH

    @get()
    async def list_keys(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """All keys."""
        view = await key_list(
            visit.doors, text=visit.query("q").strip(), state=visit.query("state"), after=visit.query("after")
        )
        return await visit.page("keys/index.html", view, area="keys")

    @get("/create", opt=_OWNER)
    async def ask(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """The form for a new key."""
        return await visit.page("keys/create.html", await new_key(visit.doors), area="keys", form=Form())

    @post("/create", opt=_OWNER)
    async def create(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Make it, and show its text this once: it goes into no cookie and no address, so that nothing keeps it."""
        form = await read_form(visit.request, _FIELDS)
        name, tag, profile = (form.text(field) for field in _FIELDS)
        if not form.errors:
            try:
                key, text = await visit.doors.keys.create(
                    name or None, tag=tag, profile=profile or None, actor=visit.actor
                )
            except (UnsupportedInputError, ConflictError) as error:
                _refuse(form, error)
            else:
                return await self._shown(visit, ShownKey(view_of(key), text.reveal(), _base_url(visit)))
        return await visit.page("keys/create.html", await new_key(visit.doors), area="keys", status=422, form=form)

    @get("/{key_id:int}")
    async def show(self, visit: NamedDependency[Visit], key_id: Id) -> Response[Any]:
        """One key."""
        return await visit.page("keys/show.html", await one_key(visit.doors, key_id), area="keys", form=Form())

    @post("/{key_id:int}", opt=_OWNER)
    async def change(self, visit: NamedDependency[Visit], key_id: Id) -> Response[Any]:
        """Give it another name, tag or profile; what somebody else has changed meanwhile is shown instead."""
        form = await read_form(visit.request, (*_FIELDS, *(f"was_{field}" for field in _FIELDS)))
        view = await one_key(visit.doors, key_id)
        name, tag, profile = (form.text(field, is_needed=field == "name") for field in _FIELDS)
        status = 422
        if _tell_of_changes(form, view.key):
            status = 409
        elif not form.errors:
            try:
                await visit.doors.keys.update(str(key_id), name=name, tag=tag, profile=profile, actor=visit.actor)
            except (UnsupportedInputError, ConflictError) as error:
                _refuse(form, error)
            else:
                await visit.doors.reload_keys()
                return visit.see(f"{PATH}/{key_id}", gettext("Saved; it holds from the next request on."))
        return await visit.page("keys/show.html", view, area="keys", status=status, form=form)

    @get("/{key_id:int}/rotate", opt=_OWNER)
    async def ask_rotation(self, visit: NamedDependency[Visit], key_id: Id) -> Response[Any]:
        """What rotating does, and the passphrase that it takes."""
        return await visit.page("keys/rotate.html", await one_key(visit.doors, key_id), area="keys", form=Form())

    @post("/{key_id:int}/rotate", opt=_OWNER)
    async def rotate(self, visit: NamedDependency[Visit], key_id: Id) -> Response[Any]:
        """Put a new key in its place, which is shown this once; the former text goes on opening until it is revoked.

        It takes the passphrase once more: a page left open must not be enough to get at a key that works.
        """
        form = await read_form(visit.request, (PASSPHRASE,))
        view = await one_key(visit.doors, key_id)
        status = await confirm(form, visit)
        if form.errors:
            return await visit.page("keys/rotate.html", view, area="keys", status=status, form=form)
        key, text = await visit.doors.keys.rotate(str(key_id), visit.actor)
        renamed = await visit.doors.keys.get(view.key.id)
        return await self._shown(visit, ShownKey(view_of(key), text.reveal(), _base_url(visit), renamed.name))

    @post("/{key_id:int}/revoke", opt=_OWNER)
    async def revoke(self, visit: NamedDependency[Visit], key_id: Id) -> Response[Any]:
        """Let it open nothing any more."""
        await read_button(visit.request)
        key = await visit.doors.keys.revoke(str(key_id), visit.actor)
        await visit.doors.reload_keys()
        return visit.see(PATH, gettext("%(name)s opens nothing any more.") % {"name": key.name})

    async def _shown(self, visit: Visit, shown: ShownKey) -> Response[Any]:
        await visit.doors.reload_keys()
        return await visit.page("keys/created.html", shown, area="keys", status=201)


def _base_url(visit: Visit) -> str:
    return f"{visit.reached_url.rstrip('/')}/v1"


def _refuse(form: Form, error: UnsupportedInputError | ConflictError) -> None:
    field = "name" if isinstance(error, ConflictError) else _FIELD_OF.get(error.param or "", "")
    form.refuse(field, sentence_of(error))


def _tell_of_changes(form: Form, key: KeyView) -> bool:
    """Note what has another value than the page had from which the form was sent; whether there is any."""
    now = {"name": key.name, "tag": key.tag or "", "profile": key.profile or ""}
    changed = [field for field in _FIELDS if form.value(f"was_{field}", now[field]) != now[field]]
    for field in changed:
        value = now[field] or gettext("none")
        form.refuse(field, gettext("Somebody has changed this to “%(value)s” meanwhile.") % {"value": value})
        form.values[f"was_{field}"] = now[field]
    return bool(changed)
