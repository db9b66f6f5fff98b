import pytest

UNPROMISED = {
    "gemini": frozenset({"credits", "deletion", "identity", "sessions", "thumbnails", "workspaces"}),
}
"""What an upstream does not do, by its name among the parameters of the suite."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = [item for item in items if _is_promised(item)]


def _is_promised(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    marker = item.get_closest_marker("promise")
    if marker is None or callspec is None:
        return True
    return marker.args[0] not in UNPROMISED.get(str(callspec.params.get("backstage")), ())
