"""Handles to a deployed vault and its satellites, and where they are remembered."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from equipoise.client.artifacts import ROOT, load_artifact
from equipoise.client.chain import Chain
from equipoise.client.contract import Contract
from equipoise.errors import ContractRevert, InputError
from equipoise.units import unpack_word8

__all__ = ["ACCOUNT", "CONTRACTS", "GOVERNANCE", "Deployment", "deployment_path", "write_atomically"]

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
_POOL_FEE = 3_000  # {1e-6} of a token that the saved file does not know
_SAVED = ("symbols", "pool_fees", "budgets", "contracts", "tokens", "cash")


def deployment_path(chain_id: int) -> Path:
    """Where a deployment's addresses are remembered: scripts/deployments/<chain id>.json.

    The environment variable EQUIPOISE_DEPLOYMENTS names another folder.
    """
    folder = os.environ.get("EQUIPOISE_DEPLOYMENTS") or ROOT / "scripts" / "deployments"
    return Path(folder) / f"{chain_id}.json"


def write_atomically(path: Path, text: str) -> None:
    """Whole or not at all, whenever the process or the machine dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with partial.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


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
            "governance": {name: at.address for name in GOVERNANCE if (at := getattr(self, name))} or None,
        }

    def save(self, path: str | Path | None = None) -> Path:
        target = deployment_path(self.chain.chain_id) if path is None else Path(path)
        write_atomically(target, json.dumps(self.to_json(), indent=2) + "\n")
        return target

    @classmethod
    def load(cls, chain: Chain, path: str | Path | None = None) -> Deployment:
        """The deployment remembered for this chain, or in `path`.

        Raises InputError when the file is missing, unreadable, of an unfinished deployment, or was written
        for another chain.
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
        if not data.get("complete", True):
            raise InputError(
                f"the deployment in {source} is unfinished ({len(data.get('steps', ()))} steps are "
                "noted): resume it "
                "by the same `ape run deploy` command"
            )
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
        account, governance = data.get("account"), data.get("governance") or {}
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
            **{
                attribute: Contract(
                    chain, address, load_artifact(GOVERNANCE[attribute]).abi, GOVERNANCE[attribute]
                )
                for attribute, address in governance.items()
            },
        )


def _basket(
    vault: Contract, oracle: Contract, data: Mapping[str, Any]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[int, ...], tuple[float, ...]]:
    """Tokens, symbols, pool fees, budgets: the chain's basket, named by the saved file where it knows it."""
    tokens = tuple(vault.call("holdings").tokens[:-1])
    saved = {
        token.lower(): (symbol, fee)
        for token, symbol, fee in zip(data["tokens"], data["symbols"], data["pool_fees"], strict=True)
    }
    known: dict[str, tuple[str, int]] = {}
    for token in tokens:
        symbol, fee = saved.get(token.lower()) or (
            _symbol(Contract(vault.chain, token, vault.abi)),
            _POOL_FEE,
        )
        # two tokens may bear one name
        known[symbol if symbol not in known else f"{symbol} {token}"] = symbol, fee
    budgets = tuple(data["budgets"])
    if [token.lower() for token in tokens] != [token.lower() for token in data["tokens"]]:
        budgets = tuple(unpack_word8(oracle.call("budgets"), len(oracle.call("assets"))).tolist())
    return tokens, tuple(known), tuple(fee for _, fee in known.values()), budgets


def _symbol(token: Contract) -> str:
    """The token's, or its address where it tells none as a string: MKR's is a bytes32, others revert."""
    try:
        return str(token.call("symbol"))
    except (ContractRevert, InputError):
        return token.address
