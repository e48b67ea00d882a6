"""What a levered vault costs, beside what Aave asks of an ordinary account that has and owes the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from equipoise.client.chain import Receipt
from equipoise.client.contract import Contract
from equipoise.world import World
from tests.fixtures.levered import ASSETS as THREE
from tests.fixtures.levered import VOLS, Levered, build_levered
from tests.fixtures.market import ASSETS as EIGHT
from tests.fixtures.market import VOLS as EIGHT_VOLS
from tests.fixtures.system import MAX
from tests.gas.measure import COLD_ACCOUNT, trace_of, view

__all__ = ["GOALS", "PARTS", "gas_of_leverage"]

PARTS = ("total", "floor", "overhead", "venue")
FAR = 2**40
VARIABLE = 2
# of the issue, for the total; the other figures say what of it is the venue's own
GOALS = {
    "n = 3, fill that sells and repays": "620,000",
    "n = 3, fill that borrows and buys": "700,000",
    "n = 3, ripcord": "120,000",
    "n = 8, NAV read": "260,000",
}


def gas_of_leverage() -> dict[str, dict[str, int]]:
    """Action to gas.

    `floor` is what Aave asks an ordinary account with these collaterals and this debt for the same, a
    transaction for each of its calls; `overhead` is what the action costs beyond it: prices, checks, Uniswap.
    `venue` is what the lending account's calls cost in the action itself.
    """
    found: dict[str, dict[str, int]] = {}
    for assets, vols in ((THREE, VOLS), (EIGHT, EIGHT_VOLS)):
        with World.build(assets, lending=True) as world:
            measured = _actions(build_levered(world, [v / 2 for v in vols]))
        found |= {f"n = {len(assets)}, {name}": parts for name, parts in measured.items()}
    return found


def _actions(s: Levered) -> dict[str, dict[str, int]]:
    s.deposit(s.alice, 1_000_000)
    s.lever()
    s.refresh_prices()
    own = Ordinary(s)
    trace = trace_of(s, s.vault, "nav", by=s.alice)
    found = {"NAV read": _parts(s, view(s, s.vault, "nav"), own.reading(), trace)}
    with s.scenario():
        found["fill that borrows and buys"] = _buy(s, own)
    with s.scenario():
        found["fill that sells and repays"] = _sell(s, own)
    with s.scenario():
        shares = s.shares(s.alice) // 10
        amounts, debt = s.vault.call("previewRedeemInKind", shares)
        floor = own.unwinding(debt, amounts[:-1])
        args = (shares, s.alice, s.alice, [])
        found["exit in kind"] = _send(s, floor, s.vault, "redeemInKind", *args, by=s.alice)
        s.vault.send("approve", s.zap, shares, sender=s.alice)
        args = (shares, 0, list(s.contracts.pool_fees), [], s.alice, FAR)
        found["exit through the zap"] = _send(s, floor, s.zap, "exit", *args, by=s.alice)
    with s.scenario():
        s.crash(1.25 / s.health() - 1)
        found["ripcord"] = _send(s, own.reading(), s.auction, "ripcord", by=s.keeper)
        lot = s.auction.call("quoteBasket", [MAX] * s.n)
        # half of it: of all, the ordinary account would be liquidated before its last withdrawal
        amounts = [sold // 2 for sold in lot.sold[:-1]]
        floor = own.unwinding(lot.bought // 2, amounts)
        args = (s.auction.call("current").id, amounts, MAX, s.keeper)
        found["bid for the basket"] = _send(s, floor, s.auction, "bidBasket", *args, by=s.keeper)
    return found


class Ordinary:
    """An account with the vault's collaterals and debt that deals with Aave by itself."""

    def __init__(self, s: Levered) -> None:
        assert s.world
        self.s, self.address = s, s.mallory
        for symbol, token in zip(s.symbols, s.tokens, strict=True):
            amount = s.aave.a_tokens[symbol].call("balanceOf", s.account)
            s.world.fund(symbol, self.address, 2 * amount)
            token.send("approve", s.aave.pool, MAX, sender=self.address)
            self.supply(token, amount)
        s.cash.send("approve", s.aave.pool, MAX, sender=self.address)
        self.borrow(s.debt())

    def supply(self, token: Contract, amount: int) -> Receipt:
        return self._send("supply", token, amount, self.address, 0)

    def withdraw(self, token: Contract, amount: int) -> Receipt:
        return self._send("withdraw", token, amount, self.address)

    def borrow(self, amount: int) -> Receipt:
        return self._send("borrow", self.s.cash, amount, VARIABLE, 0, self.address)

    def repay(self, amount: int) -> Receipt:
        return self._send("repay", self.s.cash, amount, VARIABLE, self.address)

    def _send(self, function: str, *args: Any) -> Receipt:
        return self.s.aave.pool.send(function, *args, sender=self.address)

    def reading(self) -> int:
        """Gas of Aave's own sum of its collaterals and debt."""
        return view(self.s, self.s.aave.pool, "getUserAccountData", self.address)

    def cost(self, *actions: Callable[[], Receipt]) -> int:
        """Gas of transactions that are then undone."""
        with self.s.scenario():
            return sum(action().gas_used for action in actions)

    def unwinding(self, cash: int, amounts: list[int]) -> int:
        """Gas of repaying, then withdrawing of every token."""
        pairs = zip(self.s.tokens, amounts, strict=True)
        return self.cost(lambda: self.repay(cash), *(lambda p=p: self.withdraw(*p) for p in pairs))


def _buy(s: Levered, own: Ordinary) -> dict[str, int]:
    """Of the first token: the others have spent what cash was idle, so that all of it is borrowed."""
    s.deposit(s.bob, 200_000)
    s.open()
    s.to_curve(0.995)
    token, *others = s.tokens
    for other in others:
        args = s.auction.call("current").id, s.cash, other, MAX, MAX, s.keeper
        s.attempt(s.auction, "bid", *args, sender=s.keeper, unless=["RebalanceAuction__ZeroAmount"])
    debt = s.debt()
    found, traded = _fill(s, own, s.cash, token)
    assert s.debt() >= debt + traded
    return found


def _sell(s: Levered, own: Ordinary) -> dict[str, int]:
    s.post_volatilities([v * 6 for v in s.vols])
    s.open()
    s.to_curve(0.995)
    debt = s.debt()
    found, traded = _fill(s, own, s.tokens[0], s.cash)
    assert s.debt() < debt - traded // 2
    return found


def _fill(s: Levered, own: Ordinary, sell: Contract, buy: Contract) -> tuple[dict[str, int], int]:
    """Gas of a tenth of the lot through the filler, and the cash that moved."""
    assert s.world
    s.world.align_pools()
    selling = buy is s.cash
    token = sell if selling else buy
    fee = s.contracts.pool_fees[s.tokens.index(token)]
    quote = s.auction.call("quoteBid", sell, buy, MAX)
    sold, bought = quote.sold // 10, quote.bought // 10
    order = (s.auction.call("current").id, sell, buy, fee, sold, 0, s.keeper)
    # the first fill writes the filler's approval, which no later one does
    s.filler.send("fill", order, sender=s.keeper)
    if selling:
        floor = own.cost(lambda: own.repay(bought), lambda: own.withdraw(token, sold))
    else:
        floor = own.cost(lambda: own.supply(token, bought), lambda: own.borrow(sold))
    return _send(s, floor, s.filler, "fill", order, by=s.keeper), bought if selling else sold


def _send(s: Levered, floor: int, contract: Contract, function: str, *args: Any, by: str) -> dict[str, int]:
    trace = trace_of(s, contract, function, *args, by=by)
    return _parts(s, contract.send(function, *args, sender=by).gas_used, floor, trace)


def _parts(s: Levered, total: int, floor: int, trace: dict[str, Any]) -> dict[str, int]:
    venue = _inside(trace, s.account.address.lower())
    return dict(zip(PARTS, (total, floor, total - floor, venue), strict=True))


def _inside(call: dict[str, Any], account: str) -> int:
    """Gas of what the account calls, the first access to each callee included."""
    if call.get("from", "").lower() == account:
        return int(call["gasUsed"], 16) + COLD_ACCOUNT
    return sum(_inside(inner, account) for inner in call.get("calls", []))
