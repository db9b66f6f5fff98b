"""``flow2api accounts update``, ``tag`` and ``untag``."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import click

from flow2api.adapters.system import SystemClock
from flow2api.app.backends import credential_kinds
from flow2api.cli.account_secrets import OPTIONS, read_given, secret_options
from flow2api.cli.account_views import print_accounts
from flow2api.cli.context import Installation, json_option, opened_storage, with_installation
from flow2api.cli.output import print_json
from flow2api.cli.whoever import whoever
from flow2api.documents.accounts import account_view
from flow2api.domain.account import Account
from flow2api.domain.media import MediaKind
from flow2api.domain.usecases.change_account import AccountChange, ChangeAccount
from flow2api.domain.usecases.manage_accounts import HEAVIEST, LAST_PRIORITY, ManageAccounts
from flow2api.domain.usecases.read_credential import GivenCredential

NO_LIMIT = "any"

_NOTHING = GivenCredential()


class _Slots(click.ParamType[int | str]):
    """A number of slots, or the word for no limit."""

    name = "NUMBER|any"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        text = str(value).strip().casefold()
        if text == NO_LIMIT:
            return NO_LIMIT
        if not text.isdecimal():
            self.fail(f"{value!r} is neither a number nor {NO_LIMIT!r}.", param, ctx)
        return int(text)


@click.command()
@click.argument("which")
@click.option("--name", help="What to call it; an empty one takes the name away.")
@click.option("--email", help="Its address, if the one that is known is wrong.")
@click.option("--remark", help="A note for yourself.")
@click.option("--image-slots", type=_Slots(), help="Pictures at once; any is no limit, 0 switches them off.")
@click.option("--video-slots", type=_Slots(), help="Videos at once; any is no limit, 0 switches them off.")
@click.option("--weight", type=click.IntRange(1, HEAVIEST), help="Its share of the work within its priority.")
@click.option("--priority", type=click.IntRange(0, LAST_PRIORITY), help="Lower numbers are tried first.")
@click.option("--workspace", help="Upstream's project that it works in; an empty one has a new one opened.")
@secret_options
@json_option
@with_installation
def update(
    here: Installation,
    which: str,
    name: str | None,
    email: str | None,
    remark: str | None,
    image_slots: int | str | None,
    video_slots: int | str | None,
    weight: int | None,
    priority: int | None,
    workspace: str | None,
    session_token_file: str | None,
    api_key_file: str | None,
    base_url: str | None,
    as_json: bool,
) -> None:
    """Change what you say of an account; the rest stays. A running server takes it in at once. JSON: the account.

    A new session token or API key takes the place of the former one. A new base URL needs the key with it.
    """
    said = ((MediaKind.IMAGE, image_slots), (MediaKind.VIDEO, video_slots))
    given = read_given(session_token_file, api_key_file, base_url)
    change = AccountChange(
        name=None if name is None else name.strip(),
        email=email,
        remark=remark,
        limits={kind: slots if isinstance(slots, int) else None for kind, slots in said if slots is not None},
        weight=weight,
        priority=priority,
        workspace=workspace,
    )
    if change == AccountChange() and given == _NOTHING:
        raise click.UsageError("Say what is to be changed.")
    _tell(asyncio.run(_change(here, [which], change, given)), as_json=as_json)


@click.command()
@click.argument("tag")
@click.argument("which", nargs=-1, required=True)
@json_option
@with_installation
def tag(here: Installation, tag: str, which: tuple[str, ...], as_json: bool) -> None:
    """Put TAG on accounts, for keys that may use only these. JSON: {"accounts": [...]}."""
    changed = asyncio.run(_change(here, which, AccountChange(added_tags=frozenset({tag}))))
    _tell(changed, as_json=as_json, many=True)


@click.command()
@click.argument("tag")
@click.argument("which", nargs=-1, required=True)
@json_option
@with_installation
def untag(here: Installation, tag: str, which: tuple[str, ...], as_json: bool) -> None:
    """Take TAG off accounts. JSON: {"accounts": [...]}."""
    changed = asyncio.run(_change(here, which, AccountChange(removed_tags=frozenset({tag}))))
    _tell(changed, as_json=as_json, many=True)


async def _change(
    here: Installation, which: Sequence[str], change: AccountChange, given: GivenCredential = _NOTHING
) -> Sequence[Account]:
    """Change these accounts; when one of them cannot be found, none is changed."""
    async with opened_storage(here) as (storage, _):
        manage = ManageAccounts(storage.accounts, storage.vault, SystemClock())
        kinds, actor = credential_kinds(here.settings, here.extensions), whoever()
        carry_out = ChangeAccount(storage.accounts, storage.vault, SystemClock(), kinds)
        found = {account.id: account for account in [await manage.find(one) for one in which]}
        return [await carry_out(one, _with_secret(here, one, change, given), actor) for one in found.values()]


def _with_secret(here: Installation, account: Account, change: AccountChange, given: GivenCredential) -> AccountChange:
    """The change with the new secret, if there is one."""
    secret, base_url = given.read_for(account, credential_kinds(here.settings, here.extensions), OPTIONS)
    return replace(change, session_token=secret, base_url=base_url)


def _tell(accounts: Sequence[Account], *, as_json: bool, many: bool = False) -> None:
    now = SystemClock().now()
    shown = [account_view(account, now) for account in accounts]
    if as_json:
        print_json({"accounts": shown} if many else shown[0])
    else:
        print_accounts(shown)
