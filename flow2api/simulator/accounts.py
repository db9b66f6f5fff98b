"""Played accounts: their knobs, credentials, credits, quotas and running jobs."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Protocol

from flow2api.simulator.catalog import TIERS
from flow2api.simulator.control_schema import AccountCounters, AccountKnobs, SimAccount
from flow2api.simulator.errors import CallError

SESSION_TOKEN_LENGTH = 1040
SESSION_TOKEN_HEAD = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0."  # noqa: S105 - the public header of an encrypted JWT
API_KEY_HEAD, API_KEY_LENGTH = "AIza", 35
CREDITS_SEEN = dict(zip(TIERS, (50, 1_000, 45_000), strict=True))


class Running(Protocol):
    """A job that holds a place until it has ended."""

    def settle(self, now: float) -> bool:
        """Books the end, if it has come by now; returns whether it has."""


@dataclass(slots=True)
class AccessToken:
    """A bearer: who it belongs to, until when it lives, whether the API base takes it."""

    account: "Account"
    expires_at: float
    dead: bool = False


@dataclass(slots=True, eq=False)
class Account:
    """One account.

    ``generation`` counts how often its sessions were made stale or new; those below ``stale_below`` get the stale
    answer, those below ``broken_below`` ended with an earlier browser login.
    """

    id: str
    knobs: AccountKnobs
    session_token: str = ""
    api_key: str = ""
    generation: int = 0
    stale_below: int = 0
    broken_below: int = 0
    access_token: str = ""
    access_tokens: list[str] = field(default_factory=list)
    projects: dict[str, tuple[str, float]] = field(default_factory=dict)
    running: "dict[str, Running]" = field(default_factory=dict)
    counters: AccountCounters = field(default_factory=AccountCounters)
    credits_day: str = ""
    usage_day: str = ""
    usage: dict[str, int] = field(default_factory=dict)

    def view(self) -> SimAccount:
        """The account as the control API shows it."""
        return SimAccount(
            id=self.id,
            session_token=self.session_token,
            knobs=self.knobs,
            projects=list(self.projects),
            running_jobs=len(self.running),
            peak_jobs=self.counters.peak_jobs,
            api_key=self.api_key,
        )

    def refill(self, today: str) -> None:
        """Gives the daily credits once a day, if the account has any."""
        if self.credits_day != today:
            if self.credits_day and self.knobs.daily_credits is not None:
                self.knobs.credits = self.knobs.daily_credits
            self.credits_day = today

    def take(self, key: str, count: int, cost: int, today: str) -> None:
        """Counts generations against quotas and pays for them.

        Raises:
            CallError: A quota or the credits are used up; nothing was taken.
        """
        self.refill(today)
        if self.usage_day != today:
            self.usage_day, self.usage = today, {}
        knobs, used = self.knobs, self.usage
        if knobs.quota_per_day is not None and used.get("", 0) + count > knobs.quota_per_day:
            raise CallError(429, "PUBLIC_ERROR_USER_QUOTA_REACHED")
        limit = knobs.model_quota_per_day.get(key)
        if limit is not None and used.get(key, 0) + count > limit:
            raise CallError(429, "PUBLIC_ERROR_PER_MODEL_DAILY_QUOTA_REACHED")
        if cost > knobs.credits:
            raise CallError(429, "PUBLIC_ERROR_USER_QUOTA_REACHED")
        used[""] = used.get("", 0) + count
        used[key] = used.get(key, 0) + count
        knobs.credits -= cost
        self.counters.credits_spent += cost

    def give_back(self, cost: int) -> None:
        """Returns what a failed job cost."""
        self.knobs.credits += cost
        self.counters.credits_returned += cost

    def start(self, jobs: "dict[str, Running]", now: float) -> None:
        """Lets jobs take their places.

        Raises:
            CallError: There are not enough places left.
        """
        self.settle(now)
        limit = self.knobs.max_parallel_jobs
        if limit is not None and len(self.running) + len(jobs) > limit:
            raise CallError(429, "PUBLIC_ERROR_CONCURRENT_LIMIT_REACHED")
        self.running |= jobs
        self.counters.peak_jobs = max(self.counters.peak_jobs, len(self.running))

    def settle(self, now: float) -> None:
        """Frees the places of jobs that have ended by now."""
        for name in [name for name, job in self.running.items() if job.settle(now)]:
            del self.running[name]


class AccountBook:
    """All accounts and the tokens that belong to them."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self._by_email: dict[str, Account] = {}
        self._given_tokens: dict[str, Account] = {}
        self._by_key: dict[str, Account] = {}
        self._access: dict[str, AccessToken] = {}
        self._secret = secrets.token_bytes(32)
        self._filler = base64.urlsafe_b64encode(secrets.token_bytes(800)).decode()
        self._count = 0

    def add(self, knobs: AccountKnobs, now: float) -> Account:
        """Makes an account with a session token and an API key.

        Raises:
            ValueError: Its email or its key is taken.
        """
        self._count += 1
        number = self._count
        knobs.email = knobs.email or f"player{number}@example.com"
        knobs.name = knobs.name or f"Player {number}"
        email = knobs.email.strip().casefold()
        if email in self._by_email:
            raise ValueError(f"There is an account {knobs.email} already.")
        key = knobs.api_key or API_KEY_HEAD + secrets.token_urlsafe(27)[:API_KEY_LENGTH]
        if key in self._by_key:
            raise ValueError("There is an account with this API key already.")
        account = Account(id=f"acc-{number}", knobs=knobs, api_key=key)
        self._by_key[key] = account
        self.accounts[account.id] = self._by_email[email] = account
        account.session_token = knobs.session_token or self.mint_session(account, now)
        if knobs.session_token:
            self._given_tokens[knobs.session_token] = account
        return account

    def find(self, name: str) -> Account:
        """An account by id or email.

        Raises:
            KeyError: There is none.
        """
        return self.accounts.get(name) or self._by_email[name.strip().casefold()]

    def mint_session(self, account: Account, now: float) -> str:
        """A new session token; the older ones stay good until their own window ends."""
        payload = f"{account.id}.{account.generation}.{int(now * 1000)}.{secrets.token_hex(6)}"
        text = base64.urlsafe_b64encode(payload.encode()).decode().rstrip("=")
        body = f"{SESSION_TOKEN_HEAD}.{text}.{self._sign(payload)}"
        account.session_token = body + "." + self._filler[: SESSION_TOKEN_LENGTH - len(body) - 1]
        return account.session_token

    def read_session(self, token: str | None, now: float) -> tuple[Account, int] | None:
        """Whose session token it is and of which generation; None when it is garbage, too old or signed out."""
        if not token:
            return None
        if (given := self._given_tokens.get(token)) is not None:
            return None if given.knobs.signed_out else (given, 0)
        try:
            _head, _key, text, signature, _filler = token.split(".")
            payload = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
            name, generation, issued_ms, _nonce = payload.split(".")
        except ValueError:
            return None
        account = self.accounts.get(name)
        if account is None or account.knobs.signed_out or not hmac.compare_digest(signature, self._sign(payload)):
            return None
        if now > int(issued_ms) / 1000 + account.knobs.st_window_s:
            return None
        return account, int(generation)

    def mint_access(self, account: Account, now: float) -> AccessToken:
        """A new access token; the older ones stay good until they expire."""
        account.access_tokens = [token for token in account.access_tokens if self._still_kept(token, now)]
        token = "ya29.a0" + secrets.token_urlsafe(294)
        entry = AccessToken(account, now + account.knobs.at_lifetime_s, dead=account.knobs.grant_expired)
        self._access[token] = entry
        account.access_token = token
        account.access_tokens.append(token)
        return entry

    def key_owner(self, key: str) -> Account | None:
        """Whose API key it is, whether it is still good or not."""
        return self._by_key.get(key)

    def access(self, token: str) -> AccessToken | None:
        """What is known of a bearer, dead or alive."""
        return self._access.get(token)

    def kill_access_tokens(self, account: Account) -> None:
        """Makes all bearers of the account dead."""
        for token in account.access_tokens:
            self._access[token].dead = True

    def sign_in(self, account: Account, now: float) -> None:
        """A new browser login: its session is good; if the ones before were broken, they stay so."""
        knobs = account.knobs
        account.generation += 1
        if knobs.refresh_needed or knobs.grant_expired or knobs.signed_out or knobs.revoked != "no":
            account.broken_below = account.generation
        knobs.refresh_needed = knobs.grant_expired = knobs.signed_out = knobs.stale_then_rotate = False
        knobs.revoked = "no"
        account.access_token = ""
        self.mint_session(account, now)

    def _still_kept(self, token: str, now: float) -> bool:
        if self._access[token].expires_at + 60 > now:
            return True
        del self._access[token]
        return False

    def _sign(self, payload: str) -> str:
        return hmac.new(self._secret, payload.encode(), hashlib.sha256).hexdigest()[:32]
