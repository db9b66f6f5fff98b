"""Whether the master key is the one under which this database was written."""

import asyncio
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, exists, literal, select

from flow2api.adapters.persistence.account_mapping import row_to_credentials
from flow2api.adapters.persistence.accounts import CREDENTIALS
from flow2api.adapters.persistence.api_keys import API_KEYS
from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.proxies import PROXIES
from flow2api.adapters.persistence.rows import FactRow
from flow2api.adapters.persistence.rows.base import table_of
from flow2api.adapters.persistence.second_factors import FACTORS
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.secret import Secret

FACTS = table_of(FactRow)

KEY_CHECK = "key_check"
PLACE = f"facts.value:{KEY_CHECK}"

# The hashes of API keys hang on the master key as well: a new one would lock out every client.
_HOLDS_SECRETS = select(
    exists(select(literal(1)).select_from(CREDENTIALS))
    | exists(select(literal(1)).select_from(API_KEYS))
    | exists(select(literal(1)).select_from(PROXIES))
    | exists(select(literal(1)).select_from(FACTORS))
)
_FACT = select(FACTS.c.value).where(FACTS.c.name == bindparam("named"))
_NEWEST = select(CREDENTIALS).order_by(CREDENTIALS.c.account_id.desc()).limit(1)


async def check_key(database: Database, cipher: Cipher) -> None:
    """Have the cipher ready, and make sure that it opens what is kept here.

    Raises:
        ConfigurationError: There is no key, or it is another one.
    """
    holds_secrets = await database.read(lambda connection: bool(connection.execute(_HOLDS_SECRETS).scalar()))
    await asyncio.to_thread(cipher.prepare, holds_secrets=holds_secrets)
    if not holds_secrets:
        await set_fact(database, KEY_CHECK, cipher.seal(Secret("flow2api"), place=PLACE))
        return
    fact, newest = await database.read(_kept)
    if fact is not None:
        cipher.open(fact, place=PLACE)
    if newest is not None:
        row_to_credentials(newest, cipher)


async def set_fact(database: Database, name: str, value: str) -> None:
    """Write a single value over what is there."""
    setting: Any = database.insert(FACTS)
    setting = setting.on_conflict_do_update(index_elements=[FACTS.c.name], set_={"value": setting.excluded.value})
    await database.write(lambda connection: connection.execute(setting, {"name": name, "value": value}).rowcount)


def _kept(connection: Connection) -> tuple[str | None, RowMapping | None]:
    return (
        connection.execute(_FACT, {"named": KEY_CHECK}).scalar(),
        connection.execute(_NEWEST).mappings().first(),
    )
