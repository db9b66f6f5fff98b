"""Errors of the program as a form tells them: beside the field that is to blame, or above all of them."""

from collections.abc import Collection

from flow2api.adapters.console.errors import sentence_of
from flow2api.adapters.console.forms import Form
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.wording import duration
from flow2api.domain.errors import Flow2ApiError, RequestError, TooManyTriesError


def refuse(form: Form, error: Flow2ApiError, fields: Collection[str], *, at: str = "") -> None:
    """Note an error in a form.

    Args:
        fields: The fields of the form; an error that names one of them is told beside it.
        at: Where it is told otherwise; empty for above all fields.
    """
    if isinstance(error, TooManyTriesError):
        wait = duration(max(1.0, error.retry_after_s))
        form.refuse("", gettext("Too many tries. Wait %(wait)s before the next one.") % {"wait": wait})
        return
    named = error.param if isinstance(error, RequestError) else None
    form.refuse(named if named in fields and named else at, sentence_of(error))
