"""Which baskets a ripcord is filled with, from numbers alone."""

from __future__ import annotations

import pytest

from equipoise.keeper.lots import Sale, baskets

FALLS = 0.97
LOT = 8_000


def sales(*pays: float) -> list[Sale]:
    """A token's whole lot, half, quarter and eighth, of which the pool pays so much of what is asked now."""
    amounts = (LOT, LOT // 2, LOT // 4, LOT // 8)
    paid = pays * 4 if len(pays) == 1 else pays
    return [Sale(a, a, int(a * part)) for a, part in zip(amounts, paid, strict=True)]


def amounts(*tokens: list[Sale], falls: float = FALLS, floor: int = 0) -> list[tuple[int, ...]]:
    return [basket.amounts for basket in baskets(tokens, falls, floor)]


GOOD, DRY = sales(1.01), sales(0.0)


def test_baskets__all_pools_pay__the_whole_first_then_parts_and_without_each() -> None:
    """EQ-182: what the venue refuses is not known beforehand, so there is something without each token."""
    tried = amounts(GOOD, GOOD, GOOD)
    assert tried[0] == (LOT, LOT, LOT)
    assert {(0, LOT, LOT), (LOT, 0, LOT), (LOT, LOT, 0)} <= set(tried)
    assert {(LOT, 0, 0), (0, LOT, 0), (0, 0, LOT)} <= set(tried)
    assert (LOT // 2,) * 3 in tried
    assert [sum(a) for a in tried] == sorted((sum(a) for a in tried), reverse=True)
    assert len(tried) == len(set(tried))


def test_baskets__a_pool_is_dry__the_others_are_sold_without_it() -> None:
    """EQ-182"""
    tried = amounts(GOOD, DRY, GOOD)
    assert tried[0] == (LOT, 0, LOT)
    assert all(a[1] == 0 for a in tried)


def test_baskets__a_pool_is_shallow__the_others_are_sold_whole_with_a_part_of_it() -> None:
    assert amounts(GOOD, sales(0.5, 0.7, 1.01, 1.02), GOOD)[0] == (LOT, LOT // 4, LOT)


def test_baskets__a_pool_will_pay_later__the_others_wait_for_it() -> None:
    """The same part of each is sold: what is cheap to sell is not all that is sold."""
    later = sales(0.98)
    assert amounts(GOOD, later, falls=0.97) == []
    assert amounts(GOOD, later, falls=0.99)[0] == (LOT, 0)


def test_baskets__one_that_loses_carried_by_the_others__is_sold_with_them() -> None:
    assert amounts(sales(1.05), sales(0.96), falls=1.0)[0] == (LOT, LOT)


def test_baskets__parts_pay_before_the_whole__are_taken() -> None:
    assert amounts(sales(0.98, 0.99, 1.0, 1.01), sales(0.98, 0.99, 1.0, 1.01))[0] == (LOT // 4, LOT // 4)


@pytest.mark.parametrize(("floor", "found"), [(160, True), (161, False)])
def test_baskets__a_floor__is_left_over(floor: int, found: bool) -> None:
    assert bool(amounts(GOOD, GOOD, floor=floor)) == found


def test_baskets__dust_and_nothing__are_not_worth_their_gas() -> None:
    dust = [Sale(1, 1, 1)] + 3 * [Sale()]
    nothing = 4 * [Sale()]
    tried = amounts(GOOD, dust, nothing)
    assert (0, 1, 0) not in tried
    assert (0, 0, 0) not in tried
    assert amounts(nothing, nothing) == []
    assert amounts(DRY, DRY) == []


def test_baskets__of_eight__are_a_bounded_number() -> None:
    """Each is at most one question to the node in a block."""
    tokens = [sales(1.02 - i / 100, 1.03, 1.04, 1.05) for i in range(8)]
    assert 8 < len(amounts(*tokens)) <= 24
