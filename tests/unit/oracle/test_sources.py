"""Closes from a file, from feeds and from an exchange: nothing of the future, nothing stale."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
import pytest

from equipoise.client.artifacts import load_artifact
from equipoise.client.chain import RpcError
from equipoise.client.contract import create
from equipoise.client.rpc import RpcChain
from equipoise.errors import InputError, MarketDataError, OracleError
from equipoise.oracle.sources import CsvSource, ExchangeSource, FeedSource, check_fresh
from equipoise.units import DAY

START = pd.Timestamp("2023-01-01")
FIRST = int(START.timestamp())


def table(rows: int = 60) -> pd.DataFrame:
    days = pd.date_range(START, periods=rows, freq="D", name="date")
    return pd.DataFrame({"BTC": np.arange(rows) + 100.0, "ETH": np.arange(rows) + 10.0}, index=days)


def test_csv__until_a_time__ends_with_the_last_day_that_has_ended(tmp_path: Path) -> None:
    table().to_csv(tmp_path / "p.csv")
    source = CsvSource(tmp_path / "p.csv", ["ETH", "BTC"])
    known = source.closes(FIRST + 40 * DAY)
    assert (known.index[-1], list(known.columns)) == (START + pd.Timedelta(days=39), ["ETH", "BTC"])
    assert source.closes(FIRST + 41 * DAY - 1).index[-1] == known.index[-1]
    with pytest.raises(OracleError, match="no close is known"):
        source.closes(FIRST)


def test_csv__that_has_grown__is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    table(40).to_csv(path)
    source = CsvSource(path, ["BTC", "ETH"])
    assert len(source.closes(FIRST + 90 * DAY)) == 40
    table(50).to_csv(path)
    os.utime(path, ns=(1, 1))
    assert len(source.closes(FIRST + 90 * DAY)) == 50
    path.unlink()
    with pytest.raises(MarketDataError, match="cannot be read"):
        source.closes(FIRST + 90 * DAY)


def test_feeds__rounds_of_each_day__give_its_last_answer(node: RpcChain) -> None:
    owner = node.request("eth_accounts")[0]
    feeds = {}
    for asset, price in (("BTC", 100), ("ETH", 10)):
        feed = create(node, load_artifact("TestAggregator"), f"{asset} / USD", 8, owner, sender=owner)
        for day in range(130):
            if day % 10 != 3:  # a silent day repeats the last answer
                feed.send("push", (price + day) * 10**8, FIRST + day * DAY + 3_600, sender=owner)
            feed.send("push", (price + day) * 10**8 + 5, FIRST + day * DAY + 80_000, sender=owner)
        feeds[asset] = feed.address
    source = FeedSource(node, feeds, days=100)
    known = source.closes(FIRST + 130 * DAY)
    assert list(known.columns) == ["BTC", "ETH"]
    assert len(known) == 100
    assert known["BTC"].iloc[-1] == pytest.approx(229 + 5e-8)
    assert known["ETH"].loc["2023-04-01"] == pytest.approx(10 + 90 + 5e-8)
    calls = node.request("eth_blockNumber")
    assert source.closes(FIRST + 130 * DAY).equals(known)
    assert node.request("eth_blockNumber") == calls
    assert source.closes(FIRST + 120 * DAY).index[-1] == pd.Timestamp("2023-04-30")


def test_feeds__with_a_void_round__are_refused(node: RpcChain) -> None:
    owner = node.request("eth_accounts")[0]
    feed = create(node, load_artifact("TestAggregator"), "BTC / USD", 8, owner, sender=owner)
    feed.send("push", 0, FIRST, sender=owner)
    feed.send("push", 10**8, FIRST + DAY, sender=owner)
    with pytest.raises(OracleError, match="of BTC has answer 0"):
        FeedSource(node, {"BTC": feed.address}).closes(FIRST + 2 * DAY)


def test_feeds__a_walk_that_failed__is_walked_again(node: RpcChain, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read before the node went away is no end of history."""
    owner = node.request("eth_accounts")[0]
    feed = create(node, load_artifact("TestAggregator"), "BTC / USD", 8, owner, sender=owner)
    for day in range(150):
        feed.send("push", (100 + day) * 10**8, FIRST + day * DAY, sender=owner)
    source, real, calls = FeedSource(node, {"BTC": feed.address}), node.call_many, []

    def flaky(*args: object) -> list[bytes]:
        calls.append(args)
        if len(calls) == 2:
            raise RpcError("the node is away")
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(node, "call_many", flaky)
    with pytest.raises(RpcError):
        source.closes(FIRST + 150 * DAY)
    assert len(source.closes(FIRST + 150 * DAY)) == 150
    assert len(source.closes(FIRST + 40 * DAY)) == 40


def test_feeds__silent_for_a_week__are_not_signed_over(node: RpcChain) -> None:
    owner = node.request("eth_accounts")[0]
    feed = create(node, load_artifact("TestAggregator"), "BTC / USD", 8, owner, sender=owner)
    for day in (*range(40), *range(47, 80)):
        feed.send("push", (100 + day) * 10**8, FIRST + day * DAY, sender=owner)
    closes = FeedSource(node, {"BTC": feed.address}).closes(FIRST + 80 * DAY)
    with pytest.raises(OracleError, match="2023-02-13"):
        check_fresh(closes, FIRST + 80 * DAY, 2, 5)


class Kraken(BaseHTTPRequestHandler):
    """The two answers of Kraken's public interface that ccxt asks for."""

    down = False

    def do_GET(self) -> None:
        path = urlsplit(self.path)
        if Kraken.down:
            self.send_error(503)
            return
        pair = parse_qs(path.query).get("pair", ["XXBTZUSD"])[0]
        if path.path.endswith("/OHLC"):
            since = int(parse_qs(path.query).get("since", [str(FIRST)])[0])
            first = max(FIRST, since - since % DAY)
            rows = [
                [at, "1", "2", "0.5", str(100 + (at - FIRST) // DAY), "1", "1", 1]
                for at in range(first, min(first + 25 * DAY, FIRST + 60 * DAY), DAY)
            ]
            result: dict = {pair: rows, "last": FIRST + 60 * DAY}
        elif path.path.endswith("/AssetPairs"):
            result = {"XXBTZUSD": PAIR}
        elif path.path.endswith("/Assets"):
            result = {
                name: {"aclass": "currency", "altname": alt, "decimals": 10, "display_decimals": 5}
                for name, alt in (("XXBT", "XBT"), ("ZUSD", "USD"))
            }
        else:
            result = {}
        body = json.dumps({"error": [], "result": result}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


PAIR = {
    "altname": "XBTUSD",
    "wsname": "XBT/USD",
    "aclass_base": "currency",
    "base": "XXBT",
    "aclass_quote": "currency",
    "quote": "ZUSD",
    "lot": "unit",
    "pair_decimals": 1,
    "cost_decimals": 5,
    "lot_decimals": 8,
    "lot_multiplier": 1,
    "leverage_buy": [],
    "leverage_sell": [],
    "fees": [[0, 0.26]],
    "fees_maker": [[0, 0.16]],
    "ordermin": "0.0001",
    "costmin": "0.5",
    "tick_size": "0.1",
    "status": "online",
}


@pytest.fixture
def kraken() -> Iterator[dict]:
    server = HTTPServer(("127.0.0.1", 0), Kraken)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    Kraken.down = False
    url = f"http://127.0.0.1:{server.server_port}"
    urls = {kind: url for kind in ("public", "private", "zendesk")}
    yield {"urls": {"api": urls}, "enableRateLimit": False}
    server.shutdown()


def test_exchange__candles_of_ccxt__without_the_unfinished_one(kraken: dict) -> None:
    """A real ccxt against a local server that speaks Kraken's language."""
    source = ExchangeSource("kraken", {"BTC": "BTC/USD"}, kraken)
    known = source.closes(FIRST + 50 * DAY + 7)
    assert known.index[-1] == START + pd.Timedelta(days=49)
    assert len(known) == 50
    assert known["BTC"].iloc[-1] == 149
    Kraken.down = True
    with pytest.raises(OracleError, match="exchange kraken gives no candles of BTC/USD"):
        source.closes(FIRST + 51 * DAY)


def test_exchange__that_ccxt_does_not_know__is_refused() -> None:
    with pytest.raises(InputError, match="ccxt knows no exchange 'nowhere'"):
        ExchangeSource("nowhere", {"BTC": "BTC/USD"})


def test_check_fresh__old_or_gapped__names_asset_and_day() -> None:
    check_fresh(table(), FIRST + 60 * DAY, 2, 5)
    with pytest.raises(OracleError, match=r"last close of BTC is of 2023-03-01, 4 days old"):
        check_fresh(table(), FIRST + 64 * DAY, 2, 5)
    gapped = table().drop(table().index[20:30])
    with pytest.raises(OracleError, match="2023-01-2"):
        check_fresh(gapped, FIRST + 60 * DAY, 2, 5)
