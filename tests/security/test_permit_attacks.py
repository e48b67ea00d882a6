"""Signatures for votes, seen in the mempool and used by somebody else first."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account

from equipoise.errors import ContractRevert
from tests.fixtures.attacks import Heist
from tests.fixtures.governance import STAKE_USD, Governed

FAR = 2**40


def signature(
    g: Governed, key: str, kind: str, fields: list[tuple[str, str]], message: dict[str, Any]
) -> Any:
    """(v, r, s) of an EIP-712 message to the votes' contract."""
    domain = g.votes.call("eip712Domain")
    typed = {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            kind: [{"name": name, "type": type_} for name, type_ in fields],
        },
        "primaryType": kind,
        "domain": {
            "name": domain.name,
            "version": domain.version,
            "chainId": domain.chainId,
            "verifyingContract": domain.verifyingContract,
        },
        "message": message,
    }
    signed = Account.sign_typed_data(key, full_message=typed)
    return signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")


@pytest.fixture
def holder(governed: Governed) -> tuple[Governed, Any]:
    """A key of ours with wrapped shares of half of alice's stake."""
    g, person = governed, Account.from_key(b"\7" * 32)
    g.chain.request("anvil_setBalance", person.address, hex(10**20))
    g.chain.request("anvil_impersonateAccount", person.address)
    g.votes.send("transfer", person.address, 10**18 * STAKE_USD // 5, sender=g.alice)
    return g, person


def test_permit__used_first_by_another__gives_no_more_than_was_signed(
    holder: tuple[Governed, Any], heist: Heist
) -> None:
    """EQ-150: front-run, replayed, pointed elsewhere: the spender named may spend, nobody else, once."""
    g, person = holder
    value = g.votes.call("balanceOf", person.address)
    fields = [
        *(("owner", "address"), ("spender", "address"), ("value", "uint256")),
        *(("nonce", "uint256"), ("deadline", "uint256")),
    ]
    said = {"owner": person.address, "spender": g.keeper, "value": value, "nonce": 0, "deadline": FAR}
    proof = signature(g, person.key.hex(), "Permit", fields, said)
    with heist("permit front-run and replayed", g, g.mallory, why="the signature names the spender"):
        mine = (person.address, g.mallory, value, FAR, *proof)
        g.system.refuses("ERC2612InvalidSigner", g.votes, "permit", *mine, sender=g.mallory)
        theirs = (person.address, g.keeper, value, FAR, *proof)
        g.votes.send("permit", *theirs, sender=g.mallory)
        assert g.votes.call("allowance", person.address, g.keeper) == value
        assert g.votes.call("nonces", person.address) == 1
        g.system.refuses("ERC2612InvalidSigner", g.votes, "permit", *theirs, sender=g.keeper)
        args = (person.address, g.mallory, 1)
        g.system.refuses("ERC20InsufficientAllowance", g.votes, "transferFrom", *args, sender=g.mallory)
    # whoever was front-run goes on without the permit
    g.votes.send("transferFrom", person.address, g.keeper, value, sender=g.keeper)
    assert g.votes.call("balanceOf", g.keeper) == value


def test_delegation__by_signature_used_first_by_another__goes_where_it_was_signed_to(
    holder: tuple[Governed, Any], heist: Heist
) -> None:
    """EQ-151: the same for a delegation; used once, it cannot be brought back when it was revoked."""
    g, person = holder
    fields = [("delegatee", "address"), ("nonce", "uint256"), ("expiry", "uint256")]
    said = {"delegatee": g.bob, "nonce": 0, "expiry": FAR}
    proof = signature(g, person.key.hex(), "Delegation", fields, said)
    with heist("delegation by signature front-run and replayed", g, g.mallory, why="it names the delegate"):
        before = g.votes.call("getVotes", g.mallory)
        g.votes.send("delegateBySig", g.bob, 0, FAR, *proof, sender=g.mallory)
        assert g.votes.call("delegates", person.address).lower() == g.bob.lower()
        g.votes.send("delegate", person.address, sender=person.address)
        with pytest.raises(ContractRevert) as caught:
            g.votes.send("delegateBySig", g.bob, 0, FAR, *proof, sender=g.mallory)
        assert caught.value.name == "InvalidAccountNonce"
        # another delegate makes another signer of it, who has no votes to give
        g.attempt(
            g.votes,
            "delegateBySig",
            *(g.mallory, 0, FAR, *proof),
            sender=g.mallory,
            unless=["ECDSAInvalidSignature", "InvalidAccountNonce"],
        )
        assert g.votes.call("getVotes", g.mallory) == before
