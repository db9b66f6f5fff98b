import pytest

from tests.command_line import CommandLine


def test_list_holds_what_can_be_asked_for_but_no_alias(run: CommandLine) -> None:
    listed = {model["name"]: model for model in run("models", "--json").json["models"]}

    assert "gpt-image-1" not in listed
    assert listed["veo_3_1_t2v_fast"] == {
        **listed["veo_3_1_t2v_fast"],
        "kind": "video",
        "modes": ["text"],
        "aspect_ratios": ["16:9", "9:16"],
        "seconds": [4, 6, 8],
        "max_images": 0,
        "tier": "free",
        "credits": {"free": 20, "pro": 20, "ultra": 10},
        "plugin": "models_flow",
        "leads_to": [],
        "deprecated": False,
    }


def test_table_has_a_line_for_each_model(run: CommandLine) -> None:
    lines = run("models").out.splitlines()

    assert len(lines) == 1 + len(run("models", "--json").json["models"])
    line = next(line for line in lines if line.startswith("veo_3_1_t2v_fast "))
    assert " video " in line
    assert line.endswith("free:20 pro:20 ultra:10")


def test_alias_tells_what_it_leads_to(run: CommandLine) -> None:
    alias = run("models", "gpt-image-1", "--json").json
    target = run("models", alias["leads_to"][0], "--json").json

    assert alias["kind"] == "image"
    assert "gpt-image-1" in target["aliases"]


def test_facts_of_one_model_are_a_line_each(run: CommandLine) -> None:
    facts = dict(line.split(maxsplit=1) for line in run("models", "gpt-image-1").out.splitlines())

    assert facts["name"] == "gpt-image-1"
    assert facts["leads"].startswith("to ")
    assert "warning" not in facts


@pytest.mark.parametrize("name", ["veo_3_1_t2v_fats", "nothing at all"])
def test_unknown_name_fails(run: CommandLine, name: str) -> None:
    ran = run("models", name)

    assert (ran.code, ran.out) == (1, "")
    assert f"The model {name!r} does not exist." in ran.err
