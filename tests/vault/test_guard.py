"""The modes, row by row, and who may tighten or loosen."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from equipoise.errors import ContractRevert
from equipoise.units import to_wad
from tests.fixtures.system import MAX, System

NORMAL, NO_INCREASE, DELEVER_ONLY, IN_KIND_ONLY = range(4)
HOUR, DAY = 3_600, 86_400
NOBODY = "0x" + "00" * 20
AGES = (36 * HOUR, 96 * HOUR, 21 * DAY, 45 * DAY)
HEALTHS = to_wad(1.3), to_wad(1.45), to_wad(1.6)


def budgets(system: System) -> int:
    return 34_000_000 | 33_000_000 << 32 | 33_000_000 << 64


def stale_volatilities(s: System) -> None:
    s.warp(37 * HOUR)
    s.post_correlations()


def stale_correlations(s: System) -> None:
    s.warp(22 * DAY)
    s.post_volatilities()


def no_coordinates(s: System) -> None:
    s.volatility_oracle.send("setBudgets", budgets(s), sender=s.owner)


def ancient_volatilities(s: System) -> None:
    s.warp(97 * HOUR)
    s.post_correlations()


def ancient_without_coordinates(s: System) -> None:
    s.warp(97 * HOUR)
    no_coordinates(s)


ROWS: list[tuple[Callable[[System], object], int, bool]] = [
    (lambda s: None, NORMAL, True),
    (stale_volatilities, NO_INCREASE, True),
    (stale_correlations, NO_INCREASE, True),
    (no_coordinates, NO_INCREASE, True),
    (lambda s: s.guard.send("pauseIncreases", sender=s.guardian), NO_INCREASE, True),
    (ancient_volatilities, DELEVER_ONLY, False),
    (ancient_without_coordinates, DELEVER_ONLY, False),
    (lambda s: s.feeds[2].send("set", 0, 0, sender=s.keeper), IN_KIND_ONLY, False),
    (lambda s: s.cash_feed.send("setBehaviour", 1, b"", sender=s.keeper), IN_KIND_ONLY, False),
]
NAMES = [
    "fresh",
    "stale volatilities",
    "stale correlations",
    "no coordinates",
    "increases paused",
    "ancient volatilities",
    "ancient and without coordinates",
    "a basket price dead",
    "the cash price dead",
]


@pytest.mark.parametrize(("facts", "mode", "deposits"), ROWS, ids=NAMES)
def test_mode__each_row_of_the_table__allows_what_it_says(
    invested: System, facts: Callable[[System], object], mode: int, deposits: bool
) -> None:
    """EQ-100: the mode follows the facts, and deposits, bids and exits follow the mode."""
    s = invested
    s.move([0.5, -0.4, 0.0])
    s.post_reports()
    s.open()
    with s.scenario():
        facts(s)
        assert s.vault.call("mode") == mode
        assert (s.vault.call("maxDeposit", s.bob) > 0) == deposits
        priced = mode != IN_KIND_ONLY
        assert (s.vault.call("maxWithdraw", s.alice) > 0) == priced
        assert can(s, "deposit", 10**6, s.bob, sender=s.bob) == deposits
        assert can(s, "redeem", 10**18, s.alice, s.alice, sender=s.alice) == priced
        assert can(s, "redeemInKind", 10**18, s.alice, s.alice, [], sender=s.alice)
        assert s.lens.call("dashboard", s.auction).mode == mode
    if mode != NORMAL:
        assert s.vault.call("mode") == NORMAL


def can(s: System, function: str, *args: object, sender: str) -> bool:
    try:
        s.vault.call(function, *args, sender=sender)
    except ContractRevert:
        return False
    return True


def test_mode__silent_signers_and_little_health__is_the_gravest(system: System) -> None:
    """EQ-100: below the health for increases too; what else is wrong never loosens it."""
    s, (trigger, increase, _) = system, HEALTHS
    assert s.guard.call("modeAt", increase - 1) == NO_INCREASE
    ancient_volatilities(s)
    for health in (trigger - 1, trigger, increase - 1, increase, MAX):
        assert s.guard.call("modeAt", health) == DELEVER_ONLY


def test_mode__before_the_first_report__takes_deposits_and_waits(
    make_system: Callable[..., System],
) -> None:
    """EQ-100: no report, no risk: cash may come in, nothing may be bought."""
    s = make_system(reports=False)
    assert s.vault.call("mode") == NO_INCREASE
    s.deposit(s.alice, 1_000)
    assert s.guard.call("depositsAllowed", MAX)


def test_mode__at_the_exact_ages__changes_one_second_later(system: System) -> None:
    """EQ-100: an age equal to its limit is still within it."""
    at = system.volatility_oracle.call("exposureData").volatilitiesAt
    params = system.guard.call("params")
    for limit, within, beyond in (
        (params.volatilitiesFreshFor, NORMAL, NO_INCREASE),
        (params.deleverAfter, NO_INCREASE, DELEVER_ONLY),
    ):
        system.warp(at + limit - system.now())
        assert mined_mode(system) == within
        system.warp(1)
        assert mined_mode(system) == beyond


def mined_mode(system: System) -> int:
    return int(system.guard.call("riskMode", block=system.chain.request("eth_blockNumber")))


def test_guardian__tightens__at_once(system: System) -> None:
    """EQ-101: pauses and a lower cap take effect in the same block."""
    system.guard.send("pauseIncreases", sender=system.guardian)
    system.guard.send("pauseDeposits", sender=system.guardian)
    system.vault.send("setDepositCap", 5, sender=system.guardian)
    assert system.guard.call("riskMode") == NO_INCREASE
    assert not system.guard.call("depositsAllowed", MAX)
    assert system.vault.call("depositCap") == 5


def test_guardian__loosening__is_refused(system: System) -> None:
    """EQ-101: what was tightened only the owner loosens."""
    s = system
    s.guard.send("pauseDeposits", sender=s.guardian)
    s.vault.send("setDepositCap", 5, sender=s.guardian)
    unauthorized = "OwnableUnauthorizedAccount"
    s.refuses(unauthorized, s.guard, "unpause", sender=s.guardian)
    s.refuses(unauthorized, s.vault, "setDepositCap", 5, sender=s.guardian)
    s.refuses(unauthorized, s.vault, "setDepositCap", 6, sender=s.guardian)
    s.refuses(unauthorized, s.guard, "setGuardian", s.guardian, sender=s.guardian)
    s.refuses(unauthorized, s.guard, "setParams", s.guard.call("params"), sender=s.guardian)
    s.guard.send("unpause", sender=s.owner)
    s.vault.send("setDepositCap", 10**12, sender=s.owner)
    assert s.guard.call("depositsAllowed", MAX)


def test_guard__a_stranger__may_nothing(system: System) -> None:
    """EQ-101: neither tighten nor loosen."""
    s = system
    for function in ("pauseIncreases", "pauseDeposits"):
        s.refuses("RiskGuard__NotGuardian", s.guard, function, sender=s.mallory)
    s.refuses("OwnableUnauthorizedAccount", s.guard, "unpause", sender=s.mallory)
    s.refuses("OwnableUnauthorizedAccount", s.vault, "setDepositCap", 0, sender=s.mallory)


def test_guard__without_a_guardian__the_owner_still_pauses(system: System) -> None:
    """EQ-101: an empty office opens to nobody."""
    system.guard.send("setGuardian", NOBODY, sender=system.owner)
    system.refuses("RiskGuard__NotGuardian", system.guard, "pauseDeposits", sender=system.guardian)
    system.guard.send("pauseDeposits", sender=system.owner)
    assert not system.guard.call("depositsAllowed", MAX)


@pytest.mark.parametrize(
    "params",
    [
        (599, 96 * HOUR, 21 * DAY, 45 * DAY, *HEALTHS),
        (7 * DAY + 1, 30 * DAY, 21 * DAY, 45 * DAY, *HEALTHS),
        (36 * HOUR, 36 * HOUR - 1, 21 * DAY, 45 * DAY, *HEALTHS),
        (36 * HOUR, 30 * DAY + 1, 21 * DAY, 45 * DAY, *HEALTHS),
        (36 * HOUR, 96 * HOUR, HOUR - 1, 45 * DAY, *HEALTHS),
        (36 * HOUR, 96 * HOUR, 90 * DAY + 1, 120 * DAY, *HEALTHS),
        (36 * HOUR, 96 * HOUR, 21 * DAY, 21 * DAY - 1, *HEALTHS),
        (36 * HOUR, 96 * HOUR, 21 * DAY, 180 * DAY + 1, *HEALTHS),
        (*AGES, to_wad(1.05) - 1, to_wad(1.45), to_wad(1.6)),
        (*AGES, to_wad(3) + 1, to_wad(3.5), to_wad(4)),
        (*AGES, to_wad(1.3), to_wad(1.3) - 1, to_wad(1.6)),
        (*AGES, to_wad(1.3), to_wad(4) + 1, to_wad(5)),
        (*AGES, to_wad(1.3), to_wad(1.45), to_wad(1.45) - 1),
        (*AGES, to_wad(1.3), to_wad(1.45), to_wad(5) + 1),
    ],
)
def test_set_params__outside_its_range__is_refused(system: System, params: tuple[int, ...]) -> None:
    """EQ-87: every age and every health factor has its range, whoever asks."""
    system.refuses("ParameterOutOfRange", system.guard, "setParams", params, sender=system.owner)


def test_set_params__at_its_ends__is_accepted(system: System) -> None:
    """EQ-87: the ranges are closed."""
    lowest = (600, 600, HOUR, HOUR, *[to_wad(1.05)] * 3)
    highest = (7 * DAY, 30 * DAY, 90 * DAY, 180 * DAY, to_wad(3), to_wad(4), to_wad(5))
    for params in (lowest, highest):
        system.guard.send("setParams", params, sender=system.owner)
        assert tuple(system.guard.call("params")) == params
