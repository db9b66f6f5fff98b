"""Asking once more for the passphrase of who is signed in, before what an open page alone must not be enough for."""

from flow2api.adapters.console.errors import sentence_of, status_of
from flow2api.adapters.console.forms import Form
from flow2api.adapters.console.visit import Visit
from flow2api.domain.errors import OperatorError
from flow2api.domain.secret import Secret

FIELD = "passphrase"
"""The field's name, where the form has no other passphrase."""


async def confirm(form: Form, visit: Visit, field: str = FIELD) -> int:
    """Look at the passphrase that was typed; a wrong one is noted in the form, and counts as a wrong try to sign in does.

    It is looked at last: while something else is wrong with the form, no try is counted.

    Returns:
        The status of the page that shows what is wrong; of no meaning when nothing is.
    """
    typed = form.secret(field, is_needed=True)
    if form.errors:
        return 422
    try:
        await visit.doors.sign_in.confirm_passphrase(visit.here, Secret(typed), visit.visitor)
    except OperatorError as error:
        form.refuse(field, sentence_of(error))
        return status_of(error)
    return 200
