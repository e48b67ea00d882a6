"""A million dust actions: what one of them moves, exactly, and so what a million do."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import cycle, islice

import pytest

from equipoise.client.config import FeesConfig
from tests.fixtures.attacks import Ledger, gas_usd
from tests.fixtures.levered import Levered
from tests.fixtures.purse import Purse, fair_prices
from tests.fixtures.system import MAX, System

MILLION = 1_000_000
REFUSALS = [
    "RiskParityVault__ZeroShares",
    "RiskParityVault__ZeroAssets",
    "RiskParityVault__ZeroAmount",
    "RebalanceAuction__ZeroAmount",
    "RebalanceAuction__LotExceeded",
]


def dust(s: System, who: str) -> dict[str, tuple[object, ...]]:
    """Least amounts, and those just beside where rounding turns."""
    shares = 10 ** (s.cash_decimals + 12) // 10**s.cash_decimals  # of a wei
    return {
        "deposit 3": ("deposit", 3, who),
        "withdraw 1": ("withdraw", 1, who, who),
        "mint 1": ("mint", 1, who),
        "mint": ("mint", shares + 1, who),
        "redeem": ("redeem", 2 * shares - 1, who, who),
        "exit": ("redeemInKind", 2 * shares - 1, who, who, []),
        "exit more": ("redeemInKind", 99 * shares + 7, who, who, []),
    }


@pytest.mark.parametrize(
    ("cash_decimals", "decimals"), [(6, (18, 8, 6)), (0, (0, 6, 18)), (18, (6, 0, 18))], ids=str
)
def test_dust__in_and_out_by_the_thousand__takes_nothing(
    make_system: Callable[..., System],
    attack: Ledger,
    cash_decimals: int,
    decimals: tuple[int, ...],
) -> None:
    """EQ-57 EQ-58: no single action gains a wei or lowers what a share stands for; so a million do not."""
    s = make_system(cash_decimals=cash_decimals, decimals=decimals, fees=FeesConfig(0, 0))
    s.deposit(s.alice, 1_000_003)
    s.rebalance()
    s.deposit(s.mallory, 100_001)
    me, prices = s.mallory, fair_prices(s)
    start = before = Purse.of(s, [me])
    worst, count, gas = Fraction(-(10**9)), 0, 0
    for name, action in islice(cycle(dust(s, me).items()), 500):
        receipt = s.attempt(s.vault, *action, sender=me, unless=REFUSALS)  # type: ignore[arg-type]
        if receipt is None:
            continue
        after = Purse.of(s, [me])
        assert after.per_share(prices) >= before.per_share(prices), name
        worst = max(worst, after.worth(prices) - before.worth(prices))
        count, gas, before = count + 1, gas + receipt.gas_used, after
    assert count > 250
    assert worst <= 0
    gained = float(before.worth(prices) - start.worth(prices))
    profit = (gained - gas_usd(gas)) / count * MILLION
    attack(
        f"a million dust actions, cash of {cash_decimals} decimals",
        profit,
        0.0,
        why=f"the best of {count} gained {float(worst):.1e} USD before gas",
    )


def test_dust__bids_by_the_hundred__take_nothing(invested: System, attack: Ledger) -> None:
    """EQ-82: what a bid pays rounds up, also for a wei of a dear token against one of a cheap one."""
    s = invested
    s.move([1.0, -0.5, 0.0])
    s.open()
    s.to_curve(1.0)
    me, prices = s.keeper, fair_prices(s)
    bids = [(s.tokens[0], s.cash), (s.tokens[0], s.tokens[1]), (s.cash, s.tokens[1])]
    worst, gas, count = Fraction(-(10**9)), 0, 0
    with s.one_block():
        before = Purse.of(s, [me])
        for (sell, buy), amount in islice(zip(cycle(bids), cycle([1, 7, 999, 10**6])), 60):
            args = (s.auction.call("current").id, sell, buy, amount, MAX, me)
            receipt = s.attempt(s.auction, "bid", *args, sender=me, unless=REFUSALS)
            if receipt is None:
                continue
            after = Purse.of(s, [me])
            assert after.per_share(prices) >= before.per_share(prices)
            worst = max(worst, after.worth(prices) - before.worth(prices))
            before, count, gas = after, count + 1, gas + receipt.gas_used
    assert count > 30
    assert worst <= 0
    profit = float(worst) * MILLION - gas_usd(gas / count * MILLION)
    why = f"the best of {count} gained {float(worst):.1e} USD before gas"
    attack("a million dust bids", profit, 0.0, why=why)


@pytest.mark.parametrize("action", ["exit in kind", "ripcord bid"])
def test_dust__at_the_lender__moves_units_of_its_own_rounding(
    levered: Levered, attack: Ledger, action: str
) -> None:
    """EQ-58 EQ-124: Aave rounds balances to a unit; a unit of BTC is 3e-4 USD, a transaction costs more."""
    s = levered
    s.deposit(s.mallory, 10_000)
    if action == "ripcord bid":
        s.crash(-0.2)
        s.pull()
        s.warp(2)
    me = s.mallory
    taken, lost, gas, count = Fraction(0), Fraction(0), 0, 0
    with s.one_block():
        prices, before = fair_prices(s), Purse.of(s, [me])
        for i in range(40):
            if action == "exit in kind":
                args: tuple[object, ...] = (10**12 * (i + 1) + 7 * i, me, me, [])
                receipt = s.vault.send("redeemInKind", *args, sender=me)
            else:
                args = (s.auction.call("current").id, [1, i + 1, 10**3], MAX, me)
                receipt = s.auction.send("bidBasket", *args, sender=me)
            after = Purse.of(s, [me])
            taken = max(taken, after.worth(prices) - before.worth(prices))
            others = after.supply - after.shares
            lost = max(lost, (before.per_share(prices) - after.per_share(prices)) * others)
            before, count, gas = after, count + 1, gas + receipt.gas_used
    assert lost < Fraction(1, 1_000)  # three reserves and a debt, a unit or two each
    profit = float(taken) * MILLION - gas_usd(gas / count * MILLION)
    why = f"at most {float(taken):.1e} USD each for {gas / count:,.0f} gas"
    attack(f"a million dust actions at Aave, {action}", profit, float(lost) * MILLION, why=why)
