"""A configuration as a record keeps it, and what tells it from every other one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from eth_utils import is_address

from equipoise.client.config import DeploymentConfig

__all__ = ["UNHASHED", "config_hash", "described"]

UNHASHED = ("checks",)  # how strictly one looks changes nothing that is deployed


def described(config: DeploymentConfig) -> dict[str, Any]:
    """The configuration as JSON has it; `DeploymentConfig.from_dict` reads it."""
    return dict(json.loads(json.dumps(asdict(config))))


def config_hash(config: Mapping[str, Any]) -> str:
    """Of everything in a described configuration that is deployed, however it is written."""
    kept = _canonical({key: value for key, value in config.items() if key not in UNHASHED})
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def _canonical(value: Any) -> Any:
    """1000000.0 is 1000000, and an address is the same without its checksum."""
    if isinstance(value, Mapping):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value.lower() if isinstance(value, str) and is_address(value) else value
