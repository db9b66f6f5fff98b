"""The forms on the page of an account: its settings, with a check that nobody else has changed them, and its credential."""

from collections.abc import Mapping, Sequence

from flow2api.adapters.console.account_states import name_of
from flow2api.adapters.console.accounts.bulk import split_tags
from flow2api.adapters.console.forms import Form
from flow2api.adapters.console.language import gettext, retold
from flow2api.domain.account import Account
from flow2api.domain.base_url import read_base_url
from flow2api.domain.credential_kinds import CredentialKinds
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.media import MediaKind
from flow2api.domain.proxy import DIRECT, GLOBAL, Proxy
from flow2api.domain.usecases.change_account import AccountChange
from flow2api.domain.usecases.manage_accounts import (
    HEAVIEST,
    LAST_PRIORITY,
    LONGEST_NAME,
    LONGEST_REMARK,
    MOST_SLOTS,
    read_api_key,
    read_session_token,
)

SETTINGS = ("name", "remark", "image", "video", "weight", "priority", "tags", "proxy")
SETTINGS_FIELDS = (*SETTINGS, *(f"was_{name}" for name in SETTINGS))
CREDENTIAL_FIELDS = ("credential", "base_url")

_TOLD = {"image": "image_capacity", "video": "video_capacity"}
_FIELDS = {told: name for name, told in _TOLD.items()}


def settings_of(account: Account) -> Mapping[str, str]:
    """The settings of an account as the form's fields have them."""
    capacity = account.capacity
    return {
        "name": account.name,
        "remark": account.remark,
        "image": "" if capacity.image is None else str(capacity.image),
        "video": "" if capacity.video is None else str(capacity.video),
        "weight": str(account.weight),
        "priority": str(account.priority),
        "tags": ", ".join(sorted(account.tags)),
        "proxy": account.proxy or GLOBAL,
    }


def proxy_choices(proxies: Sequence[Proxy], current: str | None) -> list[tuple[str, str]]:
    """What an account can use, as value and words; what it uses now is among it even when that is gone."""
    pools = sorted({one.pool for one in proxies if one.pool})
    choices = [(GLOBAL, gettext("As the option says")), (DIRECT, gettext("Direct, without a proxy"))]
    choices += [(pool, gettext("Pool %(name)s") % {"name": pool}) for pool in pools]
    choices += [(one.name, f"{one.name} ({one.address})") for one in proxies]
    if current is not None and current not in dict(choices):
        choices.append((current, gettext("%(name)s, which is gone") % {"name": current}))
    return choices


def read_settings(form: Form, proxies: Sequence[tuple[str, str]]) -> tuple[AccountChange, Mapping[str, object]]:
    """What is to be different, and what the operator has seen of it; what he left as it was is neither.

    What is wrong is noted in the form.
    """
    name = form.text("name", is_needed=True, most=LONGEST_NAME)
    remark = form.text("remark", most=LONGEST_REMARK)
    slots = {kind: form.whole(kind.value, most=MOST_SLOTS) for kind in MediaKind}
    weight = form.whole("weight", least=1, most=HEAVIEST)
    priority = form.whole("priority", most=LAST_PRIORITY)
    for field, value in (("weight", weight), ("priority", priority)):
        if value is None:
            form.refuse(field, gettext("This is needed."))
    tags = split_tags(form.text("tags"))
    proxy = form.choice("proxy", dict(proxies), GLOBAL)
    touched = {field for field in SETTINGS if _normal(field, form.value(field)) != _normal(field, _was(form, field))}
    change = AccountChange(
        name=name if "name" in touched else None,
        remark=remark if "remark" in touched else None,
        limits={kind: limit for kind, limit in slots.items() if kind.value in touched},
        weight=weight if "weight" in touched else None,
        priority=priority if "priority" in touched else None,
        tags=tags if "tags" in touched else None,
        proxy=proxy if "proxy" in touched else None,
    )
    return change, {_TOLD.get(field, field): _normal(field, _was(form, field)) for field in touched}


def show_both(form: Form, account: Account, fields: Sequence[str]) -> None:
    """Tell beside each field what somebody else has put there, and have the next save go over it.

    Args:
        fields: By the names that the error has.
    """
    stored = settings_of(account)
    conflicts = {_FIELDS.get(field, field) for field in fields}
    for field, value in stored.items():
        was_touched = _normal(field, form.value(field)) != _normal(field, _was(form, field))
        form.values[f"was_{field}"] = value
        if field in conflicts:
            told = gettext("Somebody else has set this to “%(value)s” meanwhile. Save again to have yours instead.")
            form.refuse(field, told % {"value": value or gettext("empty")})
        elif not was_touched:
            form.values[field] = value
    form.refuse("", gettext("Not saved: somebody else has changed %(name)s meanwhile.") % {"name": name_of(account)})


def read_credential(form: Form, account: Account, kinds: CredentialKinds) -> AccountChange | None:
    """The new session token or key; None when something is wrong, which the form then says."""
    kind = kinds.of(account.upstream)
    text = form.secret("credential", is_needed=True, most=20_000)
    if form.errors:
        return None
    try:
        secret = read_api_key(text) if kind.has_key else read_session_token(text)
    except UnsupportedInputError as error:
        form.refuse("credential", retold(error.message))
        return None
    base_url: str | None = None
    if kind.has_base_url:
        try:
            base_url = read_base_url(form.text("base_url") or account.base_url or "", kinds.plain_hosts)
        except UnsupportedInputError as error:
            form.refuse("base_url", retold(error.message))
            return None
    return AccountChange(session_token=secret, base_url=base_url)


def _was(form: Form, field: str) -> str:
    return form.value(f"was_{field}")


def _normal(field: str, written: str) -> object:
    """A field's value as the account has it; the text itself where it makes no sense."""
    text = written.strip()
    match field:
        case "tags":
            return sorted(split_tags(text))
        case "proxy":
            return None if text in ("", GLOBAL) else text
        case "image" | "video" | "weight" | "priority":
            return None if not text else int(text) if text.isdecimal() and len(text) < 10 else text
        case _:
            return text
