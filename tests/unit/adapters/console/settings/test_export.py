"""The options as a file."""

from dataclasses import fields, replace

from flow2api.adapters.console.settings.export import as_toml
from flow2api.domain.options import Options, OptionSource, OptionStanding
from flow2api.settings import load_settings, parse_options


def standing(options: Options) -> list[OptionStanding]:
    return [
        OptionStanding(
            name=field.name,
            value=getattr(options, field.name),
            default=getattr(Options(), field.name),
            source=OptionSource.SET,
        )
        for field in fields(Options)
    ]


def test_file_makes_a_server_the_same() -> None:
    options = replace(
        Options(),
        policy="random",
        max_attempts=3,
        image_timeout_s=12.5,
        debug_log=True,
        plugins=("one", "two"),
        model_routes={"paint": ("a", "b"), 'a "name"': ("c\\d",)},
        media_base_url="https://media.example.org",
    )

    read = load_settings({}, as_toml(standing(options))).options

    assert parse_options(read) == options


def test_defaults_stand_in_comments() -> None:
    lines = as_toml(standing(Options())).splitlines()

    assert lines[0] == "[options]"
    assert all(line.startswith("# ") for line in lines[1:])
    assert '# policy = "least_busy"' in lines
