"""A start-up setting as it is shown."""

from dataclasses import FrozenInstanceError

import pytest

from flow2api.domain.start_up import StartUpSetting


def test_setting_that_nothing_sets_has_no_origin_and_is_never_changed() -> None:
    shown = StartUpSetting(name="host", value="127.0.0.1", is_default=True)

    assert shown.origin == ""
    with pytest.raises(FrozenInstanceError):
        shown.value = "0.0.0.0"  # type: ignore[misc]
