"""The page of deleted accounts that can still be brought back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import Parameter

from flow2api.adapters.console.account_states import name_of
from flow2api.adapters.console.accounts.narrowing import PATH
from flow2api.adapters.console.errors import sentence_of
from flow2api.adapters.console.forms import read_button
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.visit import Visit
from flow2api.domain.errors import AccountNotFoundError, ConflictError
from flow2api.domain.trash import DeletedAccount

DELETED_PATH = f"{PATH}/deleted"
PAGE = 50

Id = Annotated[int, Parameter(ge=1, le=2**62)]


@dataclass(frozen=True, slots=True)
class DeletedRow:
    """A deleted account.

    Attributes:
        gone_at: Until when it can be brought back.
    """

    id: int
    name: str
    upstream: str
    by: str
    at: datetime
    gone_at: datetime


@dataclass(frozen=True, slots=True)
class DeletedPage:
    """The page.

    Attributes:
        later: The address of the next page; empty when there is none.
        keeps_deleted: Whether the storage keeps deleted accounts at all.
    """

    rows: Sequence[DeletedRow]
    count: int
    first: str
    later: str
    keeps_deleted: bool


class DeletedAccountsController(Controller):
    """Deleted accounts."""

    path = DELETED_PATH

    @get()
    async def show(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """The page."""
        return await visit.page("accounts/deleted.html", await _look(visit), area="accounts")

    @post("/{account_id:int}")
    async def restore(self, visit: NamedDependency[Visit], account_id: Id) -> Response[Any]:
        """Bring one back."""
        await read_button(visit.request, ())
        try:
            account = await visit.doors.restore(account_id, visit.actor)
        except AccountNotFoundError:
            return visit.see(DELETED_PATH, gettext("It can no longer be brought back; add it again."), kind="err")
        except ConflictError as error:
            return visit.see(DELETED_PATH, sentence_of(error), kind="err")
        return visit.see(f"{PATH}/{account.id}", gettext("%(name)s is back as it was.") % {"name": name_of(account)})


async def _look(visit: Visit) -> DeletedPage:
    restore, written = visit.doors.restore, visit.query("before")
    before = int(written) if written.isdecimal() and len(written) < 16 else None
    found = await restore.page(before=before, limit=PAGE + 1)
    shown = found[:PAGE]
    return DeletedPage(
        rows=[_row(one) for one in shown],
        count=await restore.count(),
        first=DELETED_PATH if before is not None else "",
        later=f"{DELETED_PATH}?before={shown[-1].account.id}" if len(found) > PAGE else "",
        keeps_deleted=restore.keeps_deleted,
    )


def _row(one: DeletedAccount) -> DeletedRow:
    return DeletedRow(
        one.account.id, name_of(one.account), one.account.upstream, one.deleted_by, one.deleted_at, one.gone_at
    )
