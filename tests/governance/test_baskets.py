"""An asset leaves a live, levered vault by two proposals, and comes back by a third."""

from __future__ import annotations

from dataclasses import replace

import pytest

from equipoise.client.config import AssetConfig
from equipoise.client.deployment import Deployment
from equipoise.errors import InputError
from equipoise.governance import Governance, baskets, templates
from equipoise.governance.simulate import simulate
from equipoise.governance.templates import active_symbols
from equipoise.units import WAD
from tests.fixtures.basket import Asset, assets_of, change_basket
from tests.fixtures.governance import Governed
from tests.fixtures.levered import VOLS
from tests.fixtures.system import System, artifact_contract


def config(deployment: Deployment, symbol: str, **changes: object) -> AssetConfig:
    """An asset of the vault as a configuration would list it."""
    token = deployment.tokens[deployment.symbols.index(symbol)].address
    feed = deployment.price_oracle.call("feedOf", token).feed
    return replace(AssetConfig(symbol, token, feed, 1e-8, 1e9), **changes)  # type: ignore[arg-type]


def with_system(g: Governed, system: System) -> Governed:
    """The same governance over another basket."""
    contracts = g.contracts.refreshed()
    return Governed(replace(system, contracts=contracts), Governance(contracts))


def settle(g: Governed, active: list[Asset], retired: list[Asset]) -> Governed:
    """After an execution: prices and reports for what the oracle's basket is now."""
    now = with_system(g, change_basket(g.system, active, retired, only=()))
    now.system.refresh_prices()
    now.system.post_reports()
    now.system.refresh_prices()
    return now


def test_asset__retired_sold_delisted_and_added_again__by_three_proposals(
    governed_levered: Governed,
) -> None:
    """EQ-152: shares keep their value; the vault never stops owing, or being over its health factor."""
    g = governed_levered
    btc, eth, spx = assets_of(g.system)
    price = g.share_price()
    asset = config(g.contracts, "SPX")

    retire = g.queue(baskets.retire_asset(g.contracts, "SPX", (0.5, 0.5)))
    words = g.governance.words(retire)
    assert words == [
        "volatility_oracle.setBasket([BTC, ETH], 50 %, 50 %)",
        "realized_volatility.setBasket([BTC, ETH])",
        "vault.setBasket([BTC, ETH, SPX])",
    ]
    g.wait()
    g.system.refresh_prices()
    g.governance.execute(retire, g.keeper)
    g = settle(g, [btc, eth], [spx])
    assert g.governance.words(retire) == words
    assert g.governance.words(g.propose(templates.budgets(g.contracts, (0.4, 0.6)))) == [
        "volatility_oracle.setBudgets(40 %, 60 %)",
        "volatility_oracle.solveCoordinates()",
    ]
    assert active_symbols(g.contracts) == ["BTC", "ETH"]
    assert g.contracts.symbols == ("BTC", "ETH", "SPX")
    with pytest.raises(InputError, match=r"still holds .* USD of SPX, and at most .* may be left"):
        baskets.delist_asset(g.contracts, "SPX")
    g.rebalance()

    g.enact(baskets.delist_asset(g.contracts, "SPX"))
    g = with_system(g, g.system)
    assert g.contracts.symbols == ("BTC", "ETH")
    g.system.refresh_prices()

    draft = baskets.add_asset(g.contracts, asset, (0.3, 0.3, 0.4))
    assert [call.function for call in draft.calls] == ["setFeed", *["setBasket"] * 3]
    assert "- SPX: budget 40.00%" in draft.text
    effect = simulate(g.contracts, draft)
    assert len(effect.after.budgets) == 3
    assert effect.after.may_open == "no"  # before the signers have reported for it
    g.enact(draft)
    g = settle(g, [btc, eth, Asset(spx.token, spx.feed, VOLS[2], spx.decimals)], [])
    g.rebalance()
    state = g.auction.call("riskState")
    assert [share / WAD for share in state.sharesWad] == pytest.approx([0.3, 0.3, 0.4], abs=0.01)
    assert g.system.health() > 1.5
    assert g.share_price() == pytest.approx(price, rel=0.02)  # three weeks of interest, four auctions


def test_retire_asset__that_cannot_be__is_refused(governed_levered: Governed) -> None:
    g = governed_levered
    for symbol, shares, words in (
        ("DOGE", (0.5, 0.5), r"'DOGE' is no token of this vault; name one of BTC, ETH, SPX, cash"),
        ("cash", (0.5, 0.5), r"cash is not among the assets BTC, ETH, SPX"),
        ("SPX", (0.3, 0.3, 0.4), r"3 budgets for 2 assets: give one each of BTC, ETH"),
    ):
        with pytest.raises(InputError, match=words):
            baskets.retire_asset(g.contracts, symbol, shares)
    with pytest.raises(InputError, match="SPX is not being retired: propose that first"):
        baskets.delist_asset(g.contracts, "SPX")


def test_add_asset__that_cannot_be__is_refused(governed_levered: Governed) -> None:
    g = governed_levered
    equal = (0.25,) * 4
    here = config(g.contracts, "BTC")
    token = artifact_contract(g.chain, "OddToken", "NEW", 18, sender=g.owner)
    stranger = replace(here, symbol="NEW", token=token.address)
    for asset, words in (
        (here, r"BTC \(0x.*\) is in the vault already"),
        (replace(here, symbol="NEW", token=g.bob), "no code at 0x.*, the token of NEW"),
        (replace(stranger, feed=g.bob), "no code at 0x.*, the feed of NEW"),
        (stranger, "the lending venue has no reserve of NEW"),
    ):
        with pytest.raises(InputError, match=words):
            baskets.add_asset(g.contracts, asset, equal)
