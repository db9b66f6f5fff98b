"""The control API under ``/_sim``: makes accounts, scripts faults, moves the clock, shows what happened."""

import fnmatch
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import parse_qs

import msgspec
from msgspec import Struct

from flow2api.simulator.accounts import Account
from flow2api.simulator.answer import Response, json_response
from flow2api.simulator.control_schema import AccountKnobs, ClockChange, ClockView, Fault, NewAccounts, SimAccount
from flow2api.simulator.routes import NAMES
from flow2api.simulator.world import World

S = TypeVar("S", bound=Struct)
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})


class ResetRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Body of ``POST /_sim/reset``."""

    keep_accounts: bool = False


class Control:
    """Answers control calls.

    Args:
        world: The state that they read and change.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self._fixed: dict[tuple[str, str], Callable[[bytes, dict[str, str]], Any]] = {
            ("POST", "/accounts"): lambda body, _: self.add_accounts(body),
            ("GET", "/accounts"): lambda _body, _: [entry.view() for entry in self.world.book.accounts.values()],
            ("POST", "/faults"): lambda body, _: self.add_fault(body),
            ("GET", "/faults"): lambda _body, _: self.world.faults.faults,
            ("DELETE", "/faults"): lambda _body, _: self.clear_faults(),
            ("GET", "/clock"): lambda _body, _: self.clock(),
            ("PATCH", "/clock"): lambda body, _: self.change_clock(body),
            ("GET", "/options"): lambda _body, _: self.world.options,
            ("PATCH", "/options"): lambda body, _: self.change_options(body),
            ("GET", "/requests"): lambda _body, query: self.requests(query),
            ("GET", "/counters"): lambda _body, _: self.world.record.sums(self.world.book),
            ("GET", "/jobs"): lambda _body, query: self.jobs(query),
            ("POST", "/reset"): lambda body, _: self.reset(body),
        }

    async def answer(self, method: str, path: str, query: bytes, body: bytes, host: str) -> Response:
        """The answer to one call. Only the loopback's own names are served, so that no web page can steer it."""
        if host not in LOOPBACK_HOSTS:
            return json_response({"error": "The control API answers on the loopback only."}, 403)
        arguments = {key: values[-1] for key, values in parse_qs(query.decode("latin-1")).items()}
        try:
            return json_response(self._dispatch(method, path, arguments, body))
        except LookupError as error:
            return json_response({"error": str(error.args[0]) if error.args else "Not found."}, 404)
        except (msgspec.DecodeError, ValueError) as error:
            return json_response({"error": str(error)}, 400)

    def _dispatch(self, method: str, path: str, arguments: dict[str, str], body: bytes) -> Any:
        if (fixed := self._fixed.get((method, path))) is not None:
            return fixed(body, arguments)
        parts = path.strip("/").split("/")
        if parts[0] != "accounts" or not 2 <= len(parts) <= 3:
            raise LookupError(f"There is no control call {method} /_sim{path}.")
        account = self.find(parts[1])
        match method, parts[2:]:
            case "GET", []:
                return self.view(account)
            case "PATCH", []:
                return self.change_account(account, body)
            case "POST", ["sign-in"]:
                self.world.book.sign_in(account, self.world.clock.now())
                return self.view(account)
            case "POST", ["kill-access-tokens"]:
                self.world.book.kill_access_tokens(account)
                return self.view(account)
        raise LookupError(f"There is no control call {method} /_sim{path}.")

    def add_fault(self, body: bytes) -> Fault:
        """Scripts a fault."""
        fault = msgspec.json.decode(body, type=Fault)
        check_pattern(fault.call)
        return self.world.faults.add(fault)

    def clear_faults(self) -> dict[str, Any]:
        """Removes every fault."""
        self.world.faults.clear()
        return {}

    def find(self, name: str) -> Account:
        """An account by id or email."""
        try:
            return self.world.book.find(name)
        except KeyError:
            raise LookupError(f"There is no account {name}.") from None

    def view(self, account: Account) -> SimAccount:
        """An account, with the places of ended jobs freed."""
        account.settle(self.world.clock.now())
        return account.view()

    def add_accounts(self, body: bytes) -> list[SimAccount]:
        """Makes accounts."""
        wanted = msgspec.json.decode(body or b"{}", type=NewAccounts)
        if not 1 <= wanted.count <= 200_000:
            raise ValueError("The count must be from 1 to 200000.")
        if wanted.count > 1 and (wanted.knobs.email or wanted.knobs.session_token):
            raise ValueError("Several accounts can't share an email or a session token.")
        return [self.world.book.add(fresh(wanted.knobs), self.world.clock.now()).view() for _ in range(wanted.count)]

    def change_account(self, account: Account, body: bytes) -> SimAccount:
        """Changes knobs."""
        email = account.knobs.email
        account.knobs = merged(account.knobs, body, AccountKnobs)
        account.knobs.email = email
        return self.view(account)

    def change_options(self, body: bytes) -> Struct:
        """Changes options."""
        self.world.options = merged(self.world.options, body, type(self.world.options))
        return self.world.options

    def clock(self) -> ClockView:
        """The time."""
        return ClockView(now=self.world.clock.now(), speed=self.world.clock.speed)

    def change_clock(self, body: bytes) -> ClockView:
        """Sets, advances, hurries."""
        change, clock = msgspec.json.decode(body, type=ClockChange), self.world.clock
        if change.now is not None:
            clock.set(change.now)
        if change.advance_s:
            clock.advance(change.advance_s)
        if change.speed is not None:
            clock.set_speed(change.speed)
        return self.clock()

    def requests(self, query: dict[str, str]) -> Any:
        """The record, filtered."""
        account = self.find(query["account"]).id if "account" in query else None
        check_pattern(query.get("call", "*"))
        return self.world.record.find(query.get("call"), account, int(query.get("after", "0")))

    def jobs(self, query: dict[str, str]) -> Any:
        """The jobs, filtered; their ends are booked on the way."""
        wanted, now = self.find(query["account"]) if "account" in query else None, self.world.clock.now()
        jobs = [job for job in self.world.jobs.all() if wanted is None or job.account is wanted]
        for job in jobs:
            job.settle(now)
        return [job.view(now) for job in jobs]

    def reset(self, body: bytes) -> dict[str, Any]:
        """Back to the start."""
        self.world.reset(keep_accounts=msgspec.json.decode(body or b"{}", type=ResetRequest).keep_accounts)
        return {}


def check_pattern(pattern: str) -> None:
    """Catches a misspelt call name, which would never match.

    Raises:
        ValueError: No call has such a name.
    """
    if not fnmatch.filter(NAMES, pattern):
        raise ValueError(f"No call is named {pattern}; the names are {', '.join(sorted(NAMES))}.")


def fresh(knobs: AccountKnobs) -> AccountKnobs:
    """A copy of knobs that shares nothing with them."""
    return msgspec.convert(msgspec.to_builtins(knobs), AccountKnobs)


def merged(current: S, body: bytes, kind: type[S]) -> S:
    """A struct with some of its fields replaced by those of a JSON body."""
    changes = msgspec.json.decode(body or b"{}", type=dict[str, Any])
    merged: S = msgspec.convert(msgspec.to_builtins(current) | changes, kind)
    return merged
