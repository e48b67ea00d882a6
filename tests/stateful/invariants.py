"""What holds after every single rule, as sentences."""

from __future__ import annotations

from hypothesis.stateful import invariant

from equipoise.governance import State
from equipoise.units import unpack_correlations
from tests.fixtures.governance import OWNED
from tests.stateful.model.books import WAD
from tests.stateful.model.risk import DAY, TOLERANCE, certificate_error, lanes_of
from tests.stateful.rules.governance import HARD_CAPS
from tests.stateful.rules.office import Office
from tests.stateful.rules.people import People


class Invariants(People, Office):
    """Those that speak of one transaction are checked around it, by the rules: see `Base._compare`."""

    @invariant()
    def redeemers_can_always_exit_in_kind(self) -> None:
        """One holder after another, all of its shares, with nothing skipped."""
        wrapper = self.s.votes.address  # what it holds its holders take back: every_vote_is_backed
        holders = [who for who in sorted(self.books.shares) if self.books.shares[who] and who != wrapper]
        if not holders:
            return
        who = holders[len(self.steps) % len(holders)]
        if self.exit_is_promised(self.books.shares[who], []):
            self.s.vault.call("redeemInKind", self.books.shares[who], who, who, [], sender=who)

    @invariant()
    def books_never_exceed_balances(self) -> None:
        s = self.s
        assert self.books.cash <= s.cash.call("balanceOf", s.vault)
        if not self.levered:
            for token, book in zip(s.tokens, self.view.balances, strict=False):
                assert book <= token.call("balanceOf", s.vault)
            return
        for token, name, book in zip(s.tokens, s.symbols, self.view.balances, strict=False):
            receipts = s.aave.a_tokens[name].call("balanceOf", s.account)
            assert book <= receipts + token.call("balanceOf", s.account)

    @invariant()
    def every_share_has_an_owner(self) -> None:
        told = {who: self.s.shares(who) for who in self.books.shares}
        assert told == self.books.shares
        assert sum(told.values()) == self.view.supply

    @invariant()
    def every_vote_is_backed(self) -> None:
        """By a share that its holder takes back at any time, and shares of the past are what they were."""
        if not self.governed:
            return
        votes, wrapped = self.s.votes, self.votes.wrapped
        assert votes.call("totalSupply") == sum(wrapped.values()) == self.books.shares[votes.address]
        holders = [who for who in sorted(wrapped) if wrapped[who]]
        if holders:
            who = holders[len(self.steps) % len(holders)]
            votes.call("withdrawTo", who, wrapped[who], sender=who)
        for one, history in self.votes.history.items():
            assert votes.call("getVotes", one) == history.values[-1]

    @invariant()
    def proposals_stand_where_votes_and_time_have_brought_them(self) -> None:
        """And their settings are what was executed, and the owner is the timelock."""
        if not self.governed:
            return
        s, governor = self.s, self.s.governor
        for ballot in self.ballots[-3:]:
            assert State(governor.call("state", ballot.id)) is ballot.state(self.now)
            assert tuple(governor.call("proposalVotes", ballot.id)) == tuple(ballot.tally)
            assert governor.call("proposalDeadline", ballot.id) == ballot.deadline
        terms = self.terms
        assert governor.call("quorumWad") == terms.quorum_wad
        assert s.timelock.call("getMinDelay") == terms.delay
        for name in OWNED if len(self.steps) % 5 == 0 else ():
            assert getattr(s, name).call("owner") == s.timelock.address

    @invariant()
    def the_basket_is_what_the_owner_said(self) -> None:
        """Of the vault, the oracle and the realised volatilities, each by itself."""
        s, tokens = self.s, self.world.tokens
        realized = s.contracts.realized_volatility
        assert list(s.vault.call("holdings").tokens) == [token.address for token in self.all_tokens]
        assert list(s.volatility_oracle.call("assets")) == [tokens[name].address for name in self.basket]
        assert list(realized.call("assets")) == [tokens[name].address for name in self.realised]

    @invariant()
    def modes_match_facts(self) -> None:
        v = self.view
        assert v.mode == self.guard.mode(self.reports, v.at, self.live, v.health)

    @invariant()
    def reports_in_use_are_what_a_quorum_posted(self) -> None:
        oracle, n = self.s.volatility_oracle, self.n
        in_use = lanes_of(oracle.call("reportedVolatilities"), n)
        assert in_use == self.reports.in_use(self.view.at)
        times = oracle.call("reportTimes")
        assert (times.volatilitiesAt, times.correlationsAt, times.hasCoordinates) == (
            self.reports.in_use_at(self.view.at),
            self.reports.correlations_at,
            self.reports.has_coordinates,
        )

    @invariant()
    def accepted_coordinates_satisfy_parity(self) -> None:
        """In exact integers, of the matrix and the budgets of now. (Every second step.)"""
        if len(self.steps) % 2:
            return
        data = self.s.volatility_oracle.call("riskData")
        if not data.coordinates:
            assert not self.reports.has_coordinates
            return
        n = self.n
        c = [[round(v * 32_767) for v in row] for row in unpack_correlations(data.correlations, n)]
        x, budgets = lanes_of(data.coordinates, n), lanes_of(data.budgets, n)
        assert certificate_error(x, c, budgets) <= TOLERANCE

    @invariant()
    def daily_loss_budget_holds(self) -> None:
        """In no day more than twice the largest budget that was set; the bucket holds what bids lost."""
        assert self.s.auction.call("lossBudget").usedWad == self.bucket(self.view.at)
        lost = sum(loss for at, loss in self.losses if at > self.view.at - DAY)
        assert lost <= 2 * max(self.budgets_seen) / WAD * (1 + 1e-9)

    @invariant()
    def fees_stay_under_caps(self) -> None:
        """And the mark never falls; what is taken is what the model takes, share by share."""
        fees = self.s.vault.call("fees")
        assert all(fee <= cap for fee, cap in zip(fees, HARD_CAPS, strict=True))
        assert self.s.vault.call("highWaterMarkWad") == self.books.mark >= WAD

    @invariant()
    def nothing_stays_with_helpers(self) -> None:
        """The filler and the zap hold what was given to them, and nothing else."""
        for name in {"zap", "filler"} - self.donated:
            helper = getattr(self.s.contracts, name)
            assert not any(token.call("balanceOf", helper) for token in self.all_tokens)

    @invariant()
    def limits_tell_the_truth(self) -> None:
        """Whoever may deposit, may; whoever may not, is told so. (Every third step: it is dear.)"""
        if len(self.steps) % 3:
            return
        s = self.s
        most = s.vault.call("maxDeposit", s.bob)
        assert self.deposits_open or most == 0
        if most and most <= s.cash_of(s.bob):
            s.vault.call("deposit", most, s.bob, sender=s.bob)
        shares = self.books.shares[s.alice]
        allowed = s.vault.call("maxWithdraw", s.alice)
        if allowed:
            assert shares
            s.vault.call("withdraw", allowed, s.alice, s.alice, sender=s.alice)

    @invariant()
    def the_dashboard_answers(self) -> None:
        if len(self.steps) % 5 == 0:
            assert self.s.lens.call("dashboard", self.s.auction).mode == self.view.mode
