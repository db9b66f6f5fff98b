"""Which paths belong to this surface, and that none of its routes is left open."""

import pytest

from flow2api.adapters.openai_api import create_router, is_api_path
from tests.fakes.use_cases import FakeDoors


@pytest.mark.parametrize(
    ("path", "is_ours"),
    [
        ("/v1", True),
        ("/v1/", True),
        ("/v1/anything/at/all", True),
        ("/openai/v1/x", True),
        ("/models/x", True),
        ("/chat/x", True),
        ("/images/variations", True),
        ("/videos/x/y", True),
        ("/media/x", True),
        ("/", False),
        ("", False),
        ("/v10/x", False),
        ("/openai", False),
        ("/console/models", False),
        ("/healthz", False),
    ],
)
def test_tells_its_paths_from_others(path: str, is_ours: bool) -> None:
    assert is_api_path(path) is is_ours


def test_only_signed_links_need_no_key() -> None:
    open_paths = {
        route.path
        for router in create_router(FakeDoors().doors())
        if router.before_request is None
        for route in router.routes
    }
    assert open_paths == {"/media/{media_id:str}", "/tmp/{media_id:str}"}
