"""For `ape console` on any network: the deployed vault and what is around it, as ape contracts.

>>> from scripts.console import vault, oracle, lens, usdc, alice

`oracle` is the volatility oracle. `votes`, `timelock` and `governor` are None where a plain account owns the
vault, `lending` where it does not borrow. `status()` prints the screen of `ape run status`.
"""

from ape import Contract, accounts, networks, project

from equipoise.client.ape import ApeChain
from equipoise.client.deployment import CONTRACTS, Deployment

__all__ = [
    "alice",
    "auction",
    "dashboard",
    "deployment",
    "filler",
    "governor",
    "guard",
    "lending",
    "lens",
    "oracle",
    "price_oracle",
    "realized_volatility",
    "status",
    "timelock",
    "tokens",
    "usdc",
    "vault",
    "volatility_oracle",
    "votes",
    "zap",
]

_LOCAL = 31337
if networks.active_provider is None:
    raise RuntimeError("no network: start `ape console --network ecosystem:network:provider` first")
deployment = Deployment.load(ApeChain(networks.active_provider))
_at = {name: getattr(deployment, name) for name in CONTRACTS}
_at |= {name: getattr(deployment, name) for name in ("votes", "timelock", "governor", "account")}
_at = {
    name: project.contracts[contract.name].at(contract.address) if contract else None
    for name, contract in _at.items()
}
vault, auction, guard = _at["vault"], _at["auction"], _at["guard"]
oracle = volatility_oracle = _at["volatility_oracle"]
price_oracle, realized_volatility = _at["price_oracle"], _at["realized_volatility"]
filler, zap, lens, lending = _at["filler"], _at["zap"], _at["lens"], _at["account"]
votes, timelock, governor = _at["votes"], _at["timelock"], _at["governor"]
_erc20 = project.contracts["RiskParityVault"].contract_type
usdc = Contract(deployment.cash.address, contract_type=_erc20)
tokens = {
    symbol: Contract(token.address, contract_type=_erc20)
    for symbol, token in zip(deployment.symbols, deployment.tokens, strict=True)
}
# a funded account of a local chain; on any other network take accounts.load("alias")
alice = accounts.test_accounts[1] if deployment.chain.chain_id == _LOCAL else None


def dashboard():
    """Everything at once: IVaultLens.Dashboard."""
    return lens.dashboard(auction)


def status():
    """One screen about the vault, as `ape run status` shows it."""
    from equipoise.report.status import print_status

    print_status(deployment)
