"""Sources at a block explorer: with ape-etherscan, without it, and when it fails."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from equipoise.client.explorer import publish

ADDRESSES = {"vault": "0x" + "11" * 20, "lens": "0x" + "22" * 20, "router": "0x" + "33" * 20}
ARGUMENTS = {"vault": "aabb", "lens": "", "router": "cc"}


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Any:
    """An ape provider with an explorer; ape's managers know every contract."""
    managers = SimpleNamespace(
        chain_manager=SimpleNamespace(contracts={}),
        local_project=SimpleNamespace(contracts=_Anything()),
    )
    monkeypatch.setattr("ape.utils.ManagerAccessMixin", managers)
    return SimpleNamespace(
        network=SimpleNamespace(name="sepolia", explorer=SimpleNamespace(_client_factory="key"))
    )


class _Anything:
    def __getitem__(self, name: str) -> Any:
        return SimpleNamespace(contract_type=name)


def install(monkeypatch: pytest.MonkeyPatch, seen: list[tuple[str, str]], fails: str = "") -> None:
    """A stand-in for ape-etherscan, whose own way to the arguments would be wrong."""

    class SourceVerifier:
        def __init__(self, address: str, client_factory: str, project: Any = None) -> None:
            assert client_factory == "key"
            self.address = address

        @property
        def arguments(self) -> str:
            return str(vars(self)["constructor_arguments"])

        def attempt_verification(self) -> None:
            if self.address == fails:
                raise RuntimeError("rate limit")
            seen.append((self.address, self.arguments))

    verify = ModuleType("ape_etherscan.verify")
    verify.SourceVerifier = SourceVerifier  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ape_etherscan", ModuleType("ape_etherscan"))
    monkeypatch.setitem(sys.modules, "ape_etherscan.verify", verify)


def test_publish__no_plugin__says_how_to_get_it(provider: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ape_etherscan.verify", None)
    assert "`ape plugins install etherscan`" in publish(provider, ADDRESSES, ARGUMENTS)


def test_publish__no_explorer__says_so(provider: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, [])
    provider.network.explorer = None
    assert "no explorer is known for sepolia" in publish(provider, ADDRESSES, ARGUMENTS)


def test_publish__plugin_there__each_of_ours_with_its_arguments(
    provider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str]] = []
    install(monkeypatch, seen)
    assert publish(provider, ADDRESSES, ARGUMENTS) == "the sources are verified at the explorer"
    assert sorted(seen) == [(ADDRESSES["vault"], "aabb"), (ADDRESSES["lens"], "")]


def test_publish__one_fails__the_others_are_verified_and_it_is_named(
    provider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str]] = []
    install(monkeypatch, seen, fails=ADDRESSES["vault"])
    said = publish(provider, ADDRESSES, ARGUMENTS)
    assert said.startswith("not verified at the explorer: RiskParityVault (rate limit)")
    assert [address for address, _ in seen] == [ADDRESSES["lens"]]
