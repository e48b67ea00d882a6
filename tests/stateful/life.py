"""The whole machine: every topic's rules, every invariant, on one system of either engine."""

from __future__ import annotations

from hypothesis import strategies as st

from equipoise.units import DAY
from tests.fixtures.levered import STAKE_USD
from tests.stateful.invariants import Invariants
from tests.stateful.rules.bars import Bars
from tests.stateful.rules.baskets import Baskets
from tests.stateful.rules.governance import HARD_CAPS, Governance
from tests.stateful.rules.lending import Lending
from tests.stateful.rules.proposals import Proposals
from tests.stateful.rules.rounds import Rounds
from tests.stateful.steps import action, opening

__all__ = ["Life"]

FEES = {
    "none": (0, 0, 0, 0),
    "usual": tuple(cap // 20 if i < 2 else cap // 2 for i, cap in enumerate(HARD_CAPS)),
    "highest": HARD_CAPS,
}


class Life(Governance, Proposals, Baskets, Bars, Lending, Rounds, Invariants):
    """Begins with some fees, empty or at its target leverage; the owner is an account or the shareholders."""

    @opening(
        invested=st.sampled_from([True, True, True, False]),
        fees=st.sampled_from(sorted(FEES)),
        settle=st.sampled_from([0, 600]),
        governed=st.sampled_from([False, False, True]),
    )
    def begins(self, invested: bool, fees: str, settle: int, governed: bool = False) -> None:
        v = self.view
        assert v.nav
        entry, leave, management, performance = FEES[fees]
        terms = entry, leave, management, performance
        self.s.vault.send("setFees", terms, self.s.treasury, sender=self.s.owner)
        self.books.set_fees(terms, self.s.treasury, v.nav.mid, v.at)
        self.user_acted()
        self.the_oracles_terms_change(settle=settle, fall=0.2)
        if invested:
            self.deposit(who="alice", assets=STAKE_USD * 10**6)
            self.keepers_rebalance(moment=0.5, lots=8)
        if governed:
            self.shareholders_take_over()
        self.did()

    @action(level=st.floats(0.9, 1.1), moment=st.floats(0.3, 1))
    def a_quiet_day(self, level: float, moment: float) -> None:
        """Feeds work, signers report, coordinates are there, nothing is paused, keepers rebalance."""
        self.wait(DAY)
        self.feeds_recover()
        if not self.governed:
            self.the_guardian_pauses_or_the_owner_unpauses(what="unpause")
        if not self.reports.has_correlations:
            self.signers_cosign_correlations(pairs=[0.3] * 6, few=False, solved_here=False)
        self.honest_signers_report(level=level, noise=[1.0] * 5, age=0, absent=0)
        if self.reports.has_correlations and not self.reports.has_coordinates:
            self.anybody_has_the_chain_solve()
        if not any(self.books.shares.values()):
            self.deposit(who="bob", assets=STAKE_USD * 10**6)
        self.wait(self.reports.settle_period)
        self.keepers_rebalance(moment=moment, lots=8)
