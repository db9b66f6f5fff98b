from flow2api.extensions.answers import hook_names
from flow2api.extensions.hook_manager import HookManager


def test_manager_knows_every_hook_and_nothing_else() -> None:
    hooks = vars(HookManager().hook)

    assert {name for name in hooks if not name.startswith("_")} == set(hook_names())
