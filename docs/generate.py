"""Writes the parts of the reference that the code knows better: settings, options, errors, hooks, commands, models.

Usage: python docs/generate.py [--check]

In a page, what stands between ``<!-- generated: NAME -->`` and ``<!-- end -->`` is written anew by the function of that
name; everything else is left alone. With ``--check`` nothing is written, and the exit code is 1 when a page is out of date.
"""

import inspect
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, Field, fields
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import click  # noqa: E402
import msgspec  # noqa: E402

from docs.admin_routes import resource_routes, routes  # noqa: E402
from docs.markdown import (  # noqa: E402
    attributes,
    default_of,
    kind_of,
    markdown,
    sections,
    shown,
    summary,
    table,
    without_modules,
)
from flow2api import hookspecs  # noqa: E402
from flow2api.adapters.openai_api import errors as openai_errors  # noqa: E402
from flow2api.adapters.openai_media.model_records import ModelRecord  # noqa: E402
from flow2api.adapters.server.refusals import REFUSALS  # noqa: E402
from flow2api.cli import cli  # noqa: E402
from flow2api.domain import errors as tree  # noqa: E402
from flow2api.domain import panels  # noqa: E402
from flow2api.domain.catalog import (  # noqa: E402
    NATIVE_RESOLUTION,
    Alias,
    BaseName,
    CostUnit,
    Entry,
    Mode,
    ModelCatalog,
    ModelDescription,
    ModelSpec,
)
from flow2api.domain.options import Options, bounds_of  # noqa: E402
from flow2api.extensions import load_extensions  # noqa: E402
from flow2api.extensions.answers import hook_names, item_types  # noqa: E402
from flow2api.extensions.sections import schema_of  # noqa: E402
from flow2api.hookspecs import SettingsSection  # noqa: E402
from flow2api.plugins.media_disk import DiskSettings  # noqa: E402
from flow2api.plugins.upstream_flow import FlowSettings  # noqa: E402
from flow2api.plugins.upstream_gemini import GeminiSettings  # noqa: E402
from flow2api.plugins.upstream_openai import OpenAiSettings  # noqa: E402
from flow2api.settings import PREFIX, Settings  # noqa: E402
from flow2api.simulator.control_schema import AccountKnobs, Fault, SimOptions  # noqa: E402

PAGES = ROOT / "docs" / "reference"
REGION = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
NOT_SET_BY_NAME = ("sections", "options", "origins")
"""Fields of the settings that stand for whole sections, or for where the others come from."""


def settings() -> str:
    """A heading for each start-up setting."""
    told = attributes(Settings)

    def items() -> Iterator[str]:
        for field in fields(Settings):
            if field.name not in NOT_SET_BY_NAME:
                default = default_of(field)
                kind = "a secret" if field.name == "secret_key" else kind_of(default)
                yield (
                    f"`{field.name}`\n\n{told[field.name]}\n\n"
                    f"Variable `{PREFIX}{field.name.upper()}`, {kind}; default {shown(default)}."
                )

    return sections(items())


def flow_settings() -> str:
    """The settings of the upstream ``flow``."""
    return section_table("FLOW", FlowSettings)


def gemini_settings() -> str:
    """The settings of the upstream ``gemini``."""
    return section_table("GEMINI", GeminiSettings)


def openai_settings() -> str:
    """The settings of the upstream ``openai``."""
    return section_table("OPENAI", OpenAiSettings)


def openai_models() -> str:
    """What can be said of a model in the settings of the upstream ``openai``."""
    return struct_table(ModelRecord)


def disk_settings() -> str:
    """The settings of the media store ``disk``."""
    return section_table("DISK", DiskSettings)


def section_table(section: str, cls: type[msgspec.Struct]) -> str:
    """The settings of a plugin's section: what each is for, its default with its unit, and the variable that holds it."""
    described = schema_of(SettingsSection(section.lower(), cls))["properties"]
    rows = [
        [
            f"`{field.name}`",
            markdown(described[field.name]["description"]),
            f"{shown(field.default)} {described[field.name].get('unit', '')}".strip(),
            f"`{PREFIX}{section}__{field.name.upper()}`",
        ]
        for field in msgspec.structs.fields(cls)
    ]
    return table(["setting", "meaning", "default", "variable"], rows)


def options() -> str:
    """A heading for each option."""
    told = attributes(Options)
    return sections(
        f"`{field.name}`\n\n{told[field.name]}\n\n"
        f"Variable `{PREFIX}OPTIONS__{field.name.upper()}`, {kind_of(default_of(field))}{_least(field.name)}; "
        f"default {shown(default_of(field))}."
        for field in fields(Options)
    )


def _least(option: str) -> str:
    """What to say of a number that cannot be 0."""
    least, _ = bounds_of(option)
    return f", at least `{least:g}`" if least else ""


def policies() -> str:
    """The built-in selection policies."""
    named = load_extensions().policies
    return table(["policy", "chooses"], [[f"`{one.name}`", one.summary] for one in named.values()])


def error_codes() -> str:
    """A heading for each code of the error tree: status, type, whether to try again, and meaning."""
    by_code: dict[str, list[str]] = {}
    for cls in subclasses(tree.Flow2ApiError):
        answer = openai_errors.ANSWERS[cls]
        told = f"**{answer.status}** `{answer.type}`. {summary(cls)} {RETRIES[answer.retry]}"
        by_code.setdefault(cls.code, []).append(told)
    return sections(f"`{code}`\n\n" + "\n\n".join(told) for code, told in sorted(by_code.items()))


def refusals() -> str:
    """A heading for each code of what is refused before the API sees it."""
    by_code: dict[str, list[str]] = {}
    for refusal in REFUSALS:
        by_code.setdefault(refusal.code, []).append(f"**{refusal.status}**. {refusal.sentence}")
    return sections(f"`{code}`\n\n" + "\n\n".join(told) for code, told in sorted(by_code.items()))


def subclasses(cls: type[tree.Flow2ApiError]) -> Iterator[type[tree.Flow2ApiError]]:
    """The classes of the tree that are raised, as it is drawn."""
    if cls not in NEVER_RAISED:
        yield cls
    for below in cls.__subclasses__():
        if below.__module__.startswith(f"{tree.__name__}."):
            yield from subclasses(below)


def admin_routes() -> str:
    """A heading for each route of the operators' JSON API."""
    return routes()


def operator_routes() -> str:
    """A heading for each route of the operators' resources."""
    return resource_routes()


def hooks() -> str:
    """Every hook, with its page."""
    rows = [
        [f"[`{name}`](hooks/{name.removeprefix('register_').replace('_', '-')}.md)", summary(getattr(hookspecs, name))]
        for name in hook_names()
    ]
    return table(["hook", "brings"], rows)


def hook_page(name: str) -> str:
    """The signature of a hook as the heading of its page, what it promises, who implements it, and what it returns."""
    hook = getattr(hookspecs, name)
    built_in = load_extensions().plugins
    users = ", ".join(f"`{plugin.name}`" for plugin in built_in if name in plugin.hooks)
    kinds = [kind for kind in item_types(name) if kind.__module__ == hookspecs.__name__]
    told = [f"# `{signature(hook)}`", summary(hook), f"Built-in plugins that use it: {users}."]
    return "\n\n".join([*told, *(described_factory(kind) for kind in kinds)]).strip() + "\n"


def described_factory(cls: type) -> str:
    """What a hook returns."""
    arguments = ", ".join(argument(field) for field in fields(cls))
    notes = "".join(f"- `{name}`: {text}\n" for name, text in attributes(cls).items())
    return f"## `{cls.__name__}({arguments})`\n\n{summary(cls)}\n\n{notes}".strip()


def signature(hook: Callable[..., Any]) -> str:
    """Name, arguments and result, with the names of types as the code has them."""
    return hook.__name__ + without_modules(str(inspect.signature(hook)))


def examined() -> str:
    """What a check of the doctor may look at."""
    kinds = (hookspecs.Examined, hookspecs.ExaminedBackends, hookspecs.ExaminedOptions)
    return "\n\n".join(described_factory(kind) for kind in kinds)


def panel_views() -> str:
    """What a panel is asked about, and what it may show."""
    kinds = (
        panels.PanelSubject,
        panels.ProxySeen,
        panels.PanelView,
        panels.PanelFigure,
        panels.PanelTable,
        panels.PanelCell,
        panels.PanelChart,
    )
    return "\n\n".join(described_factory(kind) for kind in kinds)


def argument(field: "Field[Any]") -> str:
    """A field of a dataclass as an argument."""
    is_plain = inspect.isclass(field.type) and not hasattr(field.type, "__args__")
    kind = getattr(field.type, "__name__", "") if is_plain else str(field.type)
    is_member = isinstance(field.default, Enum)
    written = f"{kind}.{field.default.name}" if is_member else repr(field.default).replace("'", '"')
    default = "" if field.default is MISSING else f" = {written}"
    return f"{field.name}: {without_modules(kind)}{default}"


def commands() -> str:
    """A heading for each command, with its arguments and options."""
    return sections(described for path, command in walk(cli) if (described := describe(path, command)))


def walk(group: click.Group, path: str = "flow2api") -> Iterator[tuple[str, click.Command]]:
    """Every command below a group, groups left out."""
    context = click.Context(group)
    for name in dict.fromkeys([*group.commands, *group.list_commands(context)]):
        command = group.get_command(context, name)
        if command is None:
            continue
        if isinstance(command, click.Group):
            if command.invoke_without_command:
                yield f"{path} {name}", command
            yield from walk(command, f"{path} {name}")
        elif not command.hidden:
            yield f"{path} {name}", command


def describe(path: str, command: click.Command) -> str:
    """One command."""
    named = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]
    given = [str(one.make_metavar(click.Context(command))) for one in command.params if isinstance(one, click.Argument)]
    usage = " ".join([path, *(["[OPTIONS]"] if named else []), *given])
    text = re.sub(r"JSON: (\{.*\})", r"JSON: `\1`", inspect.cleandoc(command.help or "").replace("\b\n", ""))
    rows = [[f"`{option_names(one)}`", option_text(one)] for one in named]
    return f"`{path}`\n\n```text\n{usage}\n```\n\n{text}\n" + (
        "\n" + table(["option", "meaning"], rows) if rows else ""
    )


def option_names(option: click.Option) -> str:
    """How an option is spelt, with what it takes."""
    names = ", ".join(option.opts) + ("/" + ", ".join(option.secondary_opts) if option.secondary_opts else "")
    if option.is_flag or option.count:
        return names
    return f"{names} {option.make_metavar(click.Context(click.Command(None))).removesuffix(' RANGE')}"


def option_text(option: click.Option) -> str:
    """What an option means, with its default."""
    text = re.sub(r"\s*\[default: (.+)\]", r" Default `\1`.", option.help or "")
    return f"{text} Default `{option.default}`." if option.show_default else text


def model_lines() -> str:
    """The names of Flow's lines of models, with what each line makes."""
    return lines_of("flow", "credits")


def gemini_lines() -> str:
    """The names of the Gemini API's lines of models, with what each line makes."""
    return lines_of("gemini", "price")


def openai_lines() -> str:
    """The models of OpenAI's own, with the price of each size."""
    specs = [one for one in entries() if isinstance(one, ModelSpec) and one.upstream == "openai"]
    bases = [
        one for one in catalog().listed() if one.upstream == "openai" and isinstance(catalog().get(one.id), BaseName)
    ]
    rows = [
        [
            f"`{base.id}`",
            sizes_with_prices([one for one in specs if one.name.startswith(base.id)]),
            inputs(base),
        ]
        for base in bases
    ]
    return table(["name", "sizes and what one picture costs", "input pictures"], rows)


def sizes_with_prices(specs: Sequence[ModelSpec]) -> str:
    """Each size once, with the price of each quality in which it is made."""
    told = {
        one.size: [f"{dollars(each)} {each.quality or ''}".strip() for each in specs if each.size == one.size]
        for one in specs
    }
    return "; ".join(f"{size} ({', '.join(prices)})" for size, prices in told.items())


def lines_of(upstream: str, price_heading: str) -> str:
    """The names that stand for a whole line of an upstream's models, with what the line makes."""
    bases = [one for one in entries() if isinstance(one, BaseName) and one.resolution is None]
    first = {one.line: one.name for one in reversed(bases)}
    lines = {name: line for line, name in first.items()}
    described = [
        (one, prices(lines[one.id])) for one in catalog().listed() if one.id in lines and one.upstream == upstream
    ]
    pictures = [
        [f"`{one.id}`", ratios(one), ", ".join(one.resolutions), inputs(one), price]
        for one, price in described
        if one.kind.value == "image"
    ]
    videos = [
        [
            f"`{one.id}`",
            ", ".join(mode.value for mode in one.modes),
            ", ".join(one.resolutions),
            ", ".join(map(str, one.seconds)),
            inputs(one),
            plan(one),
            price,
        ]
        for one, price in described
        if one.kind.value == "video"
    ]
    return (
        "#### Pictures\n\n"
        + table(["name", "aspect ratios", "resolutions", "input pictures", price_heading], pictures)
        + "\n#### Videos\n\n"
        + table(["name", "from", "resolutions", "seconds", "input pictures", "least plan", price_heading], videos)
    )


def prices(line: str) -> str:
    """What one result of a line costs in its plain size, by plan where plans differ."""
    spec = next(one for one in entries() if isinstance(one, ModelSpec) and one.line == line and one.resolution is None)
    if spec.is_free:
        return "none"
    if spec.cost_unit is CostUnit.USD_MILLIS:
        line_specs = [one for one in entries() if isinstance(one, ModelSpec) and one.line == line]
        by_size = {one.resolution or NATIVE_RESOLUTION[one.kind]: dollars(one) for one in line_specs}
        return ", ".join(f"{price} ({size})" for size, price in by_size.items())
    by_plan = {tier.name.lower(): spec.cost(tier) for tier in sorted(spec.costs)}
    distinct = {price: plan for plan, price in reversed(by_plan.items())}
    if len(distinct) == 1:
        return str(next(iter(distinct)))
    return ", ".join(f"{price} ({plan})" for price, plan in reversed(distinct.items()))


def dollars(spec: ModelSpec) -> str:
    """The price of a picture, or of a second of video."""
    price = spec.cost(None) / 1000 / (spec.seconds or 1)
    return f"${price:.3f}" + (" per second" if spec.seconds else "")


def ratios(entry: ModelDescription) -> str:
    """The ratios of a model."""
    return ", ".join(str(ratio) for ratio in entry.aspect_ratios)


def inputs(entry: ModelDescription) -> str:
    """How many pictures it takes."""
    if entry.min_images == entry.max_images:
        return str(entry.max_images) if entry.max_images else "none"
    return f"{entry.min_images} to {entry.max_images}"


def plan(entry: ModelDescription) -> str:
    """The least plan that may use it."""
    return entry.min_tier.name.lower()


def client_names() -> str:
    """Names that clients have built in, and what serves them."""
    aliases = [one for one in flow_entries() if isinstance(one, Alias) and not one.retired]
    rows = [[f"`{one.name}`", "; ".join(target(mode, name) for mode, name in one.targets.items())] for one in aliases]
    return table(["name", "is served by"], rows)


def target(mode: Mode | None, name: str) -> str:
    """One target of an alias."""
    return f"`{name}`" if mode is None else f"{mode.value}: `{name}`"


def entries() -> list[Entry]:
    """What the built-in plugins register."""
    return [entry for _, entry in load_extensions().models]


def flow_entries() -> list[Entry]:
    """What the plugin with Flow's models registers."""
    return [entry for plugin, entry in load_extensions().models if plugin == "models_flow"]


def catalog() -> ModelCatalog:
    """The catalog of the built-in plugins."""
    return ModelCatalog(entries(), lambda spec: True)


def simulator_options() -> str:
    """What can be set for the simulator as a whole."""
    return struct_table(SimOptions)


def simulator_accounts() -> str:
    """What can be set for one played account."""
    return struct_table(AccountKnobs)


def simulator_faults() -> str:
    """What a scripted fault can say."""
    return struct_table(Fault)


def struct_table(cls: type[msgspec.Struct]) -> str:
    """The fields of a wire struct."""
    told = attributes(cls)
    rows = []
    for field in msgspec.structs.fields(cls):
        default = field.default
        if default is msgspec.NODEFAULT:
            default = field.default_factory() if field.default_factory is not msgspec.NODEFAULT else MISSING
        rows.append([f"`{field.name}`", "required" if default is MISSING else shown(default), told.get(field.name, "")])
    return table(["field", "default", "meaning"], rows)


RETRIES = {
    openai_errors.Retry.AS_USUAL: "SDKs don't repeat it.",
    openai_errors.Retry.NEVER: "`x-should-retry: false`.",
    openai_errors.Retry.LATER: "`retry-after` says when to ask again.",
    openai_errors.Retry.MUCH_LATER: "`retry-after` says when to ask again; it is so long that SDKs are told not to wait, by `x-should-retry: false`.",
}
NEVER_RAISED = (tree.Flow2ApiError, tree.RequestError, tree.PoolError, tree.GenerationFailedError)
"""Roots of branches, and what carries the code of an earlier error."""

PARTS: dict[str, Callable[[], str]] = {
    part.__name__: part
    for part in (
        settings,
        flow_settings,
        gemini_settings,
        openai_settings,
        disk_settings,
        openai_models,
        options,
        policies,
        error_codes,
        refusals,
        admin_routes,
        operator_routes,
        hooks,
        examined,
        panel_views,
        commands,
        model_lines,
        gemini_lines,
        openai_lines,
        client_names,
        simulator_options,
        simulator_accounts,
        simulator_faults,
    )
}

PARTS |= {name: partial(hook_page, name) for name in hook_names()}


def rendered(page: Path) -> str:
    """The page with every generated part written anew."""
    return REGION.sub(lambda match: f"{match[1]}\n{PARTS[match[2]]()}\n{match[3]}", page.read_text(encoding="utf-8"))


def stale_pages() -> list[Path]:
    """Pages whose generated parts differ from what the code says."""
    return [page for page in sorted(PAGES.rglob("*.md")) if rendered(page) != page.read_text(encoding="utf-8")]


def main(arguments: list[str]) -> int:
    """Write the pages, or look whether they are up to date; return the exit code."""
    stale = stale_pages()
    for page in stale:
        name = page.relative_to(ROOT)
        if "--check" in arguments:
            sys.stderr.write(f"{name} is out of date: run `python docs/generate.py`.\n")
        else:
            page.write_text(rendered(page), encoding="utf-8")
            sys.stdout.write(f"wrote {name}\n")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
