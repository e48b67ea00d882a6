"""What trades cost: more for a larger one, each asset by the depth of its own pool."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import InputError
from equipoise.simulation.costs import CostModel
from equipoise.simulation.ledger import Ledger
from tests.unit.simulation.test_backtest import closes

fractions = st.lists(st.floats(0, 2), min_size=3, max_size=3).map(np.array)


def test_of__larger_trades__cost_more_a_dollar() -> None:
    costs = CostModel(fee=0.001, depth_usd=1e6, nav_usd=1e6)
    small, large = (costs.of(np.array([size, -size]), 1.0) / (2 * size) for size in (0.01, 1.0))
    assert small == pytest.approx(0.001 + 0.005 * 0.01)
    assert large == pytest.approx(0.001 + 0.005)


def test_of__depth_of_each_asset__by_hand() -> None:
    """A million in a pool that a million moves by 1 % pays 0.5 %; half of that in one of a tenth, 2.5 %."""
    costs = CostModel(fee=0.0, depth_usd=(1e6, 1e5), nav_usd=1e6)
    assert costs.of(np.array([1.0, -0.5]), 1.0) == pytest.approx(1.0 * 0.005 + 0.5 * 0.025)
    # at twice the NAV the same fractions are twice the dollars
    assert costs.of(np.array([1.0, -0.5]), 2.0) == pytest.approx(2 * (0.005 + 0.0125))


@settings(max_examples=100, deadline=None)
@given(targets=fractions, exposures=fractions, fee=st.floats(0, 0.1))
def test_to_reach__any_targets__is_the_cost_of_the_trades_there(
    targets: np.ndarray, exposures: np.ndarray, fee: float
) -> None:
    costs = CostModel(fee=fee)
    cost = costs.to_reach(targets, exposures, 1.0)
    assert 0 <= cost <= 1
    if cost < 1:
        assert costs.of(targets * (1 - cost) - exposures, 1.0) == pytest.approx(cost, abs=1e-9)


def test_gas_usd__by_hand() -> None:
    """A million gas at 20 gwei is 0.02 ether."""
    assert CostModel(gas_price_gwei=20, eth_usd=2_000).gas_usd(1_000_000) == pytest.approx(40.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fee": -0.1}, "fee is -0.1; give 0 to 0.1"),
        ({"fee": float("nan")}, "fee is nan"),
        ({"borrow_rate": 1.5}, "borrow_rate is 1.5; give 0 to 1"),
        ({"depth_usd": 0}, "depth_usd is 0; it must be > 0"),
        ({"depth_usd": (1e6, float("nan"))}, "depth_usd is nan"),
        ({"nav_usd": float("inf")}, "nav_usd is inf; it must be finite"),
        ({"gas_price_gwei": -1}, "gas_price_gwei is -1"),
    ],
)
def test_cost_model__outside_the_domain__named(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        CostModel(**arguments)  # type: ignore[arg-type]


def test_check_assets__other_number_of_depths__named() -> None:
    with pytest.raises(InputError, match="2 of depth_usd for 3 assets"):
        Ledger(closes(days=5), CostModel(depth_usd=(1e6, 1e6)))
