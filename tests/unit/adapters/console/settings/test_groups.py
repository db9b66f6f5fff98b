"""Every option has its place and its words."""

from dataclasses import fields

from flow2api.adapters.console.settings.groups import group_of, groups
from flow2api.domain.options import Options


def test_every_option_is_in_one_group_and_no_other() -> None:
    placed = [one.name for group in groups() for one in group.options]

    assert sorted(placed) == sorted(field.name for field in fields(Options))


def test_every_option_has_a_label_of_its_own_and_help() -> None:
    for group in groups():
        labels = [one.label for one in group.options]
        assert len(set(labels)) == len(labels)
        assert all(one.label and one.help.endswith(".") for one in group.options)


def test_group_of_an_option_is_found_and_of_none_the_first() -> None:
    assert group_of("proxy") == "proxies"
    assert group_of("nothing") == "balancing"
