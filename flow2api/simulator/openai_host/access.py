"""Who may ask: the key, the account's credits and quotas, the words in a prompt."""

from collections.abc import Iterator
from contextlib import contextmanager

from flow2api.simulator.accounts import Account, Running
from flow2api.simulator.call import Call
from flow2api.simulator.checks import mentions
from flow2api.simulator.errors import CallError
from flow2api.simulator.ids import new_uuid
from flow2api.simulator.openai_host.errors import HostError, invalid_key, refused_by_account
from flow2api.simulator.world import World

LONGEST_PROMPT = 32_000


def key_account(call: Call) -> Account:
    """The account of the key.

    Raises:
        HostError: 401, there is no key, or one that opens nothing.
    """
    account = call.account
    if call.bearer is None:
        raise HostError(401, None, "You didn't provide an API key.")
    if account is None or call.bearer != account.api_key or account.knobs.signed_out or account.knobs.revoked != "no":
        raise invalid_key()
    return account


def generating_account(call: Call) -> Account:
    """The account of the key, if it may generate at all.

    Raises:
        HostError: The key is not good, or the account is refused with its reason as the code.
    """
    account = key_account(call)
    if account.knobs.refused_reason:
        raise HostError(403, account.knobs.refused_reason, "Not allowed.")
    return account


def safe_prompt(world: World, prompt: str | None) -> str:
    """A prompt that is neither missing nor refused.

    Raises:
        HostError: 400.
    """
    if not prompt or not prompt.strip() or len(prompt) > LONGEST_PROMPT:
        raise HostError(400, "invalid_value", f"The prompt must have 1 to {LONGEST_PROMPT} characters.", param="prompt")
    if mentions(prompt, world.options.unsafe_word):
        message = "Your request was rejected by the safety system."
        raise HostError(400, "moderation_blocked", message, kind="image_generation_user_error")
    if mentions(prompt, world.options.filtered_word):
        raise HostError(400, "content_policy_violation", "Your request was rejected as a result of our safety system.")
    return prompt


def take(world: World, account: Account, model: str, count: int, price: int) -> None:
    """Count generations against the quotas of the day, and pay for them.

    Raises:
        HostError: 429, a quota or the credits are used up.
    """
    try:
        account.take(model, count, price, world.clock.today())
    except CallError as error:
        raise refused_by_account(error) from error
    world.record.submits += 1


def crowd(world: World, account: Account, jobs: dict[str, Running]) -> None:
    """Let jobs take their places.

    Raises:
        HostError: 429, there are not enough left.
    """
    try:
        account.start(jobs, world.clock.now())
    except CallError as error:
        raise refused_by_account(error) from error


class _Place:
    """The place that a call holds; it is given up by the call itself."""

    def settle(self, now: float) -> bool:
        """Never ends by time."""
        return False


@contextmanager
def place(world: World, account: Account) -> Iterator[None]:
    """Hold one of the account's places while a call lasts.

    Raises:
        HostError: 429, there is none left.
    """
    name = new_uuid()
    crowd(world, account, {name: _Place()})
    try:
        yield
    finally:
        account.running.pop(name, None)
