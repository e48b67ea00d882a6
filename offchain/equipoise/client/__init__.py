"""Typed, fast access to contracts over one JSON-RPC connection: scripts, tests and bots share it."""

from equipoise.client.artifacts import Artifact, load_artifact, load_npm_artifact
from equipoise.client.chain import Chain, Receipt, RevertedCall, RpcError
from equipoise.client.contract import Contract, create
from equipoise.client.rpc import RpcChain

__all__ = [
    "Artifact",
    "Chain",
    "Contract",
    "Receipt",
    "RevertedCall",
    "RpcChain",
    "RpcError",
    "create",
    "load_artifact",
    "load_npm_artifact",
]
