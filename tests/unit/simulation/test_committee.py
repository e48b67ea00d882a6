"""The signers of a replay: they see no future, need no unanimity, and are the same for a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise.errors import EstimationError, InputError, OracleError
from equipoise.estimation.ewma import EstimationConfig
from equipoise.oracle.typed_data import Domain
from equipoise.simulation import committee as module
from equipoise.simulation.committee import Committee
from equipoise.simulation.demo import Stage
from equipoise.units import unpack_word8
from equipoise.world import World

CONFIG = EstimationConfig()
LAST = 49


class Mailbox:
    """Stands for the publisher: keeps what it is given."""

    def __init__(self, *_: Any) -> None:
        addresses = tuple("0x" + f"{i:040x}" for i in range(1, 6))
        self.domain = Domain(31337, "0x" + "ee" * 20, addresses)
        self.posted: list[Any] = []

    def post_volatilities(self, reports: Any) -> None:
        self.posted.append(list(reports))

    def post_correlations(self, report: Any, signatures: Any) -> None:
        self.posted.append((report, list(signatures)))


def reports(closes: pd.DataFrame, day: int, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Everything that a committee with these closes publishes on a day."""
    mailbox = Mailbox()
    monkeypatch.setattr(module, "Publisher", lambda *_: mailbox)
    made = Committee(closes, 5, 7, CONFIG)
    made.bind(type("Nowhere", (), {"volatility_oracle": None})(), "")  # type: ignore[arg-type]
    made.post_volatilities(day, 1_600_000_000)
    made.post_correlations(day, 1_600_000_000)
    return mailbox.posted


@pytest.mark.parametrize("day", [31, 40, 48])
def test_committee__future_shuffled__publishes_the_same_to_the_last_bit(
    closes: pd.DataFrame, day: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    future = closes.copy()
    rng = np.random.default_rng(day)
    future.iloc[day + 1 :] = rng.permutation(future.iloc[day + 1 :].to_numpy()) * rng.uniform(0.5, 2)
    assert reports(closes, day, monkeypatch) == reports(future, day, monkeypatch)


def test_committee__today_changed__publishes_something_else(
    closes: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the comparison above can fail."""
    today = closes.copy()
    today.iloc[40, 0] *= 1.2
    assert reports(closes, 40, monkeypatch) != reports(today, 40, monkeypatch)


def test_covariances__future_shuffled__the_past_stays(closes: pd.DataFrame) -> None:
    future = closes.copy()
    future.iloc[41:] = future.iloc[41:].to_numpy()[::-1]
    before, after = (Committee(c, 5, 7, CONFIG).covariances for c in (closes, future))
    np.testing.assert_array_equal(before[:41], after[:41])
    assert not np.array_equal(before[41:], after[41:])


def test_ready__warm_up__nan_before_and_finite_from_then_on(closes: pd.DataFrame) -> None:
    made = Committee(closes, 5, 7, CONFIG)
    first = next(day for day in range(50) if made.ready(day))
    assert np.isnan(made.covariances[:first]).all()
    assert np.isfinite(made.covariances[first:]).all()
    assert all(made.ready(day) for day in range(first, 50))


def test_addresses__seed__same_for_the_same_and_all_different(closes: pd.DataFrame) -> None:
    made = Committee(closes, 5, 7, CONFIG)
    assert made.addresses == Committee(closes, 5, 7, CONFIG).addresses
    assert len({*made.addresses, *Committee(closes, 5, 8, CONFIG).addresses}) == 10


def test_post__real_oracle__stores_the_median_of_five_estimates(
    make_stage: Callable[..., Stage], world: World
) -> None:
    stage = make_stage()
    now = world.chain.timestamp()
    stage.committee.post_volatilities(LAST, now)
    stage.committee.post_correlations(LAST, now)
    world.warp_to(stage.deployment.volatility_oracle.call("lastPost").settlesAt)
    data = stage.deployment.volatility_oracle.call("riskData")
    expected = np.median([path.vol_ann[LAST] for path in stage.committee._paths], axis=0)
    np.testing.assert_allclose(unpack_word8(data.vols, 5), expected, atol=2e-8)
    assert (data.volatilitiesAt, data.correlationsAt) == (now, now)


@pytest.mark.parametrize("dissenters", [1, 2])
def test_post_correlations__some_signers_disagree__the_quorum_signs(
    make_stage: Callable[..., Stage], world: World, dissenters: int
) -> None:
    stage = make_stage()
    disagree(stage.committee, range(5 - dissenters, 5))
    now = world.chain.timestamp()
    stage.committee.post_correlations(LAST, now)
    assert stage.deployment.volatility_oracle.call("riskData").correlationsAt == now


def test_post_correlations__three_of_five_disagree__nothing_is_posted(
    make_stage: Callable[..., Stage], world: World
) -> None:
    stage = make_stage()
    disagree(stage.committee, range(2, 5))
    with pytest.raises(OracleError, match="2 usable reports, 3 are needed"):
        stage.committee.post_correlations(LAST, world.chain.timestamp())
    assert stage.deployment.volatility_oracle.call("riskData").correlationsAt == 0


def disagree(committee: Committee, members: range) -> None:
    """Let these members see a market without correlation."""
    for i in members:
        path = committee._paths[i]
        none = np.broadcast_to(np.eye(5), path.correlation.shape)
        committee._paths[i] = replace(path, correlation=none)


def test_committee__nobody__is_refused(closes: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="0 signers"):
        Committee(closes, 0, 7, CONFIG)


def test_committee__too_few_closes__is_refused(closes: pd.DataFrame) -> None:
    with pytest.raises(EstimationError):
        Committee(closes.iloc[:20], 5, 7, CONFIG)
