"""Keepers: open, wait, bid a part or the whole, pull the ripcord, fill from a pool."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from equipoise.client.chain import Receipt
from equipoise.errors import ContractRevert
from tests.fixtures.system import MAX
from tests.stateful.base import Base
from tests.stateful.model.books import WAD
from tests.stateful.model.prices import portion, up
from tests.stateful.model.risk import DAY, DELEVER_ONLY, NORMAL, lanes_of
from tests.stateful.rules.market import Market, can_crash
from tests.stateful.steps import action
from tests.stateful.view import MUTE, NO_DEBT, View

MOMENT = st.sampled_from([0.0, 0.2, 0.5, 0.75, 1.0])
LOT = st.one_of(st.just(1.0), st.floats(1e-9, 1.0))
FULL, MOST = "SafeCastOverflowedUintDowncast", 2**96
"""A book entry ends there, in units: a known limit, at prices that fell to nothing."""
BID = (
    "RebalanceAuction__",
    "LendingAccount__Refused",
    MUTE,
    FULL,
    "PriceOracle__",
    "ERC20InsufficientBalance",  # of a bidder, at a price that fell to nothing
    "NoReason",
    "UnknownError",
    "Error",
)
OPEN = (
    "RebalanceAuction__AlreadyOpen",
    "RebalanceAuction__WithinBands",
    "RebalanceAuction__NoReports",
    "RebalanceAuction__EmptyVault",
    "PriceOracle__",
)
DOLLAR = 10**6
"""In units of cash."""
RETIRED = WAD // 20_000
"""Of the NAV: what of a token being retired is reason enough to trade."""


def in_course(machine: Base) -> bool:
    return machine.ends_at >= machine.view.at


class Auctions(Market):
    """Every bid is judged by its events, at the model's prices, and by what the books became."""

    # ------------------------------------------------------------------ open

    @action()
    def anybody_opens(self) -> None:
        self.opened()

    def opened(self) -> bool:
        """Not while oracle and vault differ; no auction of another basket is in its way."""
        unless = [*OPEN, *([] if self.agreed else ["RebalanceAuction__BasketMismatch"])]
        old, version = self.s.auction.call("current"), self.s.vault.call("basketVersion")
        # whether a ripcord has done its work only Aave can tell, and it cannot while a feed of ours is dead
        if old.ripcord and (self.view.health is None or not self.live):
            unless.append(MUTE)
        went = self.attempt(self.s.auction, "open", sender=self.s.keeper, unless=unless)
        self.prices_moved()
        if went:
            assert self.agreed, "an auction for assets that the vault has not"
            self.ends_at = self.s.auction.call("current").endsAt
            targets = lanes_of(self.s.auction.call("current").targets, len(self.names) - 1)
            cap = self.s.auction.call("params").maxLeverageWad
            assert sum(lane * 10**10 for lane in targets) <= cap
            assert not any(targets[self.n :]), "a target for what is being retired"
        elif self.outcomes[-1].endswith("AlreadyOpen"):
            assert old.ripcord or old.basketVersion == version
        elif self.outcomes[-1].endswith("WithinBands"):
            nav_wad = self.s.vault.call("portfolio").navWad
            retiring = self.values(self.view)[self.n : -1]
            assert all(value * WAD <= (RETIRED + 1) * nav_wad for value in retiring)
        return bool(went)

    @property
    def agreed(self) -> bool:
        """Whether vault and realised volatilities are of the oracle's assets."""
        return self.realised == self.basket == self.shelf[: self.n]

    def to_moment(self, fraction: float) -> None:
        """Let that fraction of the auction's time be over, unless it is already."""
        a = self.s.auction.call("current")
        at = a.startedAt + int((a.endsAt - a.startedAt) * fraction)
        if at > self.now:
            self.wait(at - self.now)

    @precondition(in_course)
    @action(moment=MOMENT)
    def the_curve_falls(self, moment: float) -> None:
        self.to_moment(moment)
        self.did()

    # ------------------------------------------------------------------ bids

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Of the book, to sell and to buy, the cash last."""
        return list(permutations(range(len(self.names)), 2))

    @action(first=st.integers(0, 19), part=LOT)
    def a_bidder_bids(self, first: int, part: float) -> None:
        """For the whole lot or a part of it: of the first pair from there on that has one."""
        if not in_course(self) and not self.opened():
            return
        pairs, first = self.pairs, first % len(self.pairs)
        for pair in pairs[first:] + pairs[:first]:
            if self.bid(*pair, part):
                return

    def quoted(self, function: str, *args: Any) -> Any:
        """A quote, or None when a bid would be refused likewise."""
        try:
            return self.s.auction.call(function, *args)
        except ContractRevert as revert:
            if not revert.name.startswith(BID):
                raise
            self.outcomes.append(revert.name)
            return None

    def bid(self, sell: int, buy: int, part: float = 1.0) -> bool:
        tokens, amount = (self.all_tokens[sell], self.all_tokens[buy]), MAX
        lot = self.quoted("quoteBid", *tokens, MAX)
        if lot is None:
            return False
        if part < 1:
            amount = max(1, portion(lot.sold, part))
        before = self.before_bid()
        args = (self.s.auction.call("current").id, *tokens, amount, lot.bought, self.s.keeper)
        receipt = self.attempt(self.s.auction, "bid", *args, sender=self.s.keeper, unless=BID)
        if receipt:
            self.judge(receipt, before)
        elif self.outcomes[-1] == FULL:
            assert self.view.balances[buy] + lot.bought >= MOST
        return receipt is not None

    @precondition(in_course)
    @action(parts=st.lists(LOT, min_size=4, max_size=4), only=st.sampled_from([None, 0, 1, 2, 3]))
    def a_bidder_takes_the_basket(self, parts: list[float], only: int | None) -> None:
        held = len(self.names) - 1
        parts = (parts * 2)[:held]
        self.bid_basket([p if only is None or only % held == i else 0.0 for i, p in enumerate(parts)])

    def bid_basket(self, parts: list[float]) -> bool:
        lots = self.quoted("quoteBasket", [MAX] * (len(self.names) - 1))
        if lots is None:
            return False
        amounts = [MAX if p == 1 else portion(lot, p) for lot, p in zip(lots.sold, parts, strict=False)]
        before = self.before_bid()
        args = (self.s.auction.call("current").id, amounts, MAX, self.s.keeper)
        receipt = self.attempt(self.s.auction, "bidBasket", *args, sender=self.s.keeper, unless=BID)
        if receipt:
            self.judge(receipt, before)
        return receipt is not None

    @action(moment=MOMENT, lots=st.integers(0, 8))
    def keepers_rebalance(self, moment: float, lots: int) -> None:
        """Open, wait, fill so many lots against cash, surpluses first."""
        if self.reports.has_correlations and not self.reports.has_coordinates:
            self.s.volatility_oracle.send("solveCoordinates", sender=self.s.keeper)
            self.reports.has_coordinates = True
        if not (self.opened() or in_course(self)):
            return
        self.to_moment(moment)
        cash = len(self.names) - 1
        surpluses = [(i, cash) for i in range(cash)]
        for sell, buy in (surpluses + [(b, s) for s, b in surpluses])[:lots]:
            self.bid(sell, buy)

    @precondition(in_course)
    @action(asset=st.integers(0, 3), sell=st.booleans(), part=LOT, moment=MOMENT, fair=st.booleans())
    def the_filler_fills(self, asset: int, sell: bool, part: float, moment: float, fair: bool) -> None:
        """A lot against cash, from the pool, which is at the oracle's price or wherever it was pushed."""
        if fair:
            self.pools_come_back()
        self.to_moment(moment)
        name = self.names[asset % (len(self.names) - 1)]
        tokens = [self.world.tokens[name], self.s.cash][:: 1 if sell else -1]
        lot = self.quoted("quoteBid", *tokens, MAX)
        if lot is None:
            return
        amount, fee = max(1, portion(lot.sold, part)), self.pool_fee(name)
        order = (self.s.auction.call("current").id, *tokens, fee, amount, 0, self.s.keeper)
        before = self.before_bid()
        unless = [*BID, "UniswapV3Filler__"]
        receipt = self.attempt(self.s.filler, "fill", order, sender=self.s.keeper, unless=unless)
        if receipt:
            self.judge(receipt, before)

    # --------------------------------------------------------------- ripcord

    @precondition(lambda self: self.view.debt > 0)
    @action(crash=st.booleans())
    def anybody_pulls_the_ripcord(self, crash: bool) -> None:
        if crash and self.view.live and self.view.health:
            self.a_crash_comes(to=self.guard.trigger / WAD * 0.97)
        self.pull()

    def pull(self) -> bool:
        """It starts when it is due, and at no other time."""
        v, a = self.view, self.s.auction.call("current")
        running = a.ripcord and a.endsAt >= v.at
        refusal = None
        if running:
            refusal = "RebalanceAuction__AlreadyOpen"
        elif v.health is None:
            refusal = MUTE
        elif not self.due(v):
            refusal = "RebalanceAuction__RipcordNotDue"
        went = self.predicted(refusal, self.s.auction, "ripcord", sender=self.s.mallory)
        self.ends_at = self.s.auction.call("current").endsAt
        self.prices_moved()
        return bool(went) or bool(running)

    def due(self, v: View) -> bool:
        assert v.health is not None
        silent = self.guard.risk_mode(self.reports, v.at) == DELEVER_ONLY
        return v.health < self.guard.trigger or (silent and v.health < self.guard.target)

    @precondition(can_crash)
    @action(moment=MOMENT, to=st.floats(0.7, 0.99))
    def the_ripcord_saves(self, moment: float, to: float) -> None:
        """Pulled and bid for as a whole: it lowers LTV, restores the target, and no size stops it."""
        assert self.view.health is not None
        if self.view.health >= self.guard.trigger:
            self.a_crash_comes(to=self.guard.trigger / WAD * to)
        if not self.pull():
            return
        self.to_moment(moment * 0.99)
        v = self.view
        if not (v.live and v.health is not None and v.health < self.guard.target):
            return
        book = self.s.vault.call("portfolio")
        # what idle cash repays needs something to be bid for: a known limit where liquidators took all of it
        if book.navWad == 0 or sum(book.valuesWad[:-1]) <= max(0, book.debtWad - book.valuesWad[-1]):
            return
        if v.nav and v.nav.mid < DOLLAR:  # its lots may be less than a unit of Aave's index: a known limit
            return
        dry = self._venue_is_short(book)
        went = self.bid_basket([1.0] * (len(self.names) - 1))
        poor = self.outcomes[-1].startswith("ERC20")
        assert went or dry or poor, f"the ripcord was refused: {self.outcomes[-1]}"
        if went:
            health = self.view.health
            assert health is not None
            money = self.feeds[-1]
            held = sum(self.values(self.view)[:-1]) * money.unit // money.mid
            # lots are cut to whole units, which count in a vault of a few dollars
            short = Fraction(1, 10**6) + Fraction(4 * self.dust(), max(1, held))
            assert self.view.debt == 0 or health >= self.guard.target * (1 - short)

    def _venue_is_short(self, book: Any) -> bool:
        """Whether Aave lacks what the bid would take out, or stopped a reserve."""
        s = self.s
        names = zip(s.symbols, book.balances, strict=False)
        return any(s.aave.liquidity(name) < balance for name, balance in names)

    # ----------------------------------------------------------------- judge

    def before_bid(self) -> Any:
        """What a bid is judged against: the auction, its curve now, leverage, LTV."""
        a, v = self.s.auction.call("current"), self.view
        p = self.s.auction.call("params")
        return a, p, v, self.leverage(v), self.ltv(v), sum(lanes_of(a.targets, len(self.names) - 1)) * 10**10

    def values(self, v: View) -> list[int]:
        """USD {WAD} of the books by the model's prices, the cash last."""
        return [b * f.mid // f.unit for b, f in zip(v.balances, self.feeds, strict=True)]

    def leverage(self, v: View) -> Fraction | None:
        """Basket over NAV; None where there is none."""
        values, cash = self.values(v), self.feeds[-1]
        equity = sum(values) - v.debt * cash.mid // cash.unit
        return Fraction(sum(values[:-1]), equity) if equity > 0 else None

    def ltv(self, v: View) -> Fraction:
        cash, held = self.feeds[-1], sum(self.values(v)[:-1])
        return Fraction(v.debt * cash.mid, cash.unit * held) if held else Fraction(0)

    def judge(self, receipt: Receipt, before: Any) -> None:
        auction, params, old, leverage, ltv, target = before
        addresses, last = [token.address for token in self.all_tokens], len(self.names) - 1
        bids = self.s.auction.events(receipt, "Bid")
        assert bids
        current = auction.basketVersion == self.s.vault.call("basketVersion")
        assert auction.ripcord or current, "a bid in an auction of another basket"
        sold_usd = bought = 0
        cash = self.books.cash
        for bid in bids:
            i, j = addresses.index(bid.sell), addresses.index(bid.buy)
            sell, buy = self.feeds[i], self.feeds[j]
            sold_usd += up(bid.sellAmount, sell.mid, sell.unit)
            bought += bid.buyAmount
            paid = Fraction(bid.buyAmount * buy.mid, buy.unit)
            self._paid_enough(paid, bid.sellAmount, i, auction, params, old)
            cash += (bid.buyAmount if j == last else 0) - (bid.sellAmount if i == last else 0)
            assert auction.ripcord or j == last or lanes_of(auction.targets, last)[j], (
                "bought without a target"
            )
        loss_usd = max(0, sold_usd - bought * buy.mid // buy.unit)
        self._count_loss(auction, old, loss_usd, params)
        # cash repays debt, or is borrowed: what stays in the vault is the vault's to say, the sum is not
        self.books.cash = self.s.balances()[-1]
        money = self.feeds[-1]
        self.bid_settled(up(loss_usd, money.unit, money.mid) + 2)
        new = self.view
        slack = 4 if self.levered else 0
        assert abs((new.balances[-1] - new.debt) - (cash - old.debt)) <= slack
        self._leverage_kept(bool(bids[0].buy == addresses[last]), old, leverage, ltv, target, params)
        if auction.ripcord:
            assert self.ltv(new) < ltv or self.ltv(old) == 0

    def _paid_enough(
        self, paid_usd: Fraction, amount: int, i: int, auction: Any, params: Any, old: View
    ) -> None:
        """At least mid x curve, and the curve is what the parameters say."""
        sell = self.feeds[i]
        elapsed = old.at - auction.startedAt
        if auction.ripcord:
            rise = min(Fraction(elapsed, params.ripcordDuration), Fraction(1))
            least = 1 - Fraction(params.ripcordDiscountWad, WAD) * rise
        else:
            start, end = WAD + params.startPremiumWad, WAD - params.endDiscountWad
            part = min(1.0, elapsed / max(1, auction.endsAt - auction.startedAt))
            least = Fraction(start / WAD * (end / start) ** part) * (1 - Fraction(1, 10**12))
            least = max(least, Fraction(end, WAD))
        assert paid_usd >= Fraction(amount * sell.mid, sell.unit) * least * (1 - Fraction(1, 10**17))

    def _count_loss(self, auction: Any, old: View, loss_usd: int, params: Any) -> None:
        if auction.ripcord or not loss_usd:
            return
        cash = self.feeds[-1]
        equity = sum(self.values(old)) - old.debt * cash.mid // cash.unit
        self.used_wad = self.bucket(old.at) + up(loss_usd, WAD, max(1, equity))
        self.used_at = old.at
        assert self.used_wad <= self.budgets_seen[-1]
        self.losses.append((old.at, Fraction(loss_usd, max(1, equity))))
        self.losses = [(at, loss) for at, loss in self.losses if at > old.at - DAY]

    def _leverage_kept(
        self, for_cash: bool, old: View, leverage: Any, ltv: Fraction, target: int, params: Any
    ) -> None:
        new, slack = self.view, 1 + Fraction(1, 10**6)
        after = self.leverage(new)
        if old.mode != NORMAL:
            assert for_cash, "a purchase outside Normal"
            assert new.debt <= old.debt, "debt rose outside Normal"
        if for_cash or after is None or leverage is None:
            assert new.debt <= old.debt or not for_cash
            return
        # without a lending account all cash may be spent, also while a surplus finds no buyer (EQ-125)
        # the buffer is of the NAV before the bid, which a premium raises
        buffer = Fraction(params.cashBufferWad if self.levered else 0, WAD + params.startPremiumWad)
        idle = 1 - buffer
        most = max(leverage, Fraction(target, WAD), idle)
        if new.nav and new.nav.mid < DOLLAR:  # a unit of a token, rounded, may be all of the NAV
            return
        # what a bid gives away, and a unit that Aave rounds, lower the NAV that leverage is measured by
        units = Fraction(self.dust(), max(1, new.nav.mid)) if new.nav else 0
        assert after <= most * slack * (1 + Fraction(params.endDiscountWad, WAD) * 4 + units)
        if new.debt > 2 and self.levered:
            health = new.health
            assert health is not None
            assert health != NO_DEBT
            assert health >= self.guard.increase, "a purchase below the health factor for increases"
