"""Where a signer's closes come from: a file, the chain's own feeds, or an exchange; better not all the same.

A close of day d (UTC) is known from d + 24 h on; nothing later than the time asked for is ever returned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from equipoise.client.artifacts import load_artifact
from equipoise.client.contract import Contract
from equipoise.client.rpc import RpcChain
from equipoise.errors import InputError, MarketDataError, OracleError
from equipoise.marketdata.prices import load_prices, select_prices
from equipoise.units import DAY

__all__ = ["CsvSource", "ExchangeSource", "FeedSource", "PriceSource", "check_fresh"]

_PHASE = 1 << 64  # a proxy's round id holds the phase of its aggregator above 64 bits of the aggregator's own
_BATCH = 100
_CARRY_DAYS = 3  # a feed that is silent for longer has a gap, which no signer signs over
_CANDLES = 300  # the least that exchanges give in one answer
_MILLISECONDS = 1000


class PriceSource(Protocol):
    """Daily closes of the basket."""

    name: str

    def closes(self, until: int) -> pd.DataFrame:
        """Closes known at `until` {unix s}: USD, shape (T, n), columns in the basket's order, days ascending.

        NaN where a market was closed. Raises MarketDataError or OracleError when there are none to be had.
        """
        ...


def check_fresh(closes: pd.DataFrame, until: int, max_age_days: int, max_gap_days: int) -> None:
    """Raises OracleError, naming asset and day, unless each asset has a recent close and no long gap."""
    try:
        select_prices(closes, max_gap_days=max_gap_days)
    except MarketDataError as error:
        raise OracleError(f"the closes cannot be used: {error}") from error
    today = pd.Timestamp(until, unit="s").normalize()
    for name in closes.columns:
        last = pd.Timestamp(closes[name].last_valid_index())  # type: ignore[arg-type]
        age = (today - last).days - 1
        if age > max_age_days:
            raise OracleError(
                f"the last close of {name} is of {last:%Y-%m-%d}, {age} days old at {today:%Y-%m-%d}; at "
                f"most {max_age_days} are signed for: repair the source"
            )


def _known(closes: pd.DataFrame, until: int) -> pd.DataFrame:
    """Rows whose day has ended by `until`."""
    known = closes.loc[: pd.Timestamp(until - DAY, unit="s")]
    if known.empty:
        raise OracleError(f"no close is known at {pd.Timestamp(until, unit='s')}; give earlier days")
    return known


class CsvSource:
    """A file of daily closes, read again whenever it has changed; see `marketdata.prices` for its form."""

    def __init__(self, path: str | Path, assets: Sequence[str]) -> None:
        self.name = f"csv {path}"
        self._path = Path(path)
        self._assets = list(assets)
        self._read: tuple[int, pd.DataFrame] | None = None

    def closes(self, until: int) -> pd.DataFrame:
        try:
            changed = self._path.stat().st_mtime_ns
        except OSError as error:
            raise MarketDataError(
                f"{self._path} cannot be read ({error.strerror}); give a CSV file"
            ) from error
        if self._read is None or self._read[0] != changed:
            self._read = changed, load_prices(self._path, self._assets)
        return _known(self._read[1], until)


class FeedSource:
    """The rounds of Chainlink feeds on chain, walked back once and then remembered.

    Parameters
    ----------
    chain
        Where the feeds live.
    feeds
        Asset to the address of its aggregator or proxy, in the basket's order.
    days
        How far back.

    A phase's first round ends the walk: what an earlier aggregator said is not reached.
    """

    def __init__(self, chain: RpcChain, feeds: Mapping[str, str], days: int = 400) -> None:
        self.name = f"feeds on chain {chain.chain_id}"
        self._chain = chain
        abi = load_artifact("TestAggregator").abi
        self._feeds = {
            asset: Contract(chain, address, abi, f"{asset} feed") for asset, address in feeds.items()
        }
        self._days = days
        self._rounds: dict[str, dict[int, tuple[int, float]]] = {asset: {} for asset in feeds}

    def closes(self, until: int) -> pd.DataFrame:
        columns = {asset: self._daily(asset, until) for asset in self._feeds}
        return _known(pd.DataFrame(columns), until)

    def _daily(self, asset: str, until: int) -> pd.Series:
        """The last answer of each day, carried over a few days on which the feed was silent."""
        rounds = self._known_rounds(asset, until - self._days * DAY)
        times = pd.to_datetime([at for at, _ in rounds], unit="s")
        answers = pd.Series([price for _, price in rounds], index=times).sort_index()
        return answers.resample("D").last().ffill(limit=_CARRY_DAYS)

    def _known_rounds(self, asset: str, since: int) -> list[tuple[int, float]]:
        feed, known = self._feeds[asset], self._rounds[asset]
        unit = 10.0 ** feed.call("decimals")
        latest = feed.call("latestRoundData")
        # the newest may yet be undone by a reorganisation
        for i in [i for i, (made_at, _) in known.items() if made_at > latest.updatedAt - DAY]:
            del known[i]
        first = (latest.roundId & ~(_PHASE - 1)) + 1
        at = latest.roundId
        # what is known is walked over, not taken as the end: an earlier walk may have failed on its way
        while at >= first:
            lowest = max(first, at - _BATCH + 1)
            ids = [i for i in range(at, lowest - 1, -1) if i not in known]
            data = self._chain.call_many([(feed.address, feed.encode("getRoundData", i)) for i in ids])
            for i, answer in zip(ids, data, strict=True):
                made = feed.decode("getRoundData", answer, 1)
                if made.answer <= 0 or made.updatedAt == 0:
                    raise OracleError(
                        f"round {i} of {asset} has answer {made.answer}; wait, or use another source"
                    )
                known[i] = made.updatedAt, made.answer / unit
            if known[lowest][0] < since:
                break
            at = lowest - 1
        return [made for made in known.values() if made[0] >= since]


class ExchangeSource:
    """Daily candles of an exchange, through ccxt.

    Parameters
    ----------
    exchange
        ccxt's name, e.g. "kraken".
    symbols
        Asset to the exchange's pair, e.g. {"BTC": "BTC/USD"}, in the basket's order.
    options
        Passed to ccxt's constructor.
    days
        How many days of history.
    """

    def __init__(
        self,
        exchange: str,
        symbols: Mapping[str, str],
        options: Mapping[str, Any] | None = None,
        days: int = 400,
    ) -> None:
        try:
            import ccxt
        except ImportError as error:
            raise InputError(
                "a source of kind exchange needs ccxt; run: pip install 'equipoise[exchange]'"
            ) from error
        if exchange not in ccxt.exchanges:
            raise InputError(f"ccxt knows no exchange {exchange!r}; see ccxt.exchanges")
        self.name = f"exchange {exchange}"
        self._exchange = getattr(ccxt, exchange)({"enableRateLimit": True, **(options or {})})
        self._failures = ccxt.BaseError
        self._symbols = dict(symbols)
        self._days = days

    def closes(self, until: int) -> pd.DataFrame:
        columns = {asset: self._daily(symbol, until) for asset, symbol in self._symbols.items()}
        return _known(pd.DataFrame(columns).rename_axis("date"), until)

    def _daily(self, symbol: str, until: int) -> pd.Series:
        """Page by page, since most exchanges give a few hundred candles at a time."""
        since, closes = until - self._days * DAY, dict[int, float]()
        while since < until:
            try:
                page = self._exchange.fetch_ohlcv(symbol, "1d", since=since * _MILLISECONDS, limit=_CANDLES)
            except self._failures as error:
                raise OracleError(f"{self.name} gives no candles of {symbol}: {error}") from error
            fresh = {int(candle[0]) // _MILLISECONDS: float(candle[4]) for candle in page}
            if not fresh.keys() - closes.keys():
                break
            closes |= fresh
            since = max(fresh) + DAY
        days = pd.to_datetime(sorted(closes), unit="s").normalize()
        return pd.Series([closes[at] for at in sorted(closes)], index=days, dtype=float)
