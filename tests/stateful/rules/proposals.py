"""What shareholders alone decide: governance's own settings, powers given up, outrages that never pass."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from tests.fixtures.governance import CANCELLER, selector
from tests.stateful.model.votes import WAD
from tests.stateful.rules.office import Order
from tests.stateful.rules.people import WHO
from tests.stateful.rules.shareholders import Shareholders, by_vote
from tests.stateful.steps import action

BEYOND = "ParameterOutOfRange"
# attribute of the model's terms: contract, setter, least and most
SETTINGS: dict[str, tuple[str, str, int, int]] = {
    "voting_delay": ("governor", "setVotingDelay", 3_600, 14 * 86_400),
    "voting_period": ("governor", "setVotingPeriod", 86_400, 30 * 86_400),
    "extension": ("governor", "setLateQuorumVoteExtension", 0, 7 * 86_400),
    "threshold_wad": ("governor", "setProposalThreshold", WAD // 10_000, WAD // 20),
    "quorum_wad": ("governor", "setQuorum", WAD // 100, WAD // 2),
    "delay": ("timelock", "updateDelay", 86_400, 30 * 86_400),
}
ABDICABLE = ("setFees", "setDepositCap", "setBasket")


class Proposals(Shareholders):
    """Each is proposed; whether it is done is for votes, the guardian and time."""

    @precondition(by_vote)
    @action(
        setting=st.sampled_from(sorted(SETTINGS)),
        part=st.sampled_from([0.0, 0.0, 0.01, 1.0]),
        beyond=st.booleans(),
    )
    def governances_terms_change(self, setting: str, part: float, beyond: bool) -> None:
        """From one end of the range to the other, and not a unit beyond."""
        contract, setter, least, most = SETTINGS[setting]
        value = least + int((most - least) * part)
        if beyond:
            value = most + 1 if part or not least else least - 1

        def set_() -> None:
            setattr(self.terms, setting, value)

        refusal = BEYOND if beyond else None
        order = Order(getattr(self.s, contract), setter, (value,), set_, lambda: refusal)
        self.decree(order)

    @precondition(by_vote)
    @action(power=st.sampled_from([*ABDICABLE, "the veto"]))
    def shareholders_give_up(self, power: str) -> None:
        """A power of theirs for ever, or the guardian's veto."""
        s = self.s
        if power == "the veto":

            def free() -> None:
                self.vetoes = False

            self.decree(Order(s.timelock, "revokeRole", (CANCELLER, s.guardian), free))
            return
        count = {"setFees": 2}.get(power, 1)

        def abdicate() -> None:
            self.abdicated.update((s.vault.address, f) for f in (power, "transferOwnership"))

        args = s.vault, selector(s.vault, power, count)
        self.decree(Order(s.timelock, "abdicate", args, abdicate))

    @precondition(by_vote)
    @action(who=WHO, choice=st.integers(0, 99))
    def somebody_proposes_an_outrage(self, who: str, choice: int) -> None:
        """Whoever has the votes may; it ends at the contracts' own bounds, whatever the vote says."""
        outrages = self._outrages()
        contract, function, args, refusal = outrages[choice % len(outrages)]
        self.propose(who, Order(contract, function, args, refusal=lambda: refusal))

    def _outrages(self) -> list[tuple[Any, str, tuple[Any, ...], str]]:
        s, me = self.s, self.s.mallory
        sold = [0] * len(self.names)
        terms = s.auction.call("params")._replace(lossBudgetWad=WAD // 10)
        guard = s.guard.call("params")._replace(triggerHealthWad=WAD)
        outrages: list[tuple[Any, str, tuple[Any, ...], str]] = [
            (s.vault, "setAuction", (me,), "RiskParityVault__AuctionAlreadySet"),
            (s.vault, "exchange", (s.alice, me, sold, 0, 0, 0), "RiskParityVault__OnlyAuction"),
            (s.vault, "setBasket", ([self.all_tokens[0].address],), "RiskParityVault__BadBasketSize"),
            (s.vault, "setFees", ((0, WAD // 50, 0, 0), me), BEYOND),
            (s.auction, "setParams", (terms,), BEYOND),
            (s.guard, "setParams", (guard,), BEYOND),
            (s.cash, "transferFrom", (s.vault, me, 1), "ERC20InsufficientAllowance"),
            (s.vault, "transferFrom", (s.alice, me, 1), "ERC20InsufficientAllowance"),
        ]
        if self.levered:
            token = self.all_tokens[0]
            outrages += [
                (s.account, "withdraw", (token, 1, me), "LendingAccount__OnlyVault"),
                (s.account, "borrow", (1,), "LendingAccount__OnlyVault"),
            ]
        return outrages
