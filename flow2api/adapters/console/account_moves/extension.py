"""How the former server's browser extension gets in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency

from flow2api.adapters.console.forms import read_button, read_form
from flow2api.adapters.console.guards import LEAST_ROLE
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.passphrase import FIELD as PASSPHRASE
from flow2api.adapters.console.passphrase import Asked, ask, confirm
from flow2api.adapters.console.visit import Visit
from flow2api.domain.operator import Role

PATH = "/console/accounts/extension"


@dataclass(frozen=True, slots=True)
class ExtensionView:
    """The page.

    Attributes:
        url: Where the extension posts to.
        has_token: Whether there is a token that lets it in.
        prefix: How that begins; empty when the operator has chosen it.
        made: The token in full, right after it was made and never again.
        may_enable: Whether what it brings switches an account on again.
    """

    url: str
    has_token: bool
    prefix: str
    made_at: datetime | None
    made: str
    may_enable: bool


class ExtensionController(Controller):
    """The connection token."""

    path = PATH

    @get(opt={LEAST_ROLE: Role.OPERATOR})
    async def show(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """What the extension needs; its token masked."""
        return await _page(visit)

    @get("/token", opt={LEAST_ROLE: Role.OWNER})
    async def ask_to_make(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """What a new token does, and the passphrase that it takes."""
        return await ask(visit, _asked())

    @post("/token", status_code=200, opt={LEAST_ROLE: Role.OWNER})
    async def make(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Make a token in the place of the former one, once the passphrase was given; this answer alone shows it."""
        form = await read_form(visit.request, (PASSPHRASE,))
        status = await confirm(form, visit)
        if form.errors:
            return await ask(visit, _asked(), form, status=status)
        _, text = await visit.doors.connection.rotate(actor=visit.actor)
        return await _page(visit, text.reveal())

    @post("/revoke", status_code=303, opt={LEAST_ROLE: Role.OWNER})
    async def revoke(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Let no extension in."""
        await read_button(visit.request)
        await visit.doors.connection.revoke(visit.actor)
        return visit.see(PATH, gettext("No extension gets in any more."))


def _asked() -> Asked:
    return Asked(
        area="accounts",
        title=gettext("Make a new connection token?"),
        words=gettext("The extension takes the new one; one that is in use now opens nothing any more."),
        why=gettext("Asked again because the page that follows shows the token in full."),
        action=f"{PATH}/token",
        button=gettext("Make a token"),
        back=PATH,
        place=gettext("Browser extension"),
    )


async def _page(visit: Visit, made: str = "") -> Response[Any]:
    token = await visit.doors.connection.current()
    view = ExtensionView(
        url=f"{visit.reached_url}/api/plugin/update-token",
        has_token=token is not None,
        prefix="" if token is None else token.prefix,
        made_at=None if token is None else token.created_at,
        made=made,
        may_enable=visit.doors.options().auto_enable_on_update,
    )
    return await visit.page("account_moves/extension.html", view, area="accounts")
