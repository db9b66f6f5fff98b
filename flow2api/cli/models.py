"""``flow2api models``."""

import asyncio
from collections.abc import Mapping

import click
import msgspec

from flow2api.adapters.system import SystemClock
from flow2api.app.backends import build_catalog, build_upstreams
from flow2api.cli.context import Installation, json_option, with_installation
from flow2api.cli.output import print_json, print_table
from flow2api.cli.tables import render_facts
from flow2api.domain.account import Tier
from flow2api.domain.catalog import Alias, ModelCatalog, ModelDescription, Wish
from flow2api.domain.errors import UnknownModelError


class ModelOut(msgspec.Struct, frozen=True, kw_only=True):
    """A model as JSON.

    Attributes:
        tier: The least plan that may use it when nothing special is asked for: ``free``, ``pro`` or ``ultra``.
        credits: What one generation costs then, by plan; a plan that is missing pays what the next lower one pays.
        min_images: How many input pictures it needs; ``max_images`` is how many it takes.
        leads_to: For an alias, the names that it stands for.
        plugin: The plugin that registered the name.
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
    catalog = asyncio.run(_catalog(here))
    plugins = {entry.name: plugin for plugin, entry in here.extensions.models}
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


async def _catalog(here: Installation) -> ModelCatalog:
    """What the upstreams serve as they are configured; none of them is called."""
    upstreams = build_upstreams(here.settings, here.extensions, SystemClock())
    try:
        return build_catalog(here.extensions, upstreams)
    finally:
        for upstream in upstreams.values():
            await upstream.aclose()


def _model_out(description: ModelDescription, catalog: ModelCatalog, plugins: Mapping[str, str]) -> ModelOut:
    entry = catalog.get(description.id)
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
        credits={_tier(tier): price for tier, price in sorted(description.costs.items())},
        upstream=description.upstream,
        plugin=plugins[description.id],
        aliases=description.aliases,
        leads_to=tuple(dict.fromkeys(entry.targets.values())) if isinstance(entry, Alias) else (),
        deprecated=description.deprecated,
        warning=description.warning,
    )


def _print_models(listed: list[ModelOut]) -> None:
    print_table(
        ("NAME", "KIND", "MADE FROM", "RATIOS", "RESOLUTIONS", "SECONDS", "INPUTS", "TIER", "CREDITS"),
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
                _credits(one),
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
        ("credits", _credits(model)),
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


def _credits(model: ModelOut) -> str:
    prices = set(model.credits.values())
    if not prices or prices == {0}:
        return "free"
    if len(prices) == 1:
        return str(prices.pop())
    return " ".join(f"{tier}:{price}" for tier, price in model.credits.items())


def _tier(tier: Tier) -> str:
    return tier.name.lower()
