"""The ripcord without capital: every pool pays before any is paid."""

from __future__ import annotations

from typing import Any

import pytest

from equipoise.errors import ContractRevert
from tests.fixtures.levered import Levered
from tests.fixtures.system import MAX


@pytest.fixture
def crashed(levered: Levered) -> Levered:
    """A gap of -42 %: the health factor is below 1; the pools and their liquidity follow."""
    s = levered
    s.crash(-0.42)
    assert s.world
    s.world.align_pools()
    s.world.recentre_liquidity()
    assert s.health() < 1
    s.pull()
    s.warp(600)
    return s


def order(s: Levered, amounts: list[int], **changes: Any) -> tuple[Any, ...]:
    values = {
        "id": s.auction.call("current").id,
        "amounts": amounts,
        "fees": list(s.contracts.pool_fees),
        "profit": 0,
        "receiver": s.mallory,
    } | changes
    return tuple(values.values())


def lots(s: Levered) -> list[int]:
    """A millionth less than everything: the fraction moves with the second."""
    return [a - a // 10**6 for a in s.auction.call("quoteBasket", [MAX] * 3).sold[:3]]


def test_fill_basket__below_a_health_factor_of_one__saves_the_vault(crashed: Levered) -> None:
    """EQ-110 EQ-133: nobody's money but the pools'; the filler keeps nothing, its caller the improvement."""
    s = crashed
    before = s.cash_of(s.mallory)
    s.filler.send("fillBasket", order(s, lots(s)), sender=s.mallory)
    assert s.health() > 1.59
    assert s.cash_of(s.mallory) > before
    assert all(t.call("balanceOf", s.filler) == 0 for t in [*s.tokens, s.cash])
    assert s.aave.liquidate(s.account.address) == []


def test_fill__one_token_of_many__is_refused_by_the_venue(crashed: Levered) -> None:
    """EQ-133: one token alone does not bring the health factor above 1."""
    s = crashed
    fill = (s.auction.call("current").id, s.tokens[1], s.cash, 500, lots(s)[1], 0, s.keeper)
    s.refuses("LendingAccount__Refused", s.filler, "fill", fill, sender=s.keeper)


def test_fill_basket__bad_orders__are_refused(crashed: Levered) -> None:
    """EQ-110: lengths, pools, amounts, profits; a refused fill changes nothing."""
    s = crashed
    amounts = lots(s)
    for bad, error in (
        (order(s, amounts[:2]), "UniswapV3Filler__LengthMismatch"),
        (order(s, amounts, fees=[500]), "UniswapV3Filler__LengthMismatch"),
        (order(s, amounts, fees=[100, 500, 3000]), "UniswapV3Filler__NoPool"),
        (order(s, [0, 0, 0]), "UniswapV3Filler__BadAmount"),
        (order(s, [MAX, 0, 0]), "UniswapV3Filler__BadAmount"),
        (order(s, amounts, profit=10**15), "UniswapV3Filler__ProfitTooLow"),
        (order(s, amounts, receiver="0x" + "00" * 20), "UniswapV3Filler__ZeroAddress"),
        (order(s, [a * 2 for a in amounts]), "RebalanceAuction__LotExceeded"),
    ):
        s.refuses(error, s.filler, "fillBasket", bad, sender=s.mallory)


def test_fill_basket__before_the_discount_pays__is_refused(levered: Levered) -> None:
    """EQ-110: at mid the pools' fees are not covered: RebalanceAuction__BidTooDear, not a loss."""
    s = levered
    s.crash(-0.25)
    assert s.world
    s.world.align_pools()
    s.pull()
    with pytest.raises(ContractRevert, match="BidTooDear"):
        s.filler.send("fillBasket", order(s, lots(s)), sender=s.mallory)
