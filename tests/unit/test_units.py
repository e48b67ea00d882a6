"""Conversions and packing: the words are the contract's, so the examples are spelled out bit by bit."""

from __future__ import annotations

from decimal import Decimal
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise import units
from equipoise.errors import InputError

COUNTS = st.integers(units.MIN_ASSETS, units.MAX_ASSETS)
LANES = st.floats(1e-9, 42.9)


def vectors(elements: st.SearchStrategy[float]) -> st.SearchStrategy[list[float]]:
    return st.lists(elements, min_size=units.MIN_ASSETS, max_size=units.MAX_ASSETS)


def test_year__365_days__in_seconds() -> None:
    assert units.YEAR == 31_536_000


@pytest.mark.parametrize(
    ("value", "wad"),
    [
        (1, 10**18),
        (0.1, 10**17),
        (Decimal("0.3"), 3 * 10**17),
        (np.float64(2.5), 25 * 10**17),
        (np.int64(3), 3 * 10**18),
    ],
)
def test_to_wad__numbers_of_every_kind__exact_decimal(value: object, wad: int) -> None:
    assert units.to_wad(value) == wad  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "1", None])
def test_to_wad__not_a_finite_number__input_error(value: object) -> None:
    with pytest.raises(InputError, match="not a finite number"):
        units.to_wad(value)  # type: ignore[arg-type]


def test_to_wad__more_digits_than_a_double_or_a_default_decimal__exact() -> None:
    digits = 12_345_678_901_234_567_890_123_456_789_012_345
    assert units.to_wad(digits) == digits * 10**18
    assert units.to_wad(Decimal("0.1234567890123456785")) == 123456789012345678


@given(st.floats(-1e12, 1e12))
def test_from_wad__after_to_wad__same_float(value: float) -> None:
    assert units.from_wad(units.to_wad(value)) == pytest.approx(value, rel=1e-15, abs=1e-18)


def test_to_token__fraction_of_a_unit__down_and_up() -> None:
    assert units.to_token(1.2345678, 6) == 1_234_567
    assert units.to_token_up(1.2345678, 6) == 1_234_568
    assert units.to_token(0.3, 18) == units.to_token_up(0.3, 18) == 3 * 10**17
    assert units.from_token(1_500_000) == 1.5


def test_to_token_up__whole_and_nothing__as_they_are() -> None:
    assert units.to_token(0) == units.to_token_up(0) == 0
    assert units.to_token_up(0.0000001) == units.to_token(0.000001) == 1
    assert units.to_token_up(1.2345671, 6) == 1_234_568


def test_to_feed__smallest_price__one() -> None:
    assert units.to_feed(1e-8) == units.to_feed(6e-9) == 1


def test_to_token__negative__input_error() -> None:
    with pytest.raises(InputError, match="negative"):
        units.to_token(-1)


def test_to_feed__price__eight_decimals() -> None:
    assert units.to_feed(43_210.123456789) == 4_321_012_345_679
    assert units.from_feed(units.to_feed(0.002033)) == 0.002033


@pytest.mark.parametrize("price", [0, -1.0, 1e-9])
def test_to_feed__would_not_be_positive__input_error(price: float) -> None:
    with pytest.raises(InputError, match="not positive"):
        units.to_feed(price)


def test_pack_word8__two_assets__lanes_from_the_low_end() -> None:
    assert units.pack_word8([0.5, 1.0]) == 50_000_000 + (100_000_000 << 32)


def test_pack_word8__tiny_value__never_a_zero_lane() -> None:
    assert units.unpack_lanes(units.pack_word8([1e-30, 1.0]), 2)[0] == 1


@given(vectors(LANES))
def test_unpack_word8__after_packing__within_half_a_lane(values: list[float]) -> None:
    back = units.unpack_word8(units.pack_word8(values), len(values))
    assert np.abs(back - values).max() <= 1.0000001e-8
    assert (back > 0).all()


@pytest.mark.parametrize(
    "values",
    [[1.0], [0.1] * 9, [0.1, 0.0], [0.1, -1.0], [0.1, float("nan")], [0.1, 43.0], [[0.1, 0.1], [0.1, 0.1]]],
)
def test_pack_word8__outside_the_domain__input_error(values: list[float]) -> None:
    with pytest.raises(InputError):
        units.pack_word8(values)


def test_pack_word8__largest_value__fills_its_lane() -> None:
    assert units.pack_word8([42.94967295, 1e-8]) == 2**32 - 1 | 1 << 32
    assert units.unpack_word8(2**256 - 1, 8).tolist() == [42.94967295] * 8


def test_vectors__wrong_ones__named() -> None:
    for pack, name in ((units.pack_word8, "word"), (units.pack_budgets, "budgets")):
        with pytest.raises(InputError, match=rf"^{name} has shape \(1, 2\)"):
            pack([[0.5, 0.5]])
        with pytest.raises(InputError, match=rf"^{name} \[0.5, nan\] must be finite"):
            pack([0.5, None])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("word", "n", "message"),
    [
        (1 << 64 | 1 << 32 | 1, 2, "word 0x10000000100000001 has nonzero lanes beyond asset 1;"),
        (1, 2, "^lane 1 of word 0x1 is zero"),
        (0, 2, "^lane 0 of word 0x0 is zero"),
        (-1, 2, "^word -1 is not a uint256"),
        (1 << 256, 8, "is not a uint256"),
        (1, 1, "^1 assets given; a basket has 2 to 8"),
        (1, 9, "^9 assets given"),
    ],
)
def test_unpack_word8__not_a_word_of_n_assets__input_error(word: int, n: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        units.unpack_word8(word, n)


def test_pack_budgets__thirds__first_lane_takes_the_remainder() -> None:
    assert units.unpack_lanes(units.pack_budgets([1 / 3] * 3), 3) == [33_333_334, 33_333_333, 33_333_333]


def test_pack_budgets__sum_slightly_off__shares_of_the_sum() -> None:
    for excess in (8e-7, -8e-7):
        lanes = units.unpack_lanes(units.pack_budgets([0.5 + excess, 0.5]), 2)
        assert lanes == [50_000_000 + round(excess * 50_000_000), 50_000_000 - round(excess * 50_000_000)]
    with pytest.raises(InputError, match=r"^budgets sum to 1\.0000011;"):
        units.pack_budgets([0.5000011, 0.5])


@given(vectors(st.floats(0.01, 1.0)))
def test_pack_budgets__any_budgets__lanes_sum_to_one_exactly(raw: list[float]) -> None:
    budgets = np.array(raw) / sum(raw)
    lanes = units.unpack_lanes(units.pack_budgets(budgets), len(raw))
    assert sum(lanes) == units.LANE_SCALE
    assert np.abs(np.array(lanes) / units.LANE_SCALE - budgets).max() < 1e-8


@pytest.mark.parametrize("budgets", [[0.5, 0.4], [1.0, 0.0], [1.5, -0.5], [1 - 1e-9, 1e-9], [1.0]])
def test_pack_budgets__not_budgets__input_error(budgets: list[float]) -> None:
    with pytest.raises(InputError):
        units.pack_budgets(budgets)


def correlation_of(n: int, pairs: list[float]) -> np.ndarray:
    matrix = np.eye(n)
    for (i, j), value in zip(combinations(range(n), 2), pairs, strict=False):
        matrix[i, j] = matrix[j, i] = value
    return matrix


def test_pack_correlations__three_assets__pair_order_and_two_s_complement() -> None:
    low, high = units.pack_correlations(correlation_of(3, [1 / 32767, -1 / 32767, -1.0]))
    assert low == 0x0001 | 0xFFFF << 16 | 0x8001 << 32
    assert high == 0


def test_pack_correlations__eight_assets__seventeenth_pair_opens_the_second_word() -> None:
    pairs = [0.0] * 28
    pairs[16] = 1.0
    assert units.pack_correlations(correlation_of(8, pairs)) == (0, 0x7FFF)


@given(COUNTS, st.data())
def test_unpack_correlations__after_packing__within_half_a_step(n: int, data: st.DataObject) -> None:
    count = n * (n - 1) // 2
    pairs = data.draw(st.lists(st.floats(-1, 1), min_size=count, max_size=count))
    matrix = correlation_of(n, pairs)
    words = units.pack_correlations(matrix)
    back = units.unpack_correlations(words, n)
    assert np.abs(back - matrix).max() <= 0.5000001 / 32767
    assert units.pack_correlations(back) == words


@pytest.mark.parametrize(
    "matrix",
    [
        np.ones((2, 3)),
        np.eye(9),
        [[1.0, 0.5], [0.4, 1.0]],
        [[1.0, 1.5], [1.5, 1.0]],
        [[0.9, 0.5], [0.5, 1.0]],
        [[1.0, float("nan")], [float("nan"), 1.0]],
    ],
)
def test_pack_correlations__not_a_correlation__input_error(matrix: object) -> None:
    with pytest.raises(InputError):
        units.pack_correlations(matrix)  # type: ignore[arg-type]


def test_pack_correlations__within_1e_9_of_a_correlation__accepted() -> None:
    assert units.pack_correlations([[1 + 9e-10, 1 + 9e-10], [1.0, 1 - 9e-10]]) == (0x7FFF, 0)
    assert units.pack_correlations([[1.0, -1 - 9e-10], [-1.0, 1.0]]) == (0x8001, 0)
    assert units.pack_correlations([[1.0, 1 + 1e-9], [1 + 1e-9, 1.0]]) == (0x7FFF, 0)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1.0, 0.5], [0.5 + 3e-9, 1.0]], "must be symmetric"),
        ([[1.0, 0.5], [0.5, 1 + 2e-9]], "ones on its diagonal"),
        ([[1.0, 1 + 2e-9], [1 + 2e-9, 1.0]], r"is outside \[-1, 1\]"),
        ([[1.0, None], [None, 1.0]], "not finite"),
    ],
)
def test_pack_correlations__beyond_1e_9__named(matrix: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        units.pack_correlations(matrix)  # type: ignore[arg-type]


def test_unpack_correlations__word_of_257_bits__named() -> None:
    for words in ((2**256, 0), (0, 2**256)):
        with pytest.raises(InputError, match=rf"two uint256 words, not \[{words[0]}, {words[1]}\]"):
            units.unpack_correlations(words, 8)


@pytest.mark.parametrize("words", [(1 << 16, 0), (0, 1), (0x8000, 0), (0,), (-1, 0)])
def test_unpack_correlations__two_assets_and_invalid_words__input_error(words: tuple[int, ...]) -> None:
    with pytest.raises(InputError):
        units.unpack_correlations(words, 2)
