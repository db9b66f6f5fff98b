"""Which model follows a video when the request names none."""

from flow2api.adapters.openai_api.video_follow_ups import EDITS, _editing_model, _extending_model
from flow2api.domain.catalog import Mode, ModelCatalog
from flow2api.testing.factories import GenerationFactory, video_spec

FILM = video_spec("film")
NEEDS_PICTURE = {"min_images": 1, "max_images": 1}


def test_model_that_needs_more_than_the_video_is_passed_over() -> None:
    catalog = ModelCatalog(
        [
            FILM,
            video_spec("changed-by-picture", mode=Mode.EDIT, limited_as="film", **NEEDS_PICTURE),
            video_spec("longer-by-picture", mode=Mode.EXTEND, **NEEDS_PICTURE),
            video_spec("longer", mode=Mode.EXTEND),
        ]
    )
    parent = GenerationFactory.build(model="film", spec_name="film")

    assert _extending_model(catalog, parent) == "longer"
    assert _editing_model(catalog, parent, EDITS) is None
