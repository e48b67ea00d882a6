"""Deploys Equipoise on any chain, and finds it again. The demo and a testnet use this same code."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from equipoise.client.artifacts import ROOT, load_artifact, load_npm_artifact
from equipoise.client.chain import Chain
from equipoise.client.config import DeploymentConfig
from equipoise.client.contract import Contract, create
from equipoise.errors import InputError
from equipoise.units import to_token, unpack_word8

__all__ = ["CONTRACTS", "Deployment", "deploy", "deployment_path"]

# attribute -> contract, in the order of deployment
CONTRACTS = {
    "price_oracle": "PriceOracle",
    "realized_volatility": "RealizedVolatility",
    "volatility_oracle": "VolatilityOracle",
    "guard": "RiskGuard",
    "vault": "RiskParityVault",
    "auction": "RebalanceAuction",
    "filler": "UniswapV3Filler",
    "zap": "ExitZap",
    "lens": "VaultLens",
}
ACCOUNT = "AaveV3Account"
GOVERNANCE = {"votes": "VaultVotes", "timelock": "RiskTimelock", "governor": "ParityGovernor"}
_FACTORY = "@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory"
_NOBODY = "0x" + "0" * 40
_POOL_FEE = 3_000  # {1e-6} of a token that the saved file does not know
_SAVED = ("symbols", "pool_fees", "budgets", "contracts", "tokens", "cash")
Progress = Callable[[str], None]


def deployment_path(chain_id: int) -> Path:
    """Where a deployment's addresses are remembered: scripts/deployments/<chain id>.json.

    The environment variable EQUIPOISE_DEPLOYMENTS names another folder.
    """
    folder = os.environ.get("EQUIPOISE_DEPLOYMENTS") or ROOT / "scripts" / "deployments"
    return Path(folder) / f"{chain_id}.json"


@dataclass(frozen=True)
class Deployment:
    """Handles to one deployed vault and its satellites.

    `symbols`, `pool_fees` and `tokens` are in the vault's order, as it was when they were read: the oracle's
    assets, then tokens being retired. `budgets` are the oracle's; `cash` is the deposit token; `account` is
    where the basket is collateral, None without leverage. `votes`, `timelock` and `governor` are None where
    the owner is a plain account.
    """

    chain: Chain
    symbols: tuple[str, ...]
    pool_fees: tuple[int, ...]
    budgets: tuple[float, ...]
    price_oracle: Contract
    realized_volatility: Contract
    volatility_oracle: Contract
    guard: Contract
    vault: Contract
    auction: Contract
    filler: Contract
    zap: Contract
    lens: Contract
    tokens: tuple[Contract, ...]
    cash: Contract
    account: Contract | None = None
    votes: Contract | None = None
    timelock: Contract | None = None
    governor: Contract | None = None

    @property
    def n(self) -> int:
        return len(self.symbols)

    @property
    def addresses(self) -> dict[str, str]:
        return {attribute: getattr(self, attribute).address for attribute in CONTRACTS}

    def refreshed(self) -> Deployment:
        """The same with the basket as it is now."""
        return type(self).at(self.chain, self.to_json())

    def dashboard(self) -> Any:
        """IVaultLens.Dashboard: the whole state in one call."""
        return self.lens.call("dashboard", self.auction.address)

    def to_json(self) -> dict[str, Any]:
        return {
            "chain_id": self.chain.chain_id,
            "symbols": list(self.symbols),
            "pool_fees": list(self.pool_fees),
            "budgets": list(self.budgets),
            "contracts": self.addresses,
            "tokens": [token.address for token in self.tokens],
            "cash": self.cash.address,
            "account": self.account.address if self.account else None,
            "governance": {
                attribute: contract.address
                for attribute in GOVERNANCE
                if (contract := getattr(self, attribute)) is not None
            },
        }

    def save(self, path: str | Path | None = None) -> Path:
        target = deployment_path(self.chain.chain_id) if path is None else Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(self.to_json(), indent=2) + "\n")
        return target

    @classmethod
    def load(cls, chain: Chain, path: str | Path | None = None) -> Deployment:
        """The deployment remembered for this chain, or in `path`.

        Raises InputError when the file is missing, unreadable, or was written for another chain.
        """
        source = deployment_path(chain.chain_id) if path is None else Path(path)
        if not source.exists():
            raise InputError(f"no deployment at {source}; run `ape run deploy` on this network first")
        try:
            data = json.loads(source.read_text())
            if missing := {"chain_id", *_SAVED} - set(data) | set(CONTRACTS) - set(data.get("contracts", ())):
                raise ValueError(f"it lacks {', '.join(sorted(missing))}")
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise InputError(f"{source} is no deployment ({error}); run `ape run deploy` again") from error
        if data["chain_id"] != chain.chain_id:
            raise InputError(f"{source} is for chain {data['chain_id']}, this is chain {chain.chain_id}")
        return cls.at(chain, data)

    @classmethod
    def at(cls, chain: Chain, data: Mapping[str, Any]) -> Deployment:
        for attribute, address in data["contracts"].items():
            if not chain.code(address):
                raise InputError(
                    f"no code at {address} ({attribute}) on chain {chain.chain_id}: deploy there first"
                )
        handles = {
            attribute: Contract(chain, data["contracts"][attribute], load_artifact(name).abi, name)
            for attribute, name in CONTRACTS.items()
        }
        handles |= {
            attribute: Contract(
                chain, address, load_artifact(GOVERNANCE[attribute]).abi, GOVERNANCE[attribute]
            )
            for attribute, address in data.get("governance", {}).items()
        }
        account = data.get("account")
        tokens, symbols, fees, budgets = _basket(handles["vault"], handles["volatility_oracle"], data)
        erc20 = handles["vault"].abi  # a share is an ERC-20 itself, so the tokens speak its ABI
        return cls(
            chain=chain,
            symbols=symbols,
            pool_fees=fees,
            budgets=budgets,
            tokens=tuple(Contract(chain, token, erc20) for token in tokens),
            cash=Contract(chain, data["cash"], erc20),
            account=Contract(chain, account, load_artifact(ACCOUNT).abi, ACCOUNT) if account else None,
            **handles,
        )


def _basket(
    vault: Contract, oracle: Contract, data: Mapping[str, Any]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[int, ...], tuple[float, ...]]:
    """Tokens, symbols, pool fees and budgets: the chain's basket, named by the saved file where it knows it."""
    tokens = tuple(vault.call("holdings").tokens[:-1])
    saved = {
        token.lower(): (symbol, fee)
        for token, symbol, fee in zip(data["tokens"], data["symbols"], data["pool_fees"], strict=True)
    }
    known: dict[str, tuple[str, int]] = {}
    for token in tokens:
        symbol, fee = saved.get(token.lower()) or (
            str(Contract(vault.chain, token, vault.abi).call("symbol")),
            _POOL_FEE,
        )
        # two tokens may bear one name
        known[symbol if symbol not in known else f"{symbol} {token}"] = symbol, fee
    budgets = tuple(data["budgets"])
    if [token.lower() for token in tokens] != [token.lower() for token in data["tokens"]]:
        budgets = tuple(unpack_word8(oracle.call("budgets"), len(oracle.call("assets"))).tolist())
    return tokens, tuple(known), tuple(fee for _, fee in known.values()), budgets


def deploy(
    chain: Chain, deployer: str, config: DeploymentConfig, progress: Progress = lambda _: None
) -> Deployment:
    """Deploy and wire everything, then hand it to `config.owner`.

    Ownership moves in two steps (OpenZeppelin Ownable2Step): when the owner is another account than the
    deployer, it still has to call `acceptOwnership` on each owned contract.
    """
    cash = config.cash.token
    basket = [asset.token for asset in config.assets]
    addresses: dict[str, str] = {}

    def make(attribute: str, *args: Any) -> Contract:
        progress(f"deploy {CONTRACTS[attribute]}")
        contract = create(chain, load_artifact(CONTRACTS[attribute]), *args, sender=deployer)
        addresses[attribute] = contract.address
        return contract

    listings = [config.cash.listing(), *(asset.listing() for asset in config.assets)]
    prices = make("price_oracle", deployer, config.chain.params(), listings)
    realized = make("realized_volatility", deployer, prices.address, basket, config.realized.params())
    oracle = make(
        "volatility_oracle",
        deployer,
        config.guardian,
        realized.address,
        basket,
        config.budgets_word,
        list(config.oracle.signers),
        config.oracle.threshold,
        config.oracle.params(),
    )
    guard = make("guard", deployer, config.guardian, oracle.address, config.guard.params())
    account = None
    if config.levered:
        progress(f"deploy {ACCOUNT}")
        artifact = load_artifact(ACCOUNT)
        account = create(chain, artifact, config.aave_pool, cash, basket, sender=deployer).address
    vault = make(
        "vault",
        config.name,
        config.symbol,
        deployer,
        cash,
        basket,
        prices.address,
        guard.address,
        account or _NOBODY,
    )
    auction = make("auction", deployer, vault.address, oracle.address, config.auction.params())
    make("filler", config.uniswap_factory, auction.address)
    make("zap", vault.address, config.swap_router, config.aave_pool or _NOBODY)
    make("lens")

    progress("wire")
    realized.send("setVolatilityOracle", oracle.address, sender=deployer)
    _check_by_pools(chain, deployer, config, prices)
    vault.send("setAuction", auction.address, sender=deployer)
    vault.send("setFees", config.fees.params(), config.fee_recipient, sender=deployer)
    vault.send("setDepositCap", to_token(config.deposit_cap, config.cash_decimals), sender=deployer)
    if config.owner.lower() != deployer.lower():
        progress("hand over")
        for owned in (prices, realized, oracle, guard, vault, auction):
            owned.send("transferOwnership", config.owner, sender=deployer)

    return Deployment.at(
        chain,
        {
            "contracts": addresses,
            "symbols": config.symbols,
            "pool_fees": [asset.pool_fee for asset in config.assets],
            "budgets": config.budgets,
            "tokens": basket,
            "cash": cash,
            "account": account,
        },
    )


def _check_by_pools(chain: Chain, deployer: str, config: DeploymentConfig, prices: Contract) -> None:
    """Have the feeds that ask for it checked by their pools' mean prices."""
    checked = [asset for asset in config.assets if asset.twap_window]
    if not checked:
        return
    factory = Contract(chain, config.uniswap_factory, load_npm_artifact(_FACTORY).abi, "UniswapV3Factory")
    for asset in checked:
        pool = factory.call("getPool", asset.token, config.cash.token, asset.pool_fee)
        if int(pool, 16) == 0:
            raise InputError(
                f"{asset.symbol} has no Uniswap V3 pool against cash with a fee of {asset.pool_fee}; correct "
                "pool_fee, or set twap_window to 0"
            )
        prices.send("setTwap", asset.token, asset.twap(pool), sender=deployer)
