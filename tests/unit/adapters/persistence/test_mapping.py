"""The contract shows that what is stored comes back; here: that nothing is forgotten when the domain grows."""

from dataclasses import MISSING, fields
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.adapters.persistence.account_mapping import account_to_row
from flow2api.adapters.persistence.api_keys import key_to_row
from flow2api.adapters.persistence.generation_mapping import generation_to_row
from flow2api.adapters.persistence.media import media_to_row
from flow2api.adapters.persistence.rows import AccountRow, ApiKeyRow, GenerationRow, MediaRow
from flow2api.adapters.persistence.rows.base import Row, table_of, to_instant, to_moment
from flow2api.testing.samples import key_of, whole_account, whole_generation, whole_media


@pytest.mark.parametrize(
    "whole", [whole_account(), whole_generation(), whole_media()], ids=lambda each: type(each).__name__
)
def test_whole_things_of_these_tests_have_no_field_at_its_default(whole: Any) -> None:
    at_default = [
        field.name
        for field in fields(whole)
        if (field.default is not MISSING and getattr(whole, field.name) == field.default)
        or (field.default_factory is not MISSING and getattr(whole, field.name) == field.default_factory())
    ]

    assert at_default == []


@pytest.mark.parametrize(
    ("row", "written", "given_by_database"),
    [
        (AccountRow, account_to_row(whole_account()), set()),
        (ApiKeyRow, key_to_row(key_of("a")), {"id"}),
        (GenerationRow, generation_to_row(whole_generation()), {"number"}),
        (MediaRow, media_to_row(whole_media()), set()),
    ],
)
def test_every_column_is_written(row: type[Row], written: dict[str, Any], given_by_database: set[str]) -> None:
    assert written.keys() | given_by_database == set(table_of(row).c.keys())


@given(st.datetimes(timezones=st.just(UTC)))
def test_moments_come_back_to_the_microsecond(moment: datetime) -> None:
    assert to_moment(to_instant(moment)) == moment


def test_moments_come_back_in_utc() -> None:
    moment = datetime(2026, 11, 23, 13, 0, tzinfo=timezone(timedelta(hours=1)))

    assert to_moment(to_instant(moment)).isoformat() == "2026-11-23T12:00:00+00:00"
    assert to_moment(to_instant(None)) is None
