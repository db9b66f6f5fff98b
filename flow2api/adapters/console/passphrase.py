"""Asking once more for the passphrase of who is signed in, before what an open page alone must not be enough for."""

from dataclasses import dataclass
from typing import Any

from litestar import Response

from flow2api.adapters.console.errors import sentence_of, status_of
from flow2api.adapters.console.forms import Form
from flow2api.adapters.console.passphrases import refuse_open_way
from flow2api.adapters.console.visit import Visit
from flow2api.domain.errors import OperatorError
from flow2api.domain.secret import Secret

FIELD = "passphrase"
"""The field's name, where the form has no other passphrase."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page of a passphrase says.

    Attributes:
        area: The place of the page in the navigation.
        title: What is about to be done, as a question.
        words: What that means.
        why: Why the passphrase is asked for.
        action: Where the form goes, on this server.
        button: What its button says.
        back: Where it is left alone.
        place: What the page behind `back` is called.
    """

    area: str
    title: str
    words: str
    why: str
    action: str
    button: str
    back: str
    place: str


async def ask(visit: Visit, asked: Asked, form: Form | None = None, *, status: int = 200) -> Response[Any]:
    """The page that asks for the passphrase and nothing else."""
    return await visit.page("_layout/ask.html", asked, area=asked.area, form=form or Form(), status=status)


async def confirm(form: Form, visit: Visit, field: str = FIELD) -> int:
    """Look at the passphrase that was typed; a wrong one is noted in the form, and counts as a wrong try to sign in does.

    It is looked at last: while something else is wrong with the form, no try is counted.

    Returns:
        The status of the page that shows what is wrong; of no meaning when nothing is.
    """
    typed = form.secret(field, is_needed=True)
    refuse_open_way(form, visit.doors, visit.request)
    if form.errors:
        return 422
    try:
        await visit.doors.sign_in.confirm_passphrase(visit.here, Secret(typed), visit.visitor)
    except OperatorError as error:
        form.refuse(field, sentence_of(error))
        return status_of(error)
    return 200
