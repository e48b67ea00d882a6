"""What users, keepers and relayers pay at n = 8, in gas of whole transactions; contract sizes in bytes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from equipoise.client.artifacts import ROOT
from equipoise.client.contract import Contract
from equipoise.oracle.payload import CorrelationReport
from equipoise.oracle.publisher import Publisher
from equipoise.units import pack_budgets, pack_correlations
from tests.fixtures.market import Market
from tests.fixtures.system import MAX, artifact_contract

__all__ = ["CONTRACTS", "LIMITS", "gas_of_everything", "sizes"]

CONTRACTS = (
    "VolatilityOracle",
    "PriceOracle",
    "RealizedVolatility",
    "RiskGuard",
    "RiskParityVault",
    "RebalanceAuction",
    "AaveV3Account",
    "UniswapV3Filler",
    "ExitZap",
    "VaultLens",
    "VaultVotes",
    "RiskTimelock",
    "ParityGovernor",
)
# Of the issues, but that a report reads one slot more than its 75,000 foresaw, for the basket may change.
# Deposits and redemptions without their reads of price feeds, which stand beside them.
LIMITS = {
    "first deposit of a user": 130_000,
    "later deposit": 110_000,
    "cash redeem": 110_000,
    "volatility report, 3 of 5": 82_000,
    "correlation report with certificate": 220_000,
    "certificate alone": 10_000,
    "full target read": 35_000,
    "fill through the filler": 420_000,
}
INTRINSIC = 21_000
COLD_ACCOUNT = 2_600


def sizes() -> dict[str, int]:
    """Deployed code of every contract of the product {bytes}."""
    types = json.loads((ROOT / ".build" / "__local__.json").read_text())["contractTypes"]
    return {
        name: len(types[name]["runtimeBytecode"]["bytecode"].removeprefix("0x")) // 2 for name in CONTRACTS
    }


def gas_of_everything(m: Market) -> dict[str, dict[str, int]]:
    """Name to gas: `total` of the transaction, and `price_reads`, the part inside the price oracle."""
    found: dict[str, dict[str, int]] = {}
    found["very first deposit, into an empty vault"] = send(
        m, m.vault, "deposit", 10**11, m.alice, by=m.alice
    )
    m.warp(60)
    m.refresh_prices()
    m.rebalance(0.999)
    m.refresh_prices()
    found["first deposit of a user"] = send(m, m.vault, "deposit", 10**9, m.bob, by=m.bob)
    found["later deposit"] = send(m, m.vault, "deposit", 10**9, m.bob, by=m.bob)
    found["cash redeem"] = send(m, m.vault, "redeem", 10**20, m.bob, m.bob, by=m.bob)
    found["exit in kind"] = send(m, m.vault, "redeemInKind", 10**20, m.bob, m.bob, [], by=m.bob)
    found.update(reports(m))
    found["certificate alone"] = total(certificate(m))
    found["full target read"] = total(view(m, m.auction, "targetExposures"))
    found.update(auction(m))
    return found


def total(gas: int) -> dict[str, int]:
    return {"total": gas, "price_reads": 0}


def send(m: Market, contract: Contract, function: str, *args: Any, by: str) -> dict[str, int]:
    trace = trace_of(m, contract, function, *args, by=by)
    reads = price_reads(trace, m.price_oracle.address.lower())
    return {"total": contract.send(function, *args, sender=by).gas_used, "price_reads": reads}


def trace_of(m: Market, contract: Contract, function: str, *args: Any, by: str) -> dict[str, Any]:
    """The same call on the same state, cold: anvil keeps no history here to trace a mined one."""
    data = "0x" + contract.encode(function, *args).hex()
    call = {"from": by, "to": contract.address, "data": data, "gas": hex(10_000_000)}
    return dict(m.chain.request("debug_traceCall", call, "latest", {"tracer": "callTracer"}))


def price_reads(call: dict[str, Any], oracle: str) -> int:
    """Gas of the calls to the price oracle, the first access to its account included."""
    if call.get("to", "").lower() == oracle:
        return int(call["gasUsed"], 16) + COLD_ACCOUNT
    return sum(price_reads(inner, oracle) for inner in call.get("calls", []))


def view(m: Market, contract: Contract, function: str, *args: Any) -> int:
    """Execution alone, on cold state."""
    data = contract.encode(function, *args)
    intrinsic = INTRINSIC + sum(16 if byte else 4 for byte in data)
    return int(trace_of(m, contract, function, *args, by=m.alice)["gasUsed"], 16) - intrinsic


def certificate(m: Market) -> int:
    harness = artifact_contract(m.chain, "MathHarness", sender=m.owner)
    words, budgets = pack_correlations(m.correlation), pack_budgets([1 / 8] * 8)
    coordinates = m.volatility_oracle.call("riskData").coordinates
    return int(harness.call("certificateGas", coordinates, words, budgets, 8))


def reports(m: Market) -> dict[str, dict[str, int]]:
    """Steady state: reports have been posted before; only three of the five signers take part."""
    publisher = Publisher(m.volatility_oracle, m.keeper)
    m.warp(3_600)
    at, three = m.now(), m.signers[:3]
    noisy = [[v * (1 + 0.01 * k) for v in m.vols] for k in range(3)]
    signed = [s.sign_volatilities(vols, at) for s, vols in zip(three, noisy, strict=True)]
    volatility = publisher.post_volatilities(signed)
    matrix = np.clip(m.correlation * 0.99, -1, 1)
    np.fill_diagonal(matrix, 1)
    report = CorrelationReport.of(matrix, m.now())
    correlation = publisher.post_correlations(report, [s.cosign_correlations(report, matrix) for s in three])
    return {
        "volatility report, 3 of 5": total(volatility.gas_used),
        "correlation report with certificate": total(correlation.gas_used),
    }


def auction(m: Market) -> dict[str, dict[str, int]]:
    found = {}
    m.refresh_prices()
    m.deposit(m.alice, 100_000)
    found["open"] = send(m, m.auction, "open", by=m.keeper)
    m.to_curve(0.9955)
    eth = m.tokens[1]
    bid = (m.auction.call("current").id, eth, 10**8)
    found["bid"] = send(m, m.auction, "bid", bid[0], m.cash, eth, bid[2], MAX, m.keeper, by=m.keeper)
    order = m.fill_order(m.cash, eth, 10**9)
    m.filler.send("fill", order, sender=m.keeper)
    order = m.fill_order(m.cash, eth, 10**8)
    found["fill through the filler"] = send(m, m.filler, "fill", order, by=m.keeper)
    return found
