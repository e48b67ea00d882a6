"""Tokens, feeds and pools of a configuration, each read once."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.client.artifacts import load_artifact, load_npm_artifact
from equipoise.client.chain import Chain, RevertedCall, RpcError
from equipoise.client.config import AssetConfig, DeploymentConfig
from equipoise.client.contract import Contract
from equipoise.client.preflight.findings import Findings
from equipoise.errors import ContractRevert, InputError

__all__ = ["UNREADABLE", "Listing", "check_codes", "check_feed", "check_pool", "check_router", "read_token"]

UNREADABLE = (ContractRevert, RevertedCall, InputError)
"""What a call raises that meets something else than was expected."""

_QUOTER = "@uniswap/v3-periphery/artifacts/contracts/lens/QuoterV2.sol/QuoterV2"
_ROUTER = "@uniswap/v3-periphery/artifacts/contracts/SwapRouter.sol/SwapRouter"
_QUOTER_AT = "0x00000000000000000000000000000000e9010717"
_NOBODY = "0x" + "0" * 40
_EXACT_INPUT = bytes.fromhex(
    "414bf389"
)  # exactInputSingle with a deadline: the first SwapRouter alone has it
_WARN_DEVIATION = 0.02
_X96 = 2**96


@dataclass(frozen=True)
class Listing:
    """A token with the decimals and the price {USD} that the chain gives; None where it gives none."""

    asset: AssetConfig
    decimals: int | None
    price: float | None


def check_codes(chain: Chain, config: DeploymentConfig, findings: Findings) -> None:
    """Contracts stand where the configuration says so."""
    named = {
        "uniswap_factory": config.uniswap_factory,
        "swap_router": config.swap_router,
        "weth": config.weth,
        "aave_pool": config.aave_pool,
        "chain.sequencer_feed": config.chain.sequencer_feed,
    }
    for asset in (config.cash, *config.assets):
        named |= {f"{asset.symbol}.token": asset.token, f"{asset.symbol}.feed": asset.feed}
    for subject, address in named.items():
        if address and not chain.code(address):
            findings.error(
                subject, f"no contract at {address} on chain {chain.chain_id}: correct the address"
            )
    for kind in ("token", "feed"):
        users: dict[str, list[str]] = {}
        for asset in (config.cash, *config.assets):
            users.setdefault(getattr(asset, kind), []).append(asset.symbol)
        for address, symbols in users.items():
            if len(symbols) > 1:
                findings.error(
                    f"{symbols[0]}.{kind}", f"{address} is that of {' and '.join(symbols[1:])} too"
                )


def read_token(
    chain: Chain, asset: AssetConfig, findings: Findings, decimals: int | None = None
) -> int | None:
    """Decimals of the token, which must be those of the configuration if it tells any."""
    token = Contract(chain, asset.token, load_artifact("RiskParityVault").abi, asset.symbol)
    try:
        found = int(token.call("decimals"))
    except UNREADABLE as error:
        if chain.code(asset.token):
            findings.error(f"{asset.symbol}.token", f"{asset.token} is no ERC-20 with decimals ({error})")
        return None
    if decimals is not None and found != decimals:
        findings.error("cash_decimals", f"{decimals} in the configuration, {found} on the chain: correct it")
    if found > 18:
        findings.error(
            f"{asset.symbol}.token", f"{found} decimals; the contracts take up to 18: list another"
        )
    return found


def check_feed(chain: Chain, asset: AssetConfig, now: int, findings: Findings) -> float | None:
    """The feed's price {USD}, judged as the contract would at `now` {s}."""
    subject = f"{asset.symbol}.feed"
    feed = Contract(chain, asset.feed, load_artifact("IAggregatorV3").abi, subject)
    try:
        decimals, round_ = int(feed.call("decimals")), feed.call("latestRoundData")
    except UNREADABLE as error:
        if chain.code(asset.feed):
            findings.error(subject, f"{asset.feed} does not answer as a Chainlink feed ({error})")
        return None
    if round_[1] <= 0:
        findings.error(subject, f"answers {round_[1]}, no price: wait for a round, or name another feed")
        return None
    price, age = round_[1] / 10**decimals, now - round_[3]
    if age > asset.heartbeat:
        findings.error(
            subject, f"its answer is {age} s old, over the heartbeat of {asset.heartbeat}: is it dead?"
        )
    if age < 0:
        findings.error(subject, f"its answer is of {-age} s from now: the node's clock or the feed is wrong")
    if not asset.min_price <= price <= asset.max_price:
        bounds = f"[{asset.min_price:g}, {asset.max_price:g}]"
        findings.error(subject, f"answers {price:g} USD, outside {bounds}: correct the bounds or the feed")
    return price


def check_router(chain: Chain, config: DeploymentConfig, findings: Findings) -> None:
    """The router is Uniswap's first, of this factory."""
    if config.swap_router is None or not chain.code(config.swap_router):
        return
    router = Contract(chain, config.swap_router, load_npm_artifact(_ROUTER).abi, "swap_router")
    if _EXACT_INPUT not in chain.code(config.swap_router):
        findings.error(
            "swap_router",
            f"{config.swap_router} lacks exactInputSingle with a deadline (SwapRouter02?): name the first "
            "SwapRouter, or leave it out and give `weth`, then one is deployed",
        )
        return
    try:
        factory = router.call("factory")
    except UNREADABLE as error:
        findings.warning("swap_router", f"{config.swap_router} does not tell its factory ({error})")
        return
    if factory != config.uniswap_factory:
        findings.error(
            "swap_router", f"{config.swap_router} is of the factory {factory}, not {config.uniswap_factory}"
        )


def check_pool(
    chain: Chain, config: DeploymentConfig, cash: Listing, listing: Listing, findings: Findings
) -> None:
    """The asset's pool against cash exists, remembers enough, agrees with the feed and is deep enough."""
    asset, checks = listing.asset, config.checks
    subject = f"{asset.symbol}.pool_fee"
    factory = Contract(
        chain, config.uniswap_factory, load_artifact("IUniswapV3Factory").abi, "uniswap_factory"
    )
    try:
        address = factory.call("getPool", asset.token, cash.asset.token, asset.pool_fee)
    except UNREADABLE as error:
        if chain.code(config.uniswap_factory):
            findings.error("uniswap_factory", f"{config.uniswap_factory} is no Uniswap V3 factory ({error})")
        return
    if address == _NOBODY:
        level = findings.error if checks.require_pools or asset.twap_window else findings.warning
        level(
            subject,
            f"no Uniswap V3 pool against {cash.asset.symbol} with a fee of "
            f"{asset.pool_fee / 1e6:.2%}: correct it "
            "or make one (without, only bidders with tokens of their own can fill)",
        )
        return
    pool = Contract(chain, address, load_artifact("IUniswapV3Pool").abi, f"{asset.symbol} pool")
    try:
        slot = pool.call("slot0")
    except UNREADABLE as error:
        findings.error(subject, f"the pool {address} cannot be read ({error})")
        return
    if asset.twap_window:
        _check_memory(config, asset, slot.observationCardinality, findings)
    if slot.sqrtPriceX96 == 0:
        findings.error(subject, f"the pool {address} has no price: it was never initialised")
        return
    if None in (listing.decimals, listing.price, cash.decimals, cash.price):
        return  # that much is told elsewhere
    _check_deviation(config, cash, listing, slot.sqrtPriceX96, findings)
    _check_depth(chain, config, cash, listing, findings)


def _check_memory(config: DeploymentConfig, asset: AssetConfig, cardinality: int, findings: Findings) -> None:
    need = asset.twap_window // config.chain.block_time + 1
    if cardinality < need:
        findings.error(
            f"{asset.symbol}.twap_window",
            f"the pool remembers {cardinality} observations, {need} are needed for "
            f"{asset.twap_window} s: call its "
            f"increaseObservationCardinalityNext({need}), and wait for a trade",
        )


def _check_deviation(
    config: DeploymentConfig, cash: Listing, listing: Listing, sqrt_x96: int, findings: Findings
) -> None:
    assert listing.price and cash.price and listing.decimals is not None and cash.decimals is not None  # noqa: PT018
    raw = (sqrt_x96 / _X96) ** 2  # token1 per token0, smallest units
    is_token0 = int(listing.asset.token, 16) < int(cash.asset.token, 16)
    in_cash = (raw if is_token0 else 1 / raw) * 10.0 ** (listing.decimals - cash.decimals)
    deviation = in_cash * cash.price / listing.price - 1
    words = (
        f"the pool's price is {in_cash * cash.price:g} USD, the feed's {listing.price:g} "
        f"({deviation:+.1%}): is it the "
        "right feed and the right pool?"
    )
    limit = min(config.checks.max_deviation, listing.asset.twap_band if listing.asset.twap_window else 1e9)
    if abs(deviation) > limit:
        findings.error(f"{listing.asset.symbol}.feed", f"{words} At most {limit:.0%} pass")
    elif abs(deviation) > _WARN_DEVIATION:
        findings.warning(f"{listing.asset.symbol}.feed", words)


def _check_depth(
    chain: Chain, config: DeploymentConfig, cash: Listing, listing: Listing, findings: Findings
) -> None:
    """What buying for a part of the deposit cap costs, against a hundredth of it."""
    assert cash.decimals is not None
    subject, checks = f"{listing.asset.symbol}.pool_fee", config.checks
    amount = round(config.deposit_cap * checks.trade_fraction * 10**cash.decimals)
    try:
        small, large = (_bought(chain, config, cash, listing.asset, part) for part in (amount // 100, amount))
    except (RpcError, *UNREADABLE) as error:
        findings.warning(
            subject, f"a trade of {amount / 10**cash.decimals:,.0f} could not be quoted ({error})"
        )
        return
    slippage = 1 - large / (100 * small) if small else 1.0
    if slippage > checks.max_slippage:
        findings.error(
            subject,
            f"buying for {amount / 10**cash.decimals:,.0f} {cash.asset.symbol} "
            f"({checks.trade_fraction:.2%} of the deposit "
            f"cap) costs {slippage:.2%}, more than {checks.max_slippage:.2%}: choose a deeper pool or "
            "a lower cap",
        )


def _bought(chain: Chain, config: DeploymentConfig, cash: Listing, asset: AssetConfig, amount: int) -> int:
    """Uniswap's own quoter answers, put there for the length of one call: it need not be deployed."""
    artifact = load_npm_artifact(_QUOTER)
    creation = artifact.encode_deploy(config.uniswap_factory, config.weth or _NOBODY)
    runtime = chain.request("eth_call", {"data": "0x" + creation.hex()}, "latest")
    function = artifact.interface.function("quoteExactInputSingle", 1)
    data = function.encode((cash.asset.token, asset.token, amount, asset.pool_fee, 0))
    call = {"to": _QUOTER_AT, "data": "0x" + data.hex()}
    answer = chain.request("eth_call", call, "latest", {_QUOTER_AT: {"code": runtime}})
    return int(function.decode(bytes.fromhex(answer[2:])).amountOut)
