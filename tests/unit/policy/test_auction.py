"""The Dutch price curve and its inverse."""

from __future__ import annotations

from math import nextafter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from equipoise.errors import InputError
from equipoise.policy.auction import PriceCurve


def test_price__half_way__geometric_mean() -> None:
    curve = PriceCurve(4.0, 1.0, 1000)
    assert curve.price(0) == 4.0
    assert curve.price(500) == pytest.approx(2.0)
    assert curve.price(1000) == curve.price(10**9) == 1.0


@given(
    start=st.floats(1.0, 2.0),
    depth=st.floats(0.0, 0.9),
    duration=st.integers(1, 10**6),
    wanted=st.floats(0.01, 2.5),
)
def test_earliest__any_curve__first_second_at_or_below_the_price(
    start: float, depth: float, duration: int, wanted: float
) -> None:
    curve = PriceCurve(start, start * (1 - depth), duration)
    second = curve.earliest(wanted)
    if second is None:
        assert wanted < curve.end
        return
    assert curve.price(second) <= wanted
    assume(second > 0)
    assert curve.price(second - 1) > wanted


def test_earliest__flat_curve__at_once_or_never() -> None:
    flat = PriceCurve(1.0, 1.0, 60)
    assert (flat.earliest(1.0), flat.earliest(0.99)) == (0, None)


def test_price__end_that_is_not_one__decays_to_it() -> None:
    curve = PriceCurve(4.5, 2.0, 1000)
    assert curve.price(500) == pytest.approx(3.0)
    assert curve.price(999) == pytest.approx(2.0 * 2.25**0.001)


@pytest.mark.parametrize(("start", "end", "duration"), [(1.134, 1.038, 832), (4.5, 2.0, 1000), (1.5, 1.4, 7)])
def test_earliest__price_of_every_second__that_second(start: float, end: float, duration: int) -> None:
    """Prices that the curve has itself, where the logarithm may be off by one in either direction."""
    curve = PriceCurve(start, end, duration)
    prices = [curve.price(t) for t in range(duration + 1)]
    assert [curve.earliest(price) for price in prices] == list(range(duration + 1))
    a_little_less = [curve.earliest(nextafter(price, 0)) for price in prices]
    assert a_little_less == [*range(1, duration + 1), None]


def test_price__at_the_end_of_any_curve__the_end_to_the_last_digit() -> None:
    for start, end, duration in ((1.134, 1.038, 832), (1.219, 0.884, 346), (1.501, 1.462, 569)):
        assert PriceCurve(start, end, duration).price(duration) == end


def test_earliest__few_logarithms_suffice__no_walk_along_the_curve(monkeypatch: pytest.MonkeyPatch) -> None:
    curve = PriceCurve(1.134, 1.038, 832)
    prices = [curve.price(t) for t in range(833)]
    real, asked = PriceCurve.price, list[float]()
    monkeypatch.setattr(PriceCurve, "price", lambda self, t: asked.append(t) or real(self, t))
    for t, price in enumerate(prices):
        asked.clear()
        assert curve.earliest(price) == t
        assert len(asked) <= 3


@pytest.mark.parametrize(
    "call",
    [
        lambda: PriceCurve(1.0, 1.1, 60),
        lambda: PriceCurve(1.0, 0.0, 60),
        lambda: PriceCurve(float("nan"), 1.0, 60),
        lambda: PriceCurve(1.0, 0.9, 0),
        lambda: PriceCurve(1.0, 0.9, 60).price(-1),
        lambda: PriceCurve(1.0, 0.9, 60).earliest(0.0),
    ],
)
def test_price_curve__outside_the_domain__input_error(call) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError):
        call()
