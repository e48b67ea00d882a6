"""The guardian tightens the auction's parameters at once, and can loosen none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.errors import ContractRevert
from equipoise.units import WAD
from tests.fixtures.system import FUZZ, System

NAMES = (
    *("targetVolatilityWad", "maxLeverageWad", "parityBandWad", "volatilityBandWad", "startPremiumWad"),
    *("endDiscountWad", "lossBudgetWad", "cashBufferWad", "maxBorrowRateWad", "ripcordDiscountWad"),
    *("ripcordDuration", "duration"),
)
FALLING = ("targetVolatilityWad", "maxLeverageWad", "maxBorrowRateWad", "lossBudgetWad")
LEAST = {
    "targetVolatilityWad": WAD // 100,
    "maxLeverageWad": WAD // 10,
    "maxBorrowRateWad": 0,
    "lossBudgetWad": WAD // 10_000,
}
STEP = {name: 60 if name.endswith("uration") else 10**13 for name in NAMES}


def params(s: System) -> dict[str, int]:
    return dict(zip(NAMES, s.auction.call("params"), strict=True))


def set_params(s: System, sender: str, **changes: int) -> None:
    s.auction.send("setParams", tuple({**params(s), **changes}.values()), sender=sender)


@pytest.mark.parametrize("name", FALLING)
def test_set_params__guardian_lowers_one__is_in_force_at_once(system: System, name: str) -> None:
    """EQ-98 EQ-101: down to the bound, no further."""
    s = system
    for value in (params(s)[name] - STEP[name], LEAST[name]):
        set_params(s, s.guardian, **{name: value})
        assert params(s)[name] == value
    if LEAST[name]:
        with pytest.raises(ContractRevert, match="ParameterOutOfRange"):
            set_params(s, s.guardian, **{name: LEAST[name] - 1})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("sign", [1, -1])
def test_set_params__guardian_moves_anything_else__is_refused(system: System, name: str, sign: int) -> None:
    """EQ-98 EQ-101: any one field up, and any other down; also together with a tightening."""
    s = system
    if sign < 0 and name in FALLING:
        return
    value = params(s)[name] + sign * STEP[name]
    tighter = {"targetVolatilityWad": LEAST["targetVolatilityWad"]}
    for changes in ({name: value}, {**tighter, name: value}):
        wanted = tuple({**params(s), **changes}.values())
        s.refuses("OwnableUnauthorizedAccount", s.auction, "setParams", wanted, sender=s.guardian)


def test_set_params__a_stranger_tightens__is_refused(system: System) -> None:
    """EQ-98: it is the guardian's office, and nobody's once it is vacant."""
    s = system
    wanted = tuple({**params(s), **LEAST}.values())
    for sender in (s.mallory, s.keeper, s.treasury):
        s.refuses("OwnableUnauthorizedAccount", s.auction, "setParams", wanted, sender=sender)
    s.guard.send("setGuardian", "0x" + "00" * 20, sender=s.owner)
    s.refuses("OwnableUnauthorizedAccount", s.auction, "setParams", wanted, sender=s.guardian)


def test_set_params__after_the_guardian__the_owner_loosens_again(system: System) -> None:
    """EQ-98: tightening is no sentence for ever."""
    s = system
    before = params(s)
    set_params(s, s.guardian, **LEAST)
    assert params(s) == {**before, **LEAST}
    set_params(s, s.owner, **before)
    assert params(s) == before


ANY = st.dictionaries(
    st.sampled_from(NAMES), st.floats(0.2, 2.0).filter(lambda f: abs(f - 1) > 1e-3), min_size=1, max_size=5
)
TIGHTER = st.dictionaries(st.sampled_from(FALLING), st.floats(0.2, 0.99), min_size=1, max_size=4)


@FUZZ
@given(changes=ANY | TIGHTER)
def test_set_params__any_change__the_guardian_gets_what_tightens_and_nothing_else(
    system: System, changes: dict[str, float]
) -> None:
    """EQ-98 EQ-101: random changes of random fields against the rule in words."""
    with system.scenario() as s:
        before = params(s)
        wanted = {**before, **{name: int(before[name] * factor) for name, factor in changes.items()}}
        moved = {name for name in NAMES if wanted[name] != before[name]}
        tightens = moved <= set(FALLING) and all(wanted[name] < before[name] for name in moved)
        refusal = "ParameterOutOfRange" if tightens else "OwnableUnauthorizedAccount"
        args = (s.auction, "setParams", tuple(wanted.values()))
        done = s.attempt(*args, sender=s.guardian, unless=[refusal])
        assert tightens or not done
        assert params(s) == (wanted if done else before)
