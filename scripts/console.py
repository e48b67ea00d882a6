"""For `ape console`: the deployed vault and its satellites as ape contracts.

>>> from scripts.console import vault, lens, auction, usdc, alice
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
    "guard",
    "lens",
    "price_oracle",
    "tokens",
    "usdc",
    "vault",
    "volatility_oracle",
    "zap",
]

deployment = Deployment.load(ApeChain(networks.active_provider))
_at = {
    attribute: project.contracts[name].at(deployment.addresses[attribute])
    for attribute, name in CONTRACTS.items()
}
vault, auction, guard = _at["vault"], _at["auction"], _at["guard"]
volatility_oracle, price_oracle = _at["volatility_oracle"], _at["price_oracle"]
filler, zap, lens = _at["filler"], _at["zap"], _at["lens"]
_erc20 = project.contracts["RiskParityVault"].contract_type
usdc = Contract(deployment.cash.address, contract_type=_erc20)
tokens = {
    symbol: Contract(token.address, contract_type=_erc20)
    for symbol, token in zip(deployment.symbols, deployment.tokens, strict=True)
}
# a funded account of a local chain; on any other network take accounts.load("alias")
alice = accounts.test_accounts[1] if deployment.chain.chain_id == 31337 else None


def dashboard():
    """Everything at once: IVaultLens.Dashboard."""
    return lens.dashboard(auction)
