"""A keeper on a live chain: one step looks, decides and does; the loop around it never ends by itself.

Everything that it decides follows from the chain and from its ledger, so that it may be killed at any moment.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from equipoise.client.chain import NotMined, RpcError
from equipoise.client.deployment import Deployment
from equipoise.client.dispatch import DispatchConfig, Dispatcher
from equipoise.client.signing import GAS_MARGIN, SigningChain
from equipoise.errors import BudgetError, ContractRevert, EquipoiseError, OracleError
from equipoise.keeper.alerts import Alerts, readable
from equipoise.keeper.budget import Budget, Limits
from equipoise.keeper.ether import EtherPrice
from equipoise.keeper.facts import Facts, read_facts
from equipoise.keeper.head import Head, HeadError
from equipoise.keeper.ledger import Ledger
from equipoise.keeper.market import Market
from equipoise.keeper.plan import PROTECTION, Action, Policy, gas_of, plan
from equipoise.keeper.watch import Thresholds, unfilled, watch
from equipoise.oracle.relay import Relay

__all__ = ["KeeperService", "Watched"]

_LOG = logging.getLogger(__name__)
_MOST_ACTIONS = 32  # in one step: facts are read anew after each
_LONGEST_PAUSE = 60.0
_BLIPS = 3
_FOR_PROFIT = frozenset({"fill", "open"})
_DEARER = 1.5  # times the planned gas: above that they are planned anew
_DEAR_SECONDS = 600  # for so long; what was dear once must not stop them for good


class _TooDear(EquipoiseError):
    """The chain asks so much more gas that it may not be worth it."""


@dataclass
class Watched:
    """What /health and /metrics show."""

    facts: Facts | None = None
    balance: int = 0
    block: int = 0
    stepped_at: float = 0.0
    steps: int = 0
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    problems: dict[str, str] = field(default_factory=dict)


class KeeperService:
    """One keeper of one vault.

    Parameters
    ----------
    market
        Of a deployment over a `SigningChain`, whose key pays the gas.
    ledger, head, price, policy, limits, thresholds, alerts
        Its parts.
    relay
        Of the signers' reports, over the same ledger; made from the dispatcher, None for a keeper that does
        not relay.
    signers
        Proposed signers that it activates when their delay is over.
    dry_run
        Say what would be sent, and send nothing.
    """

    def __init__(
        self,
        market: Market,
        ledger: Ledger,
        head: Head,
        price: EtherPrice,
        *,
        policy: Policy | None = None,
        limits: Limits | None = None,
        thresholds: Thresholds | None = None,
        dispatch: DispatchConfig | None = None,
        alerts: Alerts | None = None,
        relay: Callable[[Dispatcher], Relay] | None = None,
        signers: tuple[str, ...] = (),
        dry_run: bool = False,
    ) -> None:
        assert isinstance(market.deployment.chain, SigningChain)
        self.chain, self.market = market.deployment.chain, market
        self.ledger, self.head, self.price = ledger, head, price
        self.policy, self.thresholds = policy or Policy(), thresholds or Thresholds()
        self.alerts = alerts or Alerts()
        self.signers, self.dry_run = signers, dry_run
        self.watched = Watched()
        self.budget = Budget(
            limits or Limits(), ledger, lambda: self.head.timestamp, lambda: self.watched.balance
        )
        self.dispatcher = Dispatcher(self.chain, ledger, dispatch, self.budget.allow, PROTECTION)
        self.relay = relay(self.dispatcher) if relay and not dry_run else None
        self.pause = 0.0
        """Seconds to wait before the next attempt: grows while the node does not answer."""
        self._mode: int | None = None
        self._ripcord_since: int | None = None
        self._acted_on, self._failures = "", 0
        self._over: str | None = None
        self._said: set[tuple[str, str]] = set()
        self._dearer: dict[str, tuple[float, int]] = {}

    @property
    def deployment(self) -> Deployment:
        """With the basket that was last looked at."""
        return self.market.deployment

    def close(self) -> None:
        self.alerts.close()
        self.ledger.close()

    # ------------------------------------------------------------------- loop

    def attempt(self) -> list[str]:
        """A step that outlives whatever goes wrong in it; the kinds of what landed."""
        problems = self.watched.problems
        try:
            landed = self.step()
        except HeadError as error:
            self._trouble("head", error)
            return []
        except RpcError as error:
            self._trouble("rpc", error)
            return []
        except EquipoiseError as error:
            self._trouble("keeper", error)
            return []
        except Exception as error:
            # a bug in one step must not leave the vault without a keeper
            _LOG.exception("a step failed")
            self._trouble("keeper", error)
            return []
        self.pause, self._failures = 0.0, 0
        for event in ("head", "rpc", "keeper"):
            problems.pop(event, None)
            self.alerts.state(event, None)
        return landed

    def _trouble(self, event: str, error: Exception) -> None:
        text = readable(f"{type(error).__name__}: {error}")
        if self.watched.problems.get(event) != text:
            _LOG.warning("%s", text)
        self.watched.problems[event] = text
        self._failures += 1
        # a node that balks once is no news, one that lies is
        if event == "head" or self._failures >= _BLIPS:
            self.alerts.state(event, text)
        self.pause = min(max(2 * self.pause, 0.5), _LONGEST_PAUSE)

    # ------------------------------------------------------------------- step

    def step(self) -> list[str]:
        """Do all that can be done now: the kinds that landed. Raises what stops the whole step."""
        number, _ = self.head.look()
        self.ledger.saw(self.head.number, self.head.timestamp)
        self._over = None
        self.watched.balance = self.chain.balance(self.chain.sender)
        landed = [] if self.dry_run else self._settle()
        fresh = self.head.hash != self._acted_on
        if fresh:
            landed += self._act(urgent=True)
            assert self.watched.facts is not None
            self._ripcord_since, text = unfilled(self.watched.facts, self._ripcord_since)
            self._problem("unfilled", text)
        # at the same block only the signers may have something new to say
        if self.relay is not None and (fresh or self.relay.problems):
            landed += self._relay()
        landed += self._act(urgent=False) if fresh else []
        self._acted_on = self.head.hash
        if fresh:
            self._problem("budget", self._over)
        self.watched.block = number
        self.watched.steps += 1
        self.watched.stepped_at = time.time()
        return landed

    def _settle(self) -> list[str]:
        stands = self.relay.stands if self.relay is not None else (lambda posting: False)
        landed = [posting.kind for posting in self.dispatcher.settle(stands)]
        for failed in self.dispatcher.failed:
            self._failed(failed.kind, f"{failed.kind} of {failed.key} was mined and failed")
        self._problem("stuck", "; ".join(self.dispatcher.problems.values()) or None)
        return landed

    def _relay(self) -> list[str]:
        """Reports that are due; what the signers do wrong is the relay's to say."""
        assert self.relay is not None
        landed = self.relay.step()
        self.watched.outcomes.update((kind, "landed") for kind in landed)
        self._problem("relay", "; ".join(self.relay.problems.values()) or None)
        return landed

    def _act(self, urgent: bool) -> list[str]:
        """The first action that can be done, then facts anew, until there is none."""
        landed: list[str] = []
        refused: set[tuple[str, str]] = set()
        for _ in range(_MOST_ACTIONS):
            facts = self._look()
            dearer = {kind: times for kind, (times, until) in self._dearer.items() if facts.now < until}
            actions = plan(facts, self.policy, self.chain.sender, self.deployment.pool_fees, dearer)
            chosen = [a for a in actions if a.urgent == urgent and (a.kind, a.key) not in refused]
            if not chosen or (self._busy() and not urgent):
                break
            if urgent and self.dry_run:
                del chosen[1:]  # the others are for when the chain refuses the first, which nobody asks here
            for action in chosen:
                if urgent and self._on_its_way(action.kind):
                    continue
                refused.add((action.kind, action.key))
                outcome = self._do(action)
                if outcome == "landed":
                    landed.append(action.kind)
                    break
                if urgent and outcome == "reverted":
                    return landed  # that cost gas, and the others are of the same look
            else:
                break
        return landed

    def _busy(self) -> bool:
        """While something is on its way nothing is planned on top of it, but for what protects the vault."""
        return bool(self.ledger.in_flight())

    def _on_its_way(self, kind: str) -> bool:
        """Of two fills of a ripcord the second would find sold what it sells."""
        return any(posting.kind == kind for posting in self.ledger.in_flight())

    def _look(self) -> Facts:
        fees = self.chain.fees()
        facts = read_facts(self.deployment, self.market, fees.base + fees.tip, self.price.usd(), self.signers)
        self.watched.facts = facts
        self._mode = watch(facts, self.watched.balance, self.thresholds, self.alerts, self._mode)
        return facts

    def _do(self, action: Action) -> str:
        """What became of it: "landed", "reverted" when it was mined and failed, or why it was not sent."""
        contract = getattr(self.deployment, action.contract)
        data = contract.encode(action.function, *action.args)
        if self.dry_run:
            self._say(action)
            return "would send"
        try:
            self.dispatcher.send(
                action.kind,
                action.key,
                contract.address,
                data,
                contract.name,
                action.urgent,
                lambda gas: self._weigh(action, int(gas / GAS_MARGIN)),
            )
        except BudgetError as error:
            self._over = str(error)
            return self._outcome(action, "over budget")
        except _TooDear as error:
            _LOG.info("%s", error)
            return self._outcome(action, "too dear")
        except ContractRevert as revert:
            return self._refused(action, revert)
        except OracleError as error:
            _LOG.info("%s of %s: %s", action.kind, action.key, error)
            return "on its way"
        except NotMined as error:
            # the next step settles it
            _LOG.warning("%s of %s: %s", action.kind, action.key, error)
            return self._outcome(action, "not mined yet")
        return self._outcome(action, "landed")

    def _weigh(self, action: Action, gas: int) -> None:
        """Not for much more than was planned; the next plan counts with what the chain says."""
        if action.kind not in _FOR_PROFIT:
            return
        assert self.watched.facts is not None
        levered = bool(self.watched.facts.state.levered)
        times = gas / gas_of(action.kind, len(self.deployment.pool_fees), levered)
        until = self.watched.facts.now + _DEAR_SECONDS if times > _DEARER else 0
        self._dearer[action.kind] = times, until
        if gas > _DEARER * action.gas:
            raise _TooDear(
                f"{action.kind} of {action.key} takes {gas} gas, not {action.gas}: planned anew with that"
            )

    def _refused(self, action: Action, revert: ContractRevert) -> str:
        """Before it was sent that costs nothing: somebody was faster, or a pool moved."""
        if revert.name != "transaction reverted":
            _LOG.info("%s of %s is not possible now: %s", action.kind, action.key, revert)
            return self._outcome(action, "refused")
        self._failed(action.kind, f"{action.kind} of {action.key} was mined and failed: {revert}")
        return "reverted"

    def _failed(self, kind: str, text: str) -> None:
        self.watched.outcomes[kind, "reverted"] += 1
        self.alerts.happened("revert", text)

    def _say(self, action: Action) -> None:
        if (action.kind, action.key) not in self._said:
            self._said.add((action.kind, action.key))
            words = action.kind, action.key, action.function, action.gas, action.expected_usd
            _LOG.info("dry run: would send %s of %s (%s, about %d gas, %+.2f USD)", *words)
            self._outcome(action, "would send")

    def _outcome(self, action: Action, outcome: str) -> str:
        self.watched.outcomes[action.kind, outcome] += 1
        return outcome

    def _problem(self, event: str, text: str | None) -> None:
        if text is None:
            self.watched.problems.pop(event, None)
        else:
            self.watched.problems[event] = text = readable(text)
        self.alerts.state(event, text)
