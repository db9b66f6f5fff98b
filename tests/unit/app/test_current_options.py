"""Options are changed all at once or not at all, and each change says who made it."""

import asyncio
from collections.abc import Mapping
from dataclasses import fields

import pytest
from structlog.testing import capture_logs

from flow2api.app.current_options import CurrentOptions
from flow2api.domain import errors as tree
from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.errors import ConfigurationError
from flow2api.domain.options import Options
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.storage import FakeStorage


def policies() -> frozenset[str]:
    return frozenset({"least_busy", "random"})


ADA = Actor(name="ada", door="admin_api", operator_id=1)


@pytest.fixture
def storage() -> FakeStorage:
    return FakeStorage(FakeClock())


@pytest.fixture
def options(storage: FakeStorage) -> CurrentOptions:
    return CurrentOptions(storage.options, {"video_timeout_s": 900}, policies, FakeClock())


async def test_change_acts_at_once_and_is_kept(options: CurrentOptions, storage: FakeStorage) -> None:
    await options.change({"policy": "random", "max_attempts": 3}, ADA)

    assert (options().policy, options().max_attempts) == ("random", 3)
    assert storage.tables.options == {"policy": "random", "max_attempts": 3}
    await options.reload()
    assert options().policy == "random"


async def test_entry_says_what_was_and_what_is(options: CurrentOptions, storage: FakeStorage) -> None:
    await options.change({"max_attempts": 3}, ADA)
    await options.change({"max_attempts": None}, ADA)

    assert [(entry.action, entry.actor) for entry in storage.tables.audit] == [(AuditAction.OPTIONS_CHANGED, ADA)] * 2
    assert storage.tables.audit[0].details == {"before": {"max_attempts": 8}, "after": {"max_attempts": 3}}
    assert options() == Options(video_timeout_s=900)


@pytest.mark.parametrize(
    ("values", "error", "sentence"),
    [
        ({"max_attempts": 3, "policyy": "random"}, tree.UnsupportedInputError, "'policy'"),
        ({"max_attempts": 3, "policy": "randomm"}, tree.UnsupportedInputError, "'random'"),
        ({"max_attempts": 3, "image_timeout_s": "soon"}, tree.UnsupportedInputError, "image_timeout_s"),
        ({"max_attempts": 3, "image_timeout_s": -1}, tree.UnsupportedInputError, "a number from 1"),
        ({"max_attempts": 3, "media_base_url": "ftp://x"}, tree.UnsupportedInputError, "media_base_url"),
        ({"max_attempts": 3, "proxy_check_url": "file:///x"}, tree.UnsupportedInputError, "proxy_check_url"),
        ({"max_attempts": 3, "proxy_selector": "rendezvouss"}, tree.UnsupportedInputError, "'rendezvous'"),
        ({"max_attempts": 3, "media_base_url": "https://x/?a=b"}, tree.UnsupportedInputError, "media_base_url"),
        ({"max_attempts": 3, "video_timeout_s": 5}, tree.OptionLockedError, "video_timeout_s"),
    ],
)
async def test_one_that_cannot_be_keeps_all_as_they_were(
    options: CurrentOptions,
    storage: FakeStorage,
    values: dict[str, object],
    error: type[tree.RequestError],
    sentence: str,
) -> None:
    before = options()

    with pytest.raises(error, match=sentence):
        await options.change(values, ADA)

    assert options() == before
    assert (storage.tables.options, storage.tables.audit) == ({}, [])


async def test_change_whose_entry_cannot_be_written_is_not_made(options: CurrentOptions, storage: FakeStorage) -> None:
    storage.tables.audit_fault = tree.StorageFullError("full")

    with pytest.raises(tree.StorageFullError):
        await options.change({"policy": "random"}, ADA)

    assert options().policy == "least_busy"


async def test_option_of_a_newer_version_keeps_nobody_from_changing_others(
    options: CurrentOptions, storage: FakeStorage
) -> None:
    storage.tables.options["of_tomorrow"] = 1

    await options.change({"policy": "random"}, ADA)

    assert options().policy == "random"
    assert storage.tables.options["of_tomorrow"] == 1


async def test_whoever_listens_is_told(options: CurrentOptions) -> None:
    told: list[str] = []
    options.tell(lambda one: told.append(one.policy))

    await options.change({"policy": "random"}, ADA)

    assert told == ["least_busy", "random"]


async def test_fixed_options_lie_over_stored_ones_and_those_over_defaults(storage: FakeStorage) -> None:
    options = CurrentOptions(storage.options, {"max_attempts": 2}, policies, FakeClock())
    assert options() == Options(max_attempts=2)
    await storage.options.write({"max_attempts": 5, "poll_batch": 7}, "operator")
    assert options() == Options(max_attempts=2)
    await options.reload()
    assert options() == Options(max_attempts=2, poll_batch=7)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [("max_attempts", "many", "cannot be 'many'"), ("policy", "gone", "'gone'"), ("unheard_of", 1, "no option")],
)
async def test_stored_option_that_cannot_be_used_is_ignored_alone(
    storage: FakeStorage, name: str, value: object, sentence: str
) -> None:
    options = CurrentOptions(storage.options, {}, policies, FakeClock())
    await storage.options.write({"poll_batch": 7, name: value, "waiting_limit": 5}, "operator")
    with capture_logs() as logs:
        await options.reload()
    assert options() == Options(poll_batch=7, waiting_limit=5)
    (warning,) = logs
    assert warning["option"] == name
    assert sentence in warning["reason"]
    assert options.ignored == {name: warning["reason"]}


async def test_stored_option_that_became_useless_leaves_the_former_one_in_force(storage: FakeStorage) -> None:
    options = CurrentOptions(storage.options, {}, policies, FakeClock())
    await storage.options.write({"policy": "random"}, "operator")
    await options.reload()
    await storage.options.write({"policy": "gone", "poll_batch": 7}, "operator")
    await options.reload()
    assert options() == Options(policy="random", poll_batch=7)
    await storage.options.write({"policy": "least_busy"}, "operator")
    await options.reload()
    assert (options(), options.ignored) == (Options(poll_batch=7), {})


async def test_useless_stored_option_keeps_nobody_from_changing_others(
    options: CurrentOptions, storage: FakeStorage
) -> None:
    storage.tables.options["policy"] = "gone"

    await options.change({"max_attempts": 3}, ADA)

    assert options() == Options(video_timeout_s=900, max_attempts=3)


async def test_what_another_version_left_can_be_taken_away(options: CurrentOptions, storage: FakeStorage) -> None:
    storage.tables.options["of_tomorrow"] = 1
    await options.reload()

    await options.change({"of_tomorrow": None}, ADA)

    assert storage.tables.options == {}
    assert storage.tables.audit[0].details == {"before": {"of_tomorrow": 1}, "after": {"of_tomorrow": None}}
    with pytest.raises(tree.UnsupportedInputError):
        await options.change({"of_tomorrow": None}, ADA)


async def test_what_is_so_already_is_no_change(options: CurrentOptions, storage: FakeStorage) -> None:
    await options.change({"max_attempts": 3}, ADA)
    await options.change({"max_attempts": 3, "policy": None}, ADA)
    await options.change({}, ADA)

    assert len(storage.tables.audit) == 1


async def test_word_of_another_process_that_comes_in_during_a_change_stays_in_force(
    options: CurrentOptions, storage: FakeStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, reloading = storage.options.write, list[asyncio.Task[None]]()

    async def slow(values: Mapping[str, object], who: str, audit: AuditEntry | None = None, **_: object) -> None:
        await write({"max_attempts": 3}, "bob")  # another process was faster, and the feed tells of it
        reloading.append(asyncio.create_task(options.reload()))
        await asyncio.sleep(0.01)
        await write(values, who, audit)

    monkeypatch.setattr(storage.options, "write", slow)
    await options.change({"policy": "random"}, ADA)
    await reloading[0]

    assert (options().policy, options().max_attempts) == ("random", 3)


async def test_default_that_is_set_by_name_is_told_apart_from_none(
    options: CurrentOptions, storage: FakeStorage
) -> None:
    await options.change({"max_attempts": 8}, ADA)

    assert storage.tables.audit[0].details == {"before": {"max_attempts": None}, "after": {"max_attempts": 8}}


def test_fixed_policy_that_nobody_offers_stops_the_start(storage: FakeStorage) -> None:
    with pytest.raises(
        ConfigurationError, match="'fastest', which the option policy asks for; there are least_busy, random"
    ):
        CurrentOptions(storage.options, {"policy": "fastest"}, policies, FakeClock())


@pytest.mark.parametrize("name", ["policy", "proxy_selector", "response_profile"])
async def test_stored_selection_that_no_plugin_offers_stops_the_start_with_the_reason(
    storage: FakeStorage, name: str
) -> None:
    storage.tables.options[name] = "thrifty"
    options = CurrentOptions(
        storage.options, {}, policies, FakeClock(), left_out=" Plugins that were left out: 'thrifty'"
    )
    await options.reload()

    with pytest.raises(ConfigurationError) as caught:
        options.check_selected()

    assert f"'thrifty', which the option {name} asks for" in caught.value.message
    assert "Plugins that were left out: 'thrifty'" in caught.value.message
    assert f"`flow2api options reset {name}`" in caught.value.message


async def test_stored_option_that_is_ignored_otherwise_does_not_stop_the_start(storage: FakeStorage) -> None:
    storage.tables.options["max_attempts"] = -1
    options = CurrentOptions(storage.options, {}, policies, FakeClock())
    await options.reload()

    options.check_selected()

    assert set(options.ignored) == {"max_attempts"}


async def test_what_a_further_check_refuses_changes_nothing(options: CurrentOptions, storage: FakeStorage) -> None:
    def check(before: Options, after: Options) -> None:
        if (before.proxy, after.proxy) == ("", "gone"):
            raise tree.UnsupportedInputError("There is no such proxy.", param="proxy")

    options.check_changes_by(check)
    with pytest.raises(tree.UnsupportedInputError):
        await options.change({"proxy": "gone", "max_attempts": 3}, ADA)

    assert (options(), storage.tables.options) == (Options(video_timeout_s=900), {})
    await options.change({"proxy": "here"}, ADA)
    assert options().proxy == "here"


async def test_options_that_do_not_fit_what_is_installed_are_refused(storage: FakeStorage) -> None:
    def check(options: Options) -> None:
        if options.model_routes:
            raise ConfigurationError("The option model_routes leads nowhere.")

    options = CurrentOptions(storage.options, {}, policies, FakeClock(), check_installed=check)
    await storage.options.write({"model_routes": {"best": ["gone"]}}, "operator")
    with capture_logs() as logs:
        await options.reload()
    assert options() == Options()
    assert (logs[0]["option"], logs[0]["reason"]) == ("model_routes", "The option model_routes leads nowhere.")
    with pytest.raises(ConfigurationError, match="leads nowhere"):
        CurrentOptions(
            storage.options, {"model_routes": {"best": ["gone"]}}, policies, FakeClock(), check_installed=check
        )


async def test_standing_says_where_each_value_comes_from_and_what_there_is(options: CurrentOptions) -> None:
    await options.change({"policy": "random"}, ADA)
    standing = {one.name: one for one in await options.standing()}

    assert list(standing) == [field.name for field in fields(Options)]
    assert (standing["policy"].value, standing["policy"].default) == ("random", Options().policy)
    assert [standing[name].source for name in ("policy", "video_timeout_s", "time_zone")] == [
        "set",
        "settings",
        "default",
    ]
    assert standing["policy"].choices == ("least_busy", "random")
    assert standing["log_prompts"].choices == ("off", "hash", "full")
    assert standing["time_zone"].choices == ()


async def test_check_says_what_would_be_and_changes_nothing(options: CurrentOptions, storage: FakeStorage) -> None:
    assert (await options.check({"max_attempts": "3"})).max_attempts == 3
    with pytest.raises(tree.UnsupportedInputError):
        await options.check({"max_attempts": 0})
    with pytest.raises(tree.OptionLockedError):
        await options.check({"video_timeout_s": 5})

    assert options().max_attempts == Options().max_attempts
    assert (storage.tables.options, storage.tables.audit) == ({}, [])


async def test_standing_names_the_variable_that_fixes_an_option(storage: FakeStorage) -> None:
    fixed = CurrentOptions(
        storage.options,
        {"max_attempts": 2},
        policies,
        FakeClock(),
        origins={"max_attempts": "A_VARIABLE", "policy": "X"},
    )

    assert {one.name: one.fixed_by for one in await fixed.standing() if one.fixed_by} == {"max_attempts": "A_VARIABLE"}


async def test_change_of_what_another_server_has_set_meanwhile_is_refused_and_shown(
    options: CurrentOptions, storage: FakeStorage
) -> None:
    other = CurrentOptions(storage.options, {}, policies, FakeClock())
    await other.change({"models_off": ["one"]}, ADA)

    with pytest.raises(tree.ChangedMeanwhileError, match="models_off"):
        await options.change(
            {"models_off": ["two"], "max_attempts": 3}, ADA, seen={"models_off": (), "max_attempts": 8}
        )

    assert storage.tables.options == {"models_off": ("one",)}
    assert options().models_off == ("one",)
    await options.change({"models_off": ["one", "two"]}, ADA, seen={"models_off": ("one",)})
    assert storage.tables.options == {"models_off": ("one", "two")}


async def test_change_between_reading_and_writing_is_refused_and_shown(
    options: CurrentOptions, storage: FakeStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = storage.options.write

    async def late(values: Mapping[str, object], who: str, audit: AuditEntry | None = None, **known: object) -> None:
        await write({"models_off": ["one"]}, "another")
        await write(values, who, audit, **known)  # type: ignore[arg-type]

    monkeypatch.setattr(storage.options, "write", late)
    with pytest.raises(tree.ChangedMeanwhileError):
        await options.change({"models_off": ["two"]}, ADA, seen={"models_off": ()})

    assert options().models_off == ("one",)


async def test_option_that_cannot_be_used_can_be_set_by_who_has_seen_what_is_in_force(
    options: CurrentOptions, storage: FakeStorage
) -> None:
    await storage.options.write({"max_attempts": -5}, "operator")

    await options.change({"max_attempts": 3}, ADA, seen={"max_attempts": 8})

    assert options().max_attempts == 3
