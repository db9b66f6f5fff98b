"""``flow2api models``."""

import asyncio
from collections.abc import Mapping

import click
import msgspec

from flow2api.adapters.system import SystemClock
from flow2api.app.backends import build_catalog, build_upstreams, offered_models
from flow2api.cli.context import Installation, json_option, with_installation
from flow2api.cli.output import print_json, print_table
from flow2api.cli.tables import render_facts
from flow2api.domain.account import Tier
from flow2api.domain.catalog import Alias, CostUnit, ModelCatalog, ModelDescription, Wish
from flow2api.domain.errors import UnknownModelError


class ModelOut(msgspec.Struct, frozen=True, kw_only=True):
    """A model as JSON.

    Attributes:
        tier: The least plan that may use it when nothing special is asked for: ``free``, ``pro`` or ``ultra``.
        costs: What one generation costs then, by plan; a plan that is missing pays what the next lower one pays.
        cost_unit: What that is counted in: ``credits``, or ``usd_millis`` for thousandths of a dollar.
        credits: The same as ``costs`` where it is counted in credits, else empty.
        min_images: How many input pictures it needs; ``max_images`` is how many it takes.
        leads_to: For an alias, the names that it stands for.
        plugin: The plugin that registered the name, or the setting that names it, such as ``openai.models``.
    """

    name: str
    kind: str
    modes: tuple[str, ...]
    aspect_ratios: tuple[str, ...]
    sizes: tuple[str, ...]
    resolutions: tuple[str, ...]
    seconds: tuple[int, ...]
    min_images: int
    max_images: int
    tier: str
    costs: Mapping[str, int]
    cost_unit: str
    credits: Mapping[str, int]
    upstream: str
    plugin: str
    aliases: tuple[str, ...]
    leads_to: tuple[str, ...]
    deprecated: bool
    warning: str | None


@click.command()
@click.argument("name", required=False)
@json_option
@with_installation
def models(here: Installation, name: str | None, as_json: bool) -> None:
    """Show the models that can be asked for, or all about the one with this name, which may be an alias.

    JSON: {"models": [...]}, or the model.
    """
    catalog, plugins = asyncio.run(_catalog(here))
    if name is not None:
        description = catalog.describe(name)
        if description is None:
            catalog.resolve(name, Wish())  # raises, with the names that are near
            raise UnknownModelError(name)
        shown = _model_out(description, catalog, plugins)
        if as_json:
            print_json(shown)
        else:
            _print_model(shown)
        return
    listed = [_model_out(description, catalog, plugins) for description in catalog.listed()]
    if as_json:
        print_json({"models": listed})
    else:
        _print_models(listed)


async def _catalog(here: Installation) -> tuple[ModelCatalog, Mapping[str, str]]:
    """What the upstreams serve as they are configured, and what each name comes from; none of them is called."""
    upstreams = build_upstreams(here.settings, here.extensions, SystemClock())
    try:
        offered = offered_models(here.extensions, upstreams)
        return build_catalog(here.extensions, upstreams, offered), {one.entry.name: one.source for one in offered}
    finally:
        for upstream in upstreams.values():
            await upstream.aclose()


def _model_out(description: ModelDescription, catalog: ModelCatalog, plugins: Mapping[str, str]) -> ModelOut:
    entry = catalog.get(description.id)
    costs = {_tier(tier): price for tier, price in sorted(description.costs.items())}
    return ModelOut(
        name=description.id,
        kind=description.kind.value,
        modes=tuple(mode.value for mode in description.modes),
        aspect_ratios=tuple(str(ratio) for ratio in description.aspect_ratios),
        sizes=tuple(str(size) for size in description.sizes),
        resolutions=description.resolutions,
        seconds=description.seconds,
        min_images=description.min_images,
        max_images=description.max_images,
        tier=_tier(description.min_tier),
        costs=costs,
        cost_unit=description.cost_unit.value,
        credits=costs if description.cost_unit is CostUnit.CREDITS else {},
        upstream=description.upstream,
        plugin=plugins[description.id],
        aliases=description.aliases,
        leads_to=tuple(dict.fromkeys(entry.targets.values())) if isinstance(entry, Alias) else (),
        deprecated=description.deprecated,
        warning=description.warning,
    )


def _print_models(listed: list[ModelOut]) -> None:
    print_table(
        ("NAME", "KIND", "MADE FROM", "RATIOS", "RESOLUTIONS", "SECONDS", "INPUTS", "TIER", "PRICE"),
        [
            (
                one.name,
                one.kind,
                one.modes,
                one.aspect_ratios,
                one.resolutions,
                one.seconds,
                _inputs(one),
                one.tier,
                _price(one),
            )
            for one in listed
        ],
        empty="No model is registered; `flow2api plugins` shows what is loaded.",
    )


def _print_model(model: ModelOut) -> None:
    facts: list[tuple[str, object]] = [
        ("name", model.name),
        ("kind", model.kind),
        ("leads to", model.leads_to),
        ("made from", model.modes),
        ("ratios", model.aspect_ratios),
        ("sizes", model.sizes),
        ("resolutions", model.resolutions),
        ("seconds", model.seconds),
        ("input pictures", _inputs(model)),
        ("least plan", model.tier),
        ("price", _price(model)),
        ("other names", model.aliases),
        ("upstream", model.upstream),
        ("plugin", model.plugin),
        ("warning", model.warning),
    ]
    click.echo(render_facts([(name, fact) for name, fact in facts if fact not in (None, ())]))


def _inputs(model: ModelOut) -> str:
    if model.max_images == 0:
        return "-"
    same = model.min_images == model.max_images
    return str(model.max_images) if same else f"{model.min_images}-{model.max_images}"


def _price(model: ModelOut) -> str:
    shown = {tier: price_text(price, CostUnit(model.cost_unit)) for tier, price in model.costs.items()}
    if not any(model.costs.values()):
        return "free"
    if len(set(shown.values())) == 1:
        return next(iter(shown.values()))
    return " ".join(f"{tier}:{price}" for tier, price in shown.items())


def price_text(price: int, unit: CostUnit) -> str:
    """A price for people: dollars with their sign, credits as the bare number."""
    return f"${price / 1000:.3f}".removesuffix("0") if unit is CostUnit.USD_MILLIS else str(price)


def _tier(tier: Tier) -> str:
    return tier.name.lower()
