"""The models that Google's official Gemini API offers.

Google's own names are taken: clients have them built in, and Flow's models answer to them. So each is offered here with
``google-`` before it.
"""

from collections.abc import Iterable

from flow2api.domain.catalog import Entry
from flow2api.hookspecs import hookimpl
from flow2api.plugins.models_gemini.records import load_entries


@hookimpl
def register_models() -> Iterable[Entry]:
    """Every model, the base names, and for models that begin videos in several ways one name that chooses among these."""
    return load_entries()
