"""What a check of the doctor promises."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from flow2api.domain.errors import Flow2ApiError
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.diagnose import CHECK_TIMEOUT_S, CheckState, Finding
from flow2api.hookspecs import DoctorCheck, Examined, Section
from flow2api.testing.examined import examined_of

LONGEST_SENTENCE = 500


class DoctorCheckContract:
    """Everything that a check promises: subclass it, and define the fixture ``check``.

    The installation is a sound one in memory. Override ``section`` for what the check reads of the settings, with some `Secret`
    where it has secrets, and ``examined`` for an installation with something to find.
    """

    @pytest.fixture
    def section(self) -> Section:
        """The check's own section of the settings."""
        return {}

    @pytest.fixture
    def examined(self, tmp_path: Path, section: Section) -> Examined:
        """The installation that it looks at."""
        return examined_of(tmp_path, section)

    async def test_finds_something_or_has_nothing_to_say(self, check: DoctorCheck, examined: Examined) -> None:
        found: object = await finding_of(check, examined)

        assert found is None or isinstance(found, Finding)

    async def test_says_it_in_one_line_and_how_to_mend_it(self, check: DoctorCheck, examined: Examined) -> None:
        found = await finding_of(check, examined)

        if found is not None:
            assert 0 < len(found.sentence) <= LONGEST_SENTENCE
            assert (found.sentence + found.cure).isprintable()
            assert found.cure or found.state is CheckState.OK

    async def test_tells_no_secret(self, check: DoctorCheck, examined: Examined) -> None:
        found = await finding_of(check, examined)

        told = "" if found is None else found.sentence + found.cure
        assert [secret for secret in secrets_in(examined.section) if secret.reveal() in told] == []

    async def test_changes_nothing(self, check: DoctorCheck, examined: Examined) -> None:
        before = await state_of(examined)
        first = await finding_of(check, examined)

        assert await state_of(examined) == before
        second = await finding_of(check, examined)
        assert (first and first.state) == (second and second.state)

    def test_needs_another_check_than_itself(self, check: DoctorCheck) -> None:
        assert check.name
        assert check.needs != check.name


async def finding_of(check: DoctorCheck, examined: Examined) -> Finding | None:
    """What it finds; an error of ours is a finding, too."""
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            return await check.look(examined)
    except Flow2ApiError as error:
        return Finding(CheckState.FAIL, error.message, "It says so itself.")


async def state_of(examined: Examined) -> tuple[object, ...]:
    """What a check could have changed."""
    storage = examined.backends().storage
    accounts = [account async for batch in storage.accounts.load() for account in batch]
    files = sorted((str(path), path.stat().st_size) for path in examined.data_dir.rglob("*"))
    return accounts, dict(await storage.options.read()), await storage.changes.latest(), files


def secrets_in(value: object) -> Iterator[Secret]:
    """Every secret in a section that is not empty."""
    if isinstance(value, Secret) and len(value):
        yield value
    if isinstance(value, dict):
        for one in value.values():
            yield from secrets_in(one)
    if isinstance(value, list | tuple):
        for one in value:
            yield from secrets_in(one)
