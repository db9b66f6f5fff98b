"""Every account's standing for every kind of request, kept current."""

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from random import Random

from flow2api.domain.account import Account
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.media import MediaKind
from flow2api.domain.ready_set import Census, ReadyAccounts
from flow2api.domain.selection import (
    Candidate,
    Need,
    SelectionPolicy,
    Signature,
    model_refusal,
    refusal,
    refusal_for,
)

_DRAWS = 8
"""How often a policy is asked again before a set for the very model is made."""

_MODEL_SETS = 64
"""How many such sets are kept; the least recently used one goes first."""


class ReadySets:
    """The ready accounts by signature, and by signature and model where accounts are excluded for the model.

    In a set for a tag are those that carry it: hundreds of tags cost no more than what carries them.
    """

    def __init__(self, candidates: Mapping[int, Candidate]) -> None:
        self._candidates = candidates
        self._sets: dict[Signature, ReadyAccounts] = {}
        self._of_kind: defaultdict[tuple[str, MediaKind, str | None], list[tuple[Signature, ReadyAccounts]]]
        self._of_kind = defaultdict(list)
        self._model_sets: OrderedDict[tuple[Signature, str], tuple[ModelSpec, ReadyAccounts]] = OrderedDict()
        self._model_rests: Counter[str] = Counter()
        self._purses: Counter[int] = Counter()
        self._census: defaultdict[tuple[str, MediaKind], Census] = defaultdict(Census)

    def of(self, signature: Signature, now: datetime) -> ReadyAccounts:
        """The set of this signature, made when it first occurs."""
        ready = self._sets.get(signature)
        if ready is None:
            ready = self._sets[signature] = self._filled(signature, lambda one: refusal(one, signature, now))
            self._of_kind[signature.upstream, signature.kind, signature.tag].append((signature, ready))
        return ready

    def of_model(self, spec: ModelSpec, signature: Signature, now: datetime) -> ReadyAccounts:
        """The set of this very model, made when it is first needed."""
        key = (signature, spec.name)
        entry = self._model_sets.get(key)
        if entry is None:
            ready = self._filled(signature, lambda one: refusal_for(one, spec, signature, now))
            entry = self._model_sets[key] = (spec, ready)
            if len(self._model_sets) > _MODEL_SETS:
                self._model_sets.popitem(last=False)
        self._model_sets.move_to_end(key)
        return entry[1]

    def restand(self, candidate: Candidate, now: datetime, kind: MediaKind | None = None) -> None:
        """Note how an account stands now, everywhere or only where its slots for this kind of media are concerned."""
        account = candidate.account
        for each in MediaKind if kind is None else (kind,):
            for signature, ready in self._with_place(account, each):
                ready.stand(candidate, refusal(candidate, signature, now))
        for (signature, _), (spec, ready) in self._model_sets.items():
            if (kind is None or signature.kind is kind) and _has_place(account, signature):
                ready.stand(candidate, refusal_for(candidate, spec, signature, now))

    def _with_place(self, account: Account, kind: MediaKind) -> Iterator[tuple[Signature, ReadyAccounts]]:
        """The sets that it has a place in; where it lacks the tag, it stays out for that, however it stands."""
        for tag in (None, *account.tags):
            found = self._of_kind.get((account.upstream, kind, tag))
            if found is not None:
                yield from found

    def exclude(self, before: Account | None, after: Account | None) -> None:
        """Keep count of who may be excluded, for a model by its rests and its credits or for a tag, now that one has changed."""
        for account, change in ((before, -1), (after, 1)):
            if account is None:
                continue
            for rest in account.rests:
                if rest.model is not None:
                    self._model_rests[rest.model] += change
            if account.credits is not None:
                self._purses[account.credits.bit_length()] += change
            for kind in MediaKind:
                census = self._census[account.upstream, kind]
                census.total += change
                if account.capacity.of(kind) == 0:
                    census.off += change
        if before is not None:
            lost = before.tags if after is None else before.tags - after.tags
            for signature, ready in self._with_tags(lost) if lost else ():
                if signature.upstream == before.upstream:
                    ready.forget(before.id)

    def forget(self, account_id: int) -> None:
        """The account is gone."""
        for ready in self._all():
            ready.forget(account_id)

    def choose(
        self, need: Need, policy: SelectionPolicy, avoid: Collection[int], random: Random, now: datetime
    ) -> Candidate | None:
        """What the policy picks among the accounts that fit; None when there is none.

        A pick that is not ready, does not fit or is to be avoided is not taken; after some of them the first that fits
        is, the best priority first.
        """
        signature, spec = need.signature, need.spec
        own = self._model_sets.get((signature, spec.name)) if self._model_sets else None
        ready = self.of(signature, now) if own is None else own[1]
        is_excluded = False
        for draw in range(_DRAWS):
            if not len(ready):
                return None
            candidate = policy.select(ready, need, random)
            if candidate in ready:
                fits = model_refusal(candidate, spec, now) is None
                if fits and candidate.account.id not in avoid:
                    return candidate
                is_excluded = is_excluded or not fits
            if draw == 0 and (need.sticky is not None or need.home is not None):
                need = replace(need, sticky=None, home=None)  # where it belongs it cannot go this time
        if is_excluded:
            return self._among_rare(need, policy, avoid, random, now)
        fitting = (one for one in ready.everyone() if one.account.id not in avoid)
        return next((one for one in fitting if model_refusal(one, spec, now) is None), None)

    def refusals(self, need: Need, now: datetime) -> dict[str, int]:
        """How many accounts could not serve this request now, by reason."""
        excludes = self._may_exclude(need.spec)
        ready = self.of_model(need.spec, need.signature, now) if excludes else self.of(need.signature, now)
        return ready.refusals()

    def counts(self, need: Need, now: datetime) -> tuple[int, dict[str, int]]:
        """How many are ready for this request, and how many are refused for what, as far as is counted already."""
        signature = need.signature
        own = self._model_sets.get((signature, need.spec.name)) if self._model_sets else None
        ready = self.of(signature, now) if own is None else own[1]
        return ready.ready, ready.refusals()

    def has_one_for(self, need: Need, now: datetime, avoid: Collection[int] = frozenset()) -> bool:
        """Whether an account other than these could serve this request now."""
        excludes = self._may_exclude(need.spec)
        ready = self.of_model(need.spec, need.signature, now) if excludes else self.of(need.signature, now)
        return ready.ready > sum(self._candidates[one] in ready for one in avoid if one in self._candidates)

    def _may_exclude(self, spec: ModelSpec) -> bool:
        """Whether any account may be refused for this very model: it rests for it, or can hardly pay the price."""
        if self._model_rests[spec.rests_as] > 0:
            return True
        price = max(spec.costs.values(), default=0)
        return price > 0 and any(self._purses[size] > 0 for size in range(price.bit_length() + 1))

    def _among_rare(
        self, need: Need, policy: SelectionPolicy, avoid: Collection[int], random: Random, now: datetime
    ) -> Candidate | None:
        """A pick from the model's own set: most accounts are excluded for it."""
        ready = self.of_model(need.spec, need.signature, now)
        if len(ready):
            candidate = policy.select(ready, need, random)
            if candidate in ready and candidate.account.id not in avoid:
                return candidate
        return next((one for one in ready.everyone() if one.account.id not in avoid), None)

    def _filled(self, signature: Signature, judge: Callable[[Candidate], str | None]) -> ReadyAccounts:
        everyone = None if signature.tag is None else self._census[signature.upstream, signature.kind]
        ready = ReadyAccounts(everyone)
        for candidate in self._candidates.values():
            if _has_place(candidate.account, signature):
                ready.stand(candidate, judge(candidate))
        return ready

    def _with_tags(self, tags: Collection[str]) -> Iterator[tuple[Signature, ReadyAccounts]]:
        yield from ((signature, ready) for signature, ready in self._sets.items() if signature.tag in tags)
        for (signature, _), (_, ready) in self._model_sets.items():
            if signature.tag in tags:
                yield signature, ready

    def _all(self) -> Iterator[ReadyAccounts]:
        yield from self._sets.values()
        for _, ready in self._model_sets.values():
            yield ready


def _has_place(account: Account, signature: Signature) -> bool:
    tag = signature.tag
    return account.upstream == signature.upstream and (tag is None or tag in account.tags)
