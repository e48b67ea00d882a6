"""What is written down about a deployment: scripts/deployments/<chain id>.json, whole after every step.

The record is for people, and for `Deployment.load`. What has been done is asked of the chain; the record
tells what was wanted, so that a resumed deployment cannot become another one unnoticed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_utils import to_checksum_address

from equipoise.client.chain import Chain, Receipt
from equipoise.client.config import DeploymentConfig
from equipoise.client.deploy.described import UNHASHED, config_hash, described
from equipoise.client.deploy.plan import Plan
from equipoise.client.deployment import CONTRACTS, GOVERNANCE, deployment_path, write_atomically
from equipoise.errors import InputError

__all__ = ["Record"]


@dataclass
class Record:
    """One deployment's file. `Record.open` finds or begins it; every change is written at once."""

    path: Path
    data: dict[str, Any] = field(repr=False)

    @classmethod
    def open(
        cls,
        chain: Chain,
        deployer: str,
        config: DeploymentConfig,
        plan: Plan,
        *,
        path: str | Path | None = None,
        restart: bool = False,
    ) -> Record:
        """The record of this deployment: the one that was begun, or a new one. Nothing is written yet.

        Parameters
        ----------
        restart
            Leave a record of something else aside, under another name, and begin anew.

        Raises
        ------
        InputError
            The file is of another configuration, deployer, version of the contracts, or chain; the message
            tells what differs. Nothing was changed.
        """
        target = deployment_path(chain.chain_id) if path is None else Path(path)
        fresh = cls(target, _begun(chain, deployer, config, plan))
        found = cls.read(target)
        if found is None:
            return fresh
        differences = found.differences(fresh)
        if not differences:
            return found
        if not restart:
            raise InputError(found.refusal(differences))
        found.set_aside()
        return fresh

    @classmethod
    def read(cls, path: Path) -> Record | None:
        """The record in a file, None where there is none. Raises InputError when it is none of ours."""
        if not path.exists():
            return None
        try:
            data = json.loads(path.read_text())
            if missing := {"config", "config_hash", "deployer", "steps", "complete"} - set(data):
                raise ValueError(f"it lacks {', '.join(sorted(missing))}")
        except (OSError, ValueError, TypeError) as error:
            raise InputError(
                f"{path} is no record of a deployment ({error}); move it away, then run this again"
            ) from error
        return cls(path, data)

    # --- reading

    @property
    def complete(self) -> bool:
        return bool(self.data["complete"])

    @property
    def config(self) -> DeploymentConfig:
        """The configuration with which it was begun."""
        return DeploymentConfig.from_dict(self.data["config"])

    def differences(self, other: Record) -> list[str]:
        """What stands in the way of going on with `other` here, one line each."""
        mine, theirs = self.data, other.data
        changed = [
            f"{key}: {old!r} became {new!r}"
            for key, (old, new) in _changes(mine["config"], theirs["config"]).items()
            if key.partition(".")[0] not in UNHASHED
        ]
        for key in ("deployer", "genesis"):
            if mine.get(key) != theirs[key]:
                changed.append(f"{key}: {mine.get(key)} became {theirs[key]}")
        if not changed and mine["planned"] != theirs["planned"]:
            moved = [
                name for name, address in theirs["planned"].items() if mine["planned"].get(name) != address
            ]
            changed.append(f"the code of {', '.join(moved)}")
        return changed

    def refusal(self, differences: list[str]) -> str:
        state = (
            "a complete deployment"
            if self.complete
            else f"a deployment after {len(self.data['steps'])} steps"
        )
        return (
            f"{self.path} holds {state} that differs in {'; '.join(differences)}. Go on with what it "
            "holds by "
            "--recorded (or the old file, deployer and release), or begin another by --restart, which keeps "
            "this record under another name"
        )

    # --- writing

    def note(self, name: str, receipt: Receipt | None) -> None:
        """A step is done; without a receipt it was found done, by a transaction that nobody noted."""
        steps = [step for step in self.data["steps"] if step["name"] != name]
        known = next((step for step in self.data["steps"] if step["name"] == name), None)
        if receipt is not None:
            known = {"tx": receipt.hash, "block": receipt.block_number, "gas": receipt.gas_used}
        self.data["steps"] = [*steps, {"name": name, **(known or {"tx": None})}]
        self._write()

    def finish(self) -> None:
        """The deployment is complete, and verified to be."""
        self.data["complete"] = True
        self._write()

    def set_aside(self) -> Path:
        """Keep this record under a name of its own."""
        aside = self.path.with_name(f"{self.path.stem}.{self.data['config_hash'][:8]}.json")
        number = 1
        while aside.exists():
            number += 1
            aside = self.path.with_name(f"{self.path.stem}.{self.data['config_hash'][:8]}.{number}.json")
        self.path.rename(aside)
        return aside

    def _write(self) -> None:
        write_atomically(self.path, json.dumps(self.data, indent=2) + "\n")


def _begun(chain: Chain, deployer: str, config: DeploymentConfig, plan: Plan) -> dict[str, Any]:
    """What `Deployment.at` reads, and what a resumption compares."""
    shown, addresses = described(config), plan.addresses
    return {
        "chain_id": chain.chain_id,
        "complete": False,
        "genesis": chain.request("eth_getBlockByNumber", "0x0", False)["hash"],
        "deployer": to_checksum_address(deployer),
        "config_hash": config_hash(shown),
        "symbols": list(config.symbols),
        "pool_fees": [asset.pool_fee for asset in config.assets],
        "budgets": list(config.budgets),
        "contracts": {name: addresses[name] for name in CONTRACTS},
        "tokens": [asset.token for asset in config.assets],
        "cash": config.cash.token,
        "account": addresses.get("account"),
        "governance": {name: addresses[name] for name in GOVERNANCE if name in addresses} or None,
        "planned": addresses,
        "arguments": {name: creation.arguments for name, creation in plan.creations.items()},
        "steps": [],
        "config": shown,
    }


def _changes(old: Any, new: Any, where: str = "") -> dict[str, tuple[Any, Any]]:
    """Dotted keys whose values differ."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        keys = dict.fromkeys([*old, *new])
        nested = [_changes(old.get(k), new.get(k), f"{where}.{k}" if where else str(k)) for k in keys]
        return {key: pair for part in nested for key, pair in part.items()}
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        parts = [_changes(a, b, f"{where}[{i}]") for i, (a, b) in enumerate(zip(old, new, strict=True))]
        return {key: pair for part in parts for key, pair in part.items()}
    return {} if old == new else {where: (old, new)}
