"""The options as they stand now."""

from collections.abc import Callable, Mapping
from typing import Any

import structlog

from flow2api.domain.errors import ConfigurationError
from flow2api.domain.options import Options
from flow2api.domain.ports.storage import OptionValues
from flow2api.settings import parse_options

log = structlog.get_logger(__name__)


class CurrentOptions:
    """What storage says, under what the settings fix. Calling it gives the options; nothing is read then."""

    def __init__(
        self,
        stored: OptionValues,
        fixed: Mapping[str, Any],
        policies: Callable[[], frozenset[str]],
        *,
        check: Callable[[Options], None] = lambda options: None,
    ) -> None:
        """Begin with what the settings fix.

        Args:
            check: Raises `ConfigurationError` for options that do not fit what is installed.
        """
        self._check = check
        self._stored = stored
        self._fixed = fixed
        self._policies = policies
        self._now = self._checked(fixed)

    def __call__(self) -> Options:
        return self._now

    async def reload(self) -> None:
        """Take in what storage holds; when that cannot be used, what was in force stays."""
        try:
            self._now = self._checked({**await self._stored.read(), **self._fixed})
        except ConfigurationError as error:
            log.warning("stored options cannot be used; the former ones stay", reason=error.message)

    def _checked(self, values: Mapping[str, Any]) -> Options:
        options = parse_options(values)
        if options.policy not in self._policies():
            names = ", ".join(sorted(self._policies()))
            raise ConfigurationError(f"There is no selection policy {options.policy!r}; there are {names}.")
        self._check(options)
        return options
