"""How the page of a group is answered, whoever of its forms was sent."""

from typing import Any

from litestar import Response
from litestar.exceptions import NotFoundException

from flow2api.adapters.console.forms import Form
from flow2api.adapters.console.settings.beside import beside
from flow2api.adapters.console.settings.drafts import Draft
from flow2api.adapters.console.settings.groups import Group, groups
from flow2api.adapters.console.settings.views import page_of
from flow2api.adapters.console.visit import Visit
from flow2api.domain.options import OptionStanding
from flow2api.domain.secret import Secret

PATH = "/console/settings"


async def standing_of(visit: Visit) -> dict[str, OptionStanding]:
    """Every option as it stands, by its name."""
    return {one.name: one for one in await visit.doors.options.standing()}


def group_named(name: str) -> Group:
    """The group of this name.

    Raises:
        NotFoundException: There is none.
    """
    found = next((one for one in groups() if one.name == name), None)
    if found is None:
        raise NotFoundException
    return found


async def group_page(
    visit: Visit,
    group: Group,
    draft: Draft | None = None,
    *,
    beside_form: Form | None = None,
    signing: Secret | None = None,
    status: int = 200,
    template: str = "settings/group.html",
) -> Response[Any]:
    """The page of a group.

    Args:
        draft: What was typed into its options.
        beside_form: What was typed into a form beside them.
        signing: The new signing secret of a webhook, shown this once.
    """
    draft = draft or Draft()
    aside = await beside(visit, group.name, beside_form or Form(), signing)
    view = await page_of(visit, group, draft, await standing_of(visit), aside)
    return await visit.page(
        template, view, area="settings", status=status, form=draft.form, beside_form=beside_form or Form()
    )
