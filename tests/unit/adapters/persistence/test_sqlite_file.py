from pathlib import Path

import pytest

from flow2api.adapters.persistence.sqlite_file import path_of
from flow2api.domain.errors import ConfigurationError


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///relative.db", "relative.db"),
        ("sqlite:///./data/flow2api.db", "data/flow2api.db"),
        ("sqlite:////var/lib/flow2api/flow2api.db", "/var/lib/flow2api/flow2api.db"),
        ("sqlite:///with space & ü.db", "with space & ü.db"),
    ],
)
def test_url_names_a_file(url: str, path: str) -> None:
    assert path_of(url) == Path(path)


@pytest.mark.parametrize(
    "url",
    ["", "sqlite:", "sqlite://", "sqlite:///", "sqlite://relative.db", "sqlite:////folder/", "postgresql:///x", "x.db"],
)
def test_url_without_a_file_is_refused_with_the_right_form(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"sqlite:///relative\.db"):
        path_of(url)


def test_database_in_memory_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="in memory is not supported"):
        path_of("sqlite:///:memory:")


def test_parameters_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="parameters"):
        path_of("sqlite:///x.db?mode=ro")
