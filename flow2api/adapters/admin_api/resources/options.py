"""``/api/admin/options``: everything that can be set while the server runs."""

from collections.abc import Collection
from difflib import get_close_matches
from typing import Annotated

import msgspec
from litestar import delete, get, patch
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody, PathParameter

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.guards import actor_of, signed_in
from flow2api.adapters.admin_api.resources.queries import PREFIX, HttpRequest
from flow2api.domain.errors import NotAllowedError, NotKnownError, UnsupportedInputError
from flow2api.domain.operator import Role
from flow2api.domain.options import OF_OWNERS, OptionStanding, bounds_of, unit_of

ONE = f"{PREFIX}/options/{{name:str}}"

OptionName = Annotated[str, PathParameter(max_length=64)]
OptionValue = str | int | float | bool | tuple[str, ...] | dict[str, str | tuple[str, ...]]
OptionValues = dict[str, OptionValue | None]


class OptionView(msgspec.Struct, frozen=True, kw_only=True):
    """An option.

    Attributes:
        source: ``settings`` when the settings file or the environment fixes it, ``set`` when it was set while the server
            ran, ``default`` otherwise.
        unit: What a number counts, where its name says so; null for other ones.
        least: The least number that is taken; null for what is no number. The same for ``most``.
        choices: The values that there are, where they can be counted; else empty.
        least_role: Who may set it.
    """

    name: str
    value: OptionValue
    default: OptionValue
    source: str
    unit: str | None
    least: float | None
    most: float | None
    choices: tuple[str, ...]
    least_role: str


class OptionViews(msgspec.Struct, frozen=True, kw_only=True):
    """Options, in the order of the reference."""

    items: tuple[OptionView, ...]
    next_cursor: str | None = None


def option_resource_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handlers."""

    @get(f"{PREFIX}/options", tags=["options"])
    async def list_options() -> OptionViews:
        """Every option: its value, its default, and where the value comes from."""
        return await _shown(doors)

    @patch(f"{PREFIX}/options", tags=["options"])
    async def set_options(request: HttpRequest, data: JSONBody[OptionValues]) -> OptionViews:
        """Set options by name, all of them or, when one cannot be used, none; null goes back to the default."""
        if not data:
            raise UnsupportedInputError("Name at least one option.")
        _check_role(request, data)
        await doors.options.change(data, actor_of(doors, request.scope))
        return await _shown(doors, data)

    @get(ONE, tags=["options"])
    async def show_option(name: OptionName) -> OptionView:
        """One option."""
        await _check_known(doors, name)
        return (await _shown(doors, {name})).items[0]

    @delete(ONE, tags=["options"])
    async def unset_option(request: HttpRequest, name: OptionName) -> None:
        """Let an option have its default again."""
        await _check_known(doors, name)
        _check_role(request, {name})
        await doors.options.change({name: None}, actor_of(doors, request.scope))

    return [list_options, set_options, show_option, unset_option]


def _check_role(request: HttpRequest, names: Collection[str]) -> None:
    role, of_owners = signed_in(request.scope).operator.role, sorted(OF_OWNERS & set(names))
    if of_owners and not role.includes(Role.OWNER):
        raise NotAllowedError(f"Only an owner sets {', '.join(of_owners)}.")


async def _check_known(doors: AdminDoors, name: str) -> None:
    known = [one.name for one in await doors.options.standing()]
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise NotKnownError(f"There is no option {name[:64]!r}.{hint}")


async def _shown(doors: AdminDoors, only: Collection[str] | None = None) -> OptionViews:
    standing = await doors.options.standing()
    return OptionViews(items=tuple(_view(one) for one in standing if only is None or one.name in only))


def _view(one: OptionStanding) -> OptionView:
    is_number = isinstance(one.default, int | float) and not isinstance(one.default, bool)
    least, most = bounds_of(one.name) if is_number else (None, None)
    return OptionView(
        name=one.name,
        value=one.value,
        default=one.default,
        source=one.source.value,
        unit=unit_of(one.name) if is_number else None,
        least=least,
        most=most,
        choices=one.choices,
        least_role=(Role.OWNER if one.name in OF_OWNERS else Role.OPERATOR).value,
    )
