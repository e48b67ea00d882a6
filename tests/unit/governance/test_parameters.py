"""The list of parameters: its keys, units and table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from equipoise.errors import InputError
from equipoise.governance import PARAMETERS, find_parameter
from equipoise.governance.table import README, inserted, main, table
from equipoise.units import DAY, WAD


def test_parameters__their_keys__are_unique() -> None:
    keys = [parameter.key for parameter in PARAMETERS]
    assert len(keys) == len(set(keys)) > 50


def test_defaults__of_every_parameter__lie_inside_the_range() -> None:
    """EQ-158: a default that its own contract refuses would be no default."""
    for p in PARAMETERS:
        values = {q.name: q.default for q in PARAMETERS if (q.contract, q.setter) == (p.contract, p.setter)}
        if p.default is None:
            continue
        low = values[p.low] if isinstance(p.low, str) else p.low
        high = values[p.high] if isinstance(p.high, str) else p.high
        assert low <= p.default <= high, p.key


@pytest.mark.parametrize("key", ["auction.targetVolatility", "AUCTION.TARGETVOLATILITYWAD"])
def test_find_parameter__in_any_case_with_or_without_its_scale__finds_it(key: str) -> None:
    assert find_parameter(key).name == "targetVolatilityWad"


def test_find_parameter__unknown__names_close_ones() -> None:
    with pytest.raises(
        InputError, match=r"no parameter 'targetVol'; choose one of auction.targetVolatility$"
    ):
        find_parameter("targetVol")
    with pytest.raises(InputError, match=r"choose one of auction.targetVolatility, auction.maxLeverage"):
        find_parameter("vault.colour")


def test_raw__in_peoples_units__is_the_contracts_integer() -> None:
    assert find_parameter("auction.targetVolatility").raw(0.12) == 12 * WAD // 100
    assert find_parameter("guard.deleverAfter").raw(172_800) == 172_800
    assert find_parameter("vault.depositCap").raw(1_234.5, cash_decimals=6) == 1_234_500_000
    assert find_parameter("price_oracle.halfSpreadBps").raw(50) == 50


def test_raw__a_part_of_a_second_or_no_number__is_refused() -> None:
    with pytest.raises(InputError, match=r"guard.deleverAfter is 0.5: give a whole number of s"):
        find_parameter("guard.deleverAfter").raw(0.5)
    with pytest.raises(InputError, match="nan is not a finite number"):
        find_parameter("guard.deleverAfter").raw(float("nan"))


def test_shown__of_every_unit__reads_well() -> None:
    def shown(key: str, raw: int | str) -> str:
        return find_parameter(key).shown(raw)

    assert shown("auction.duration", 1_800) == "30 minutes"
    assert shown("auction.duration", DAY) == "1 day"
    assert shown("auction.duration", 90_000) == "25 hours"
    assert shown("guard.deleverAfter", "volatilitiesFreshFor") == "`volatilitiesFreshFor`"
    assert shown("volatility_oracle.budget", 10**6) == "0.01"
    assert shown("vault.depositCap", 2**96 - 1) == "2^96 - 1"
    assert shown("volatility_oracle.settlePeriod", 0) == "0"


def test_readme__its_table__is_the_generated_one() -> None:
    """EQ-158: `python -m equipoise.governance.table` was run."""
    text = README.read_text(encoding="utf-8")
    assert inserted(text) == text
    assert table().count("\n") == len(PARAMETERS) + 1


def test_main__an_old_table__is_replaced_and_the_rest_kept(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    text = README.read_text(encoding="utf-8")
    page.write_text(text.replace("| `auction.duration` |", "| `auction.length` |"), encoding="utf-8")
    main(page)
    assert page.read_text(encoding="utf-8") == text


def test_inserted__without_markers__is_refused() -> None:
    with pytest.raises(InputError, match="lacks the markers"):
        inserted("# a page")


def test_abdicable__is_what_the_timelock_owns() -> None:
    """EQ-154: neither the governor's settings nor what is fixed at construction."""
    assert find_parameter("vault.entryFee").abdicable
    assert not find_parameter("governor.quorum").abdicable
    assert not find_parameter("timelock.delay").abdicable
    assert not find_parameter("price_oracle.blockTime").abdicable
    assert replace(find_parameter("vault.entryFee"), setter="constructor").construction
