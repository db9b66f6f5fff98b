"""The handlers of the pages."""

from datetime import timedelta
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency

from flow2api.adapters.console.errors import sentence_of
from flow2api.adapters.console.forms import Form, read_button, read_form
from flow2api.adapters.console.guards import LEAST_ROLE
from flow2api.adapters.console.keys.listing import key_list
from flow2api.adapters.console.keys.rule_fields import BESIDE, FIELD_OF, MARK, RULE_FIELDS, read_rules, typed
from flow2api.adapters.console.keys.views import (
    OVERLAPS_H,
    PATH,
    KeyView,
    ShownKey,
    new_key,
    one_key,
    view_of,
)
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.links import Id
from flow2api.adapters.console.passphrase import FIELD as PASSPHRASE
from flow2api.adapters.console.passphrase import confirm
from flow2api.adapters.console.visit import Visit
from flow2api.domain.errors import ChangedMeanwhileError, ConflictError, UnsupportedInputError
from flow2api.domain.key_rules import NO_RULES
from flow2api.domain.operator import Role

_FIELDS = ("name", "tag", "profile")
_ALL_FIELDS = (*_FIELDS, *RULE_FIELDS)
_FIELD_OF = {"name": "name", "tags": "tag", "profile": "profile", **FIELD_OF}
_OVERLAP, _WAS_NAME = "overlap_hours", "was_name"
_OWNER = {LEAST_ROLE: Role.OWNER}


class KeysController(Controller):
    """Keys of clients: made, changed, rotated and revoked by owners, seen by everybody who is signed in."""

    path = PATH

    @get()
    async def list_keys(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """All keys."""
        view = await key_list(
            visit.doors,
            text=visit.query("q").strip(),
            state=visit.query("state"),
            sort=visit.query("sort"),
            after=visit.query("after"),
        )
        return await visit.page("keys/index.html", view, area="keys")

    @get("/create", opt=_OWNER)
    async def ask(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """The form for a new key."""
        return await visit.page("keys/create.html", await new_key(visit.doors), area="keys", form=Form())

    @post("/create", opt=_OWNER)
    async def create(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Make it, and show its text this once: it goes into no cookie and no address, so that nothing keeps it."""
        form = await read_form(visit.request, (*_ALL_FIELDS, MARK))
        name, tag, profile = (form.text(field) for field in _FIELDS)
        rules = read_rules(form, NO_RULES)
        if not form.errors:
            try:
                key, text = await visit.doors.keys.create(
                    name or None, tag=tag, profile=profile or None, rules=rules, actor=visit.actor
                )
            except (UnsupportedInputError, ConflictError) as error:
                _refuse(form, error)
            else:
                return await self._shown(visit, ShownKey(view_of(visit.doors, key), text.reveal(), _base_url(visit)))
        return await visit.page("keys/create.html", await new_key(visit.doors), area="keys", status=422, form=form)

    @get("/{key_id:int}")
    async def show(self, visit: NamedDependency[Visit], key_id: Id) -> Response[Any]:
        """One key."""
        return await visit.page(
            "keys/show.html", await one_key(visit.doors, await visit.doors.keys.get(key_id)), area="keys", form=Form()
        )

    @post("/{key_id:int}", opt=_OWNER)
    async def change(self, visit: NamedDependency[Visit], key_id: Id) -> Response[Any]:
        """Change what it is called and may do; what somebody else has changed meanwhile is shown instead."""
        form = await read_form(visit.request, (*_ALL_FIELDS, *(f"was_{field}" for field in _ALL_FIELDS), MARK))
        seen = await visit.doors.keys.get(key_id)
        view = await one_key(visit.doors, seen)
        name, tag, profile = (form.text(field, is_needed=field == "name") for field in _FIELDS)
        rules = read_rules(form, view.key.facts.rules)
        status = 422
        if _tell_of_changes(form, view.key):
            status = 409
        elif not form.errors:
            try:
                await visit.doors.keys.update(
                    str(key_id), name=name, tag=tag, profile=profile, rules=rules, actor=visit.actor, seen=seen
                )
            except (UnsupportedInputError, ConflictError) as error:
                _refuse(form, error)
            else:
                await visit.doors.reload_keys()
                return visit.see(f"{PATH}/{key_id}", gettext("Saved; it holds from the next request on."))
        return await visit.page("keys/show.html", view, area="keys", status=status, form=form)

    @get("/{key_id:int}/rotate", opt=_OWNER)
    async def ask_rotation(self, visit: NamedDependency[Visit], key_id: Id) -> Response[Any]:
        """What rotating does, and the passphrase that it takes."""
        return await visit.page(
            "keys/rotate.html", await one_key(visit.doors, await visit.doors.keys.get(key_id)), area="keys", form=Form()
        )

    @post("/{key_id:int}/rotate", opt=_OWNER)
    async def rotate(self, visit: NamedDependency[Visit], key_id: Id) -> Response[Any]:
        """Put a new key in its place, which is shown this once; the former text goes on opening until it is revoked.

        It takes the passphrase once more: a page left open must not be enough to get at a key that works.
        """
        form = await read_form(visit.request, (PASSPHRASE, _OVERLAP, _WAS_NAME))
        view = await one_key(visit.doors, await visit.doors.keys.get(key_id))
        hours = form.choice(_OVERLAP, [str(one) for one in OVERLAPS_H])
        if form.value(_WAS_NAME, view.key.facts.name) != view.key.facts.name:
            # Most likely the button was pressed twice, and the first press has done it.
            told = gettext("This key is called “%(name)s” now; look whether it was rotated already.")
            form.refuse("", told % {"name": view.key.facts.name})
            form.values[_WAS_NAME] = view.key.facts.name
            status = 409
        else:
            status = await confirm(form, visit)
        if form.errors:
            return await visit.page("keys/rotate.html", view, area="keys", status=status, form=form)
        overlap = timedelta(hours=int(hours)) if hours else None
        key, text = await visit.doors.keys.rotate(str(key_id), visit.actor, overlap=overlap)
        former = view_of(visit.doors, await visit.doors.keys.get(view.key.facts.id))
        shown = ShownKey(view_of(visit.doors, key), text.reveal(), _base_url(visit), former)
        return await self._shown(visit, shown)

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
    if isinstance(error, ChangedMeanwhileError):
        field = ""
    else:
        field = "name" if isinstance(error, ConflictError) else _FIELD_OF.get(error.param or "", "")
    form.refuse(field, sentence_of(error))


def _tell_of_changes(form: Form, key: KeyView) -> bool:
    """Note what has another value than the page had from which the form was sent; whether there is any."""
    now = {
        "name": key.facts.name,
        "tag": key.facts.tag or "",
        "profile": key.facts.profile or "",
        **typed(key.facts.rules),
    }
    changed = [field for field in _ALL_FIELDS if _unbroken(form.value(f"was_{field}", now[field])) != now[field]]
    opens = ", ".join(key.scopes) or gettext("everything")
    for field in changed:
        value = (opens if field in BESIDE else now[field]) or gettext("none")
        form.refuse(
            BESIDE.get(field, field), gettext("Somebody has changed this to “%(value)s” meanwhile.") % {"value": value}
        )
        form.values[f"was_{field}"] = now[field]
    return bool(changed)


def _unbroken(text: str) -> str:
    """A text as it was before a browser sent it, which makes two characters of each end of line."""
    return text.replace("\r\n", "\n")
