"""A keeper that was started before the basket changed goes on after it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from equipoise.client.deployment import Deployment
from equipoise.errors import OracleError
from equipoise.oracle.publisher import Publisher
from equipoise.units import WAD
from tests.fixtures.basket import assets_of, change_basket
from tests.fixtures.market import Market
from tests.unit.keeper.test_keeper import fill_everything, make_keeper


@pytest.fixture
def retiring(market: Market) -> Market:
    """OIL retired out of eight, the others in another order, reports posted."""
    market.deposit(market.alice, 500_000)
    keeper = make_keeper(market)
    keeper.open()
    fill_everything(market, keeper)
    assets = assets_of(market)
    oil = assets.pop(6)
    changed = change_basket(market, assets[::-1], [oil])
    changed.warp(60)
    changed.post_reports()
    changed.warp(900)
    changed.refresh_prices()
    return changed


def test_fill_all__after_a_change__trades_the_new_lanes(market: Market) -> None:
    """EQ-99: by addresses, never by the places that tokens had when the keeper was started."""
    market.deposit(market.alice, 500_000)
    keeper = make_keeper(market)
    changed = change_basket(market, assets_of(market)[::-1])
    changed.warp(60)
    changed.post_reports()
    changed.warp(900)
    changed.refresh_prices()
    keeper.open()
    fills = fill_everything(changed, keeper)
    assert {fill.buy for fill in fills} == {token.address for token in changed.tokens}
    assert market.auction.call("riskState").parityGapWad < 0.03 * WAD
    assert keeper.deployment.symbols == market.contracts.symbols[::-1]


def test_fill_all__of_a_retired_asset__sells_all_but_dust(retiring: Market) -> None:
    """EQ-99 EQ-96: under the keeper's least trade too, so that the asset can leave."""
    s = retiring
    keeper = make_keeper(s)
    keeper.open()
    s.to_curve(1.0)
    # all but five basis points: less than the keeper cares for in any other asset
    held, exposure = s.balances()[7], s.auction.call("riskState").exposuresWad[7]
    s.bid(s.tokens[7], s.cash, held - held * 5 * 10**14 // exposure)
    assert 0.0004 * WAD < s.auction.call("riskState").exposuresWad[7] < 0.0006 * WAD
    fill_everything(s, keeper)
    assert s.auction.call("riskState").exposuresWad[7] <= 0.00005 * WAD
    s.vault.send("setBasket", [token.address for token in s.tokens[:7]], sender=s.owner)
    assert make_keeper(s).deployment.refreshed().n == 7


def test_publisher__made_before_a_change__signs_off_the_new_basket(market: Market, tmp_path: Path) -> None:
    """EQ-99: a relay needs no restart; old signers' reports are dropped before they cost gas."""
    s = market
    publisher = Publisher(s.volatility_oracle, s.keeper)
    assert publisher.domain.n == 8
    path = s.contracts.save(tmp_path / "market.json")
    changed = change_basket(s, assets_of(s)[:5])
    changed.warp(60)
    at = changed.now()
    with pytest.raises(OracleError, match="0 usable reports"):
        publisher.post_volatilities([x.sign_volatilities(s.vols, at) for x in s.signers])
    publisher.post_volatilities([x.sign_volatilities(changed.vols, at) for x in changed.signers])
    assert publisher.domain.assets == tuple(token.address for token in changed.tokens)
    assert np.isclose(Deployment.load(s.chain, path).budgets, 0.2).all()
