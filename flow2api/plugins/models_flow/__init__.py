"""The models that Flow's labs protocol offers, and the names by which clients ask for them."""

from collections.abc import Iterable

from flow2api.domain.catalog import Entry
from flow2api.hookspecs import hookimpl
from flow2api.plugins.models_flow.client_names import client_aliases
from flow2api.plugins.models_flow.records import load_entries


@hookimpl
def register_models() -> Iterable[Entry]:
    """Every model that is not retired, the base names, retired ids and clients' names as aliases."""
    return [*load_entries(), *client_aliases()]
