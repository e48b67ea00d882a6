"""The demo's choices before a chain starts: prices, budgets, bounds that are the contracts' own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from equipoise.client.deploy import deploy
from equipoise.errors import ContractRevert, InputError
from equipoise.simulation import demo
from equipoise.simulation.demo import DemoOptions, demo_budgets, demo_prices, local_config
from equipoise.world import World


def test_demo_prices__default__three_years_of_six_assets() -> None:
    frame = demo_prices(DemoOptions())
    assert list(frame.columns) == ["BTC", "ETH", "BNB", "LINK", "SPX", "USMV"]
    assert (len(frame), str(frame.index[0].date()), str(frame.index[-1].date())) == (
        1096,
        "2020-01-01",
        "2022-12-31",
    )
    assert frame["SPX"].isna().mean() > 0.25  # closed days are told as such


def test_demo_prices__days__are_the_first_ones() -> None:
    pd.testing.assert_frame_equal(
        demo_prices(DemoOptions(days=90)), demo_prices(DemoOptions()).iloc[:90], check_freq=False
    )


def test_demo_prices__own_file__columns_in_the_order_asked(closes: pd.DataFrame, tmp_path: Path) -> None:
    longer = pd.concat([closes, closes.set_axis(closes.index + pd.Timedelta(days=50))])
    longer.to_csv(tmp_path / "prices.csv", index_label="date")
    frame = demo_prices(DemoOptions(prices=tmp_path / "prices.csv", assets=["LINK", "BTC"]))
    assert list(frame.columns) == ["LINK", "BTC"]
    np.testing.assert_allclose(frame, longer[["LINK", "BTC"]])


def test_demo_budgets__none__equal() -> None:
    assert demo_budgets(DemoOptions(), ["A", "B", "C", "D"]) == (0.25,) * 4


@pytest.mark.parametrize("budgets", [(), (1.0,), (0.5, 0.4), (0.995, 0.005), (1.5, -0.5)])
def test_demo_budgets__no_split_of_one__is_refused(budgets: tuple[float, ...]) -> None:
    with pytest.raises(InputError):
        demo_budgets(DemoOptions(budgets=budgets), ["A", "B"])


def test_bounds__told_before_a_chain_starts__are_the_contracts_own(world: World) -> None:
    owner = world.accounts[0]
    config = local_config(world, [0.2] * 5, world.accounts[5:10], owner=owner)
    made = deploy(world.chain, owner, config)
    assert made.volatility_oracle.call("MIN_BUDGET") == demo.MIN_BUDGET * 1e8
    low, high = demo.TARGET_VOL_RANGE
    for inside, outside in ((low, low - 1e-6), (high, high + 1e-6)):
        params = replace(config.auction, target_volatility=inside).params()
        made.auction.send("setParams", params, sender=owner)
        wrong = replace(config.auction, target_volatility=outside).params()
        with pytest.raises(ContractRevert, match="ParameterOutOfRange"):
            made.auction.send("setParams", wrong, sender=owner)
        with pytest.raises(InputError, match="--target-vol"):
            DemoOptions(target_vol=outside)
        DemoOptions(target_vol=inside)
