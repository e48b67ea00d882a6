"""Another basket over a lending account: sales through auctions, gifts at the venue, the ripcord."""

from __future__ import annotations

import pytest

from equipoise.units import WAD
from tests.fixtures.basket import Asset, assets_of, change_basket, list_asset
from tests.fixtures.levered import VOLS, Levered
from tests.fixtures.system import MAX, artifact_contract

BPS = 10_000


def retire(s: Levered) -> Levered:
    """SPX out of the oracle's basket, last in the vault's, with reports for the other two."""
    btc, eth, spx = assets_of(s)
    changed = change_basket(s, [btc, eth], [spx])
    changed.warp(60)
    changed.post_reports()
    changed.refresh_prices()
    return changed


def sell_last(s: Levered, keep: int = 0) -> None:
    s.open()
    s.to_curve(1.0)
    s.bid(s.tokens[-1], s.cash, s.balances()[-2] - keep)


def dropped(s: Levered) -> list[str]:
    return [t.address for t in s.tokens[:-1]]


@pytest.fixture
def retiring(levered: Levered) -> Levered:
    return retire(levered)


def test_list__anyone_but_the_vault__is_refused(levered: Levered) -> None:
    """EQ-120 EQ-93: LendingAccount__OnlyVault, the owner too."""
    s = levered
    for sender in (s.owner, s.guardian, s.mallory):
        error = "LendingAccount__OnlyVault"
        s.refuses(error, s.account, "list", s.tokens[0], sender=sender)


def test_set_basket__with_a_token_without_a_reserve__is_refused(levered: Levered) -> None:
    """EQ-93: LendingAccount__NotListed: it could not be collateral."""
    s = levered
    new = list_asset(s)
    basket = [t.address for t in (*s.tokens, new.token)]
    s.refuses("LendingAccount__NotListed", s.vault, "setBasket", basket, sender=s.owner)


def test_retired_asset__while_it_is_held__backs_the_debt_and_counts(retiring: Levered) -> None:
    """EQ-96: leverage, NAV and health factor are what they were; targets have no place for it."""
    s = retiring
    state = s.auction.call("riskState")
    assert state.leverageWad / WAD == pytest.approx(s.leverage(), rel=1e-9)
    assert state.targetsWad[2] == 0
    assert state.exposuresWad[2] > WAD // 10
    assert s.health() > 1.55


def test_retired_asset__sold__leaves_and_comes_back(retiring: Levered) -> None:
    """EQ-93 EQ-94: SPX goes, the others take its place; relisted, it starts from nothing."""
    s = retiring
    price = s.share_price()
    s.refuses("RiskParityVault__NotSold", s.vault, "setBasket", dropped(s), sender=s.owner)
    sell_last(s)
    s.fill_all()
    s.warp(s.auction.call("params").duration)
    s.vault.send("setBasket", dropped(s), sender=s.owner)
    assert s.auction.call("riskState").reason == 0
    assert s.health() > 1.55
    assert s.share_price() >= price * (BPS - 10) // BPS
    # and back again: the venue's listing is still there
    everything = [Asset(*parts) for parts in zip(s.tokens, s.feeds, VOLS, s.decimals, strict=True)]
    again = change_basket(s, everything)
    again.warp(60)
    again.post_reports()
    again.refresh_prices()
    assert again.balances()[2] <= 1
    again.rebalance()
    assert again.leverage() == pytest.approx(again.targets_met(), rel=0.02)
    s.vault.send("redeemInKind", s.shares(s.alice) // 2, s.alice, s.alice, [], sender=s.alice)


def gift(s: Levered, units: int) -> None:
    """aTokens of SPX from a stranger to the vault's account."""
    s.tokens[2].send("transfer", s.mallory, units, sender=s.keeper)
    s.tokens[2].send("approve", s.aave.pool, MAX, sender=s.mallory)
    s.aave.pool.send("supply", s.tokens[2], units, s.account, 0, sender=s.mallory)


def test_gift_of_receipts__of_dust__does_not_block_a_delisting(retiring: Levered) -> None:
    """EQ-93: a wei, or ten dollars, from anybody; the change goes on."""
    s = retiring
    sell_last(s)
    unit = 10 ** s.decimals[2]
    for units in (1, unit // 400):
        gift(s, units)
        with s.scenario():
            price = s.share_price()
            s.vault.send("setBasket", dropped(s), sender=s.owner)
            assert price * (BPS - 1) // BPS - 1 <= s.share_price() <= price


def test_gift_of_receipts__of_more__is_sold_for_the_holders(retiring: Levered) -> None:
    """EQ-93 EQ-96: who gives a thousand dollars delays the change by an auction, and has given them away."""
    s = retiring
    sell_last(s)
    s.fill_all()
    s.warp(s.auction.call("params").duration)
    s.refresh_prices()
    price = s.share_price()
    gift(s, 10 ** s.decimals[2] // 4)
    s.refuses("RiskParityVault__NotSold", s.vault, "setBasket", dropped(s), sender=s.owner)
    assert s.share_price() > price * (BPS + 9) // BPS
    assert s.auction.call("riskState").reason != 0
    sell_last(s)
    s.vault.send("setBasket", dropped(s), sender=s.owner)
    assert s.share_price() > price * (BPS + 8) // BPS


def test_gift_of_receipts__after_the_delisting__counts_only_when_it_returns(retiring: Levered) -> None:
    """EQ-93 EQ-54: in no book in between, and no more than its value afterwards."""
    s = retiring
    sell_last(s)
    s.vault.send("setBasket", dropped(s), sender=s.owner)
    price = s.share_price()
    gift(s, 10 ** s.decimals[2])
    assert s.share_price() == pytest.approx(price, rel=1e-7)
    nav = s.vault.call("nav").mid
    s.vault.send("setBasket", [t.address for t in s.tokens], sender=s.owner)
    assert s.vault.call("nav").mid - nav == pytest.approx(4_000 * 10**6, rel=1e-3)


def test_idle_reserve__of_a_dropped_token__is_kept_for_its_return(retiring: Levered) -> None:
    """EQ-123 EQ-93: what the venue did not take is dust like any other, and still the vault's."""
    s, spx = retiring, retiring.tokens[2]
    sell_last(s)
    s.aave.freeze("SPX")
    units = 10 ** s.decimals[2] // 400
    spx.send("transfer", s.account, units, sender=s.keeper)
    s.chain.request("anvil_setBalance", s.vault.address, hex(10**18))
    s.account.send("supply", spx, units, sender=s.vault.address)
    s.vault.send("setBasket", dropped(s), sender=s.owner)
    assert s.account.call("position", [spx, s.cash]).balances[0] >= units
    s.aave.freeze("SPX", on=False)
    s.vault.send("setBasket", [t.address for t in s.tokens], sender=s.owner)
    assert s.balances()[2] >= units


def test_written_off_collateral__of_zero_ltv__is_dropped_by_anyone(retiring: Levered) -> None:
    """EQ-122 EQ-93: also of a token that the vault no longer knows, else it would lock the others."""
    s = retiring
    sell_last(s, keep=10 ** s.decimals[2] // 400)
    s.vault.send("setBasket", dropped(s), sender=s.owner)
    s.aave.set_terms("SPX", 0.0, 0.75, 0.05)
    s.account.send("dropCollateral", s.tokens[2], sender=s.mallory)
    s.vault.send("redeemInKind", s.shares(s.alice) // 2, s.alice, s.alice, [], sender=s.alice)


def test_written_off_collateral__is_dropped_by_anyone_and_used_when_it_returns(retiring: Levered) -> None:
    """EQ-126 EQ-93: its dead feed binds nobody; listed again, what is left is collateral once more."""
    s = retiring
    spx = s.tokens[2]
    sell_last(s, keep=10 ** s.decimals[2] // 400)
    s.refuses("LendingAccount__NotZeroLtv", s.account, "dropCollateral", spx, sender=s.mallory)
    s.vault.send("setBasket", dropped(s), sender=s.owner)
    source = s.aave.oracle.call("getSourceOfAsset", spx)
    s.aave.oracle.send("setAssetSources", [spx], ["0x" + "00" * 19 + "01"], sender=s.aave.admin)
    s.account.send("dropCollateral", spx, sender=s.mallory)
    s.refuses("LendingAccount__NotHeld", s.account, "useAsCollateral", spx, sender=s.mallory)
    s.vault.send("redeemInKind", s.shares(s.alice) // 2, s.alice, s.alice, [], sender=s.alice)
    s.aave.oracle.send("setAssetSources", [spx], [source], sender=s.aave.admin)
    s.vault.send("setBasket", [t.address for t in s.tokens], sender=s.owner)
    assert s.aave.data_provider.call("getUserReserveData", spx, s.account).usageAsCollateralEnabled


def test_listed_again__what_the_venue_does_not_take__is_told(retiring: Levered) -> None:
    """EQ-126 EQ-123: an LTV of zero stops no change of the basket."""
    s = retiring
    spx = s.tokens[2]
    sell_last(s, keep=10 ** s.decimals[2] // 400)
    s.vault.send("setBasket", dropped(s), sender=s.owner)
    s.aave.set_terms("SPX", 0.0, 0.75, 0.05)
    s.account.send("dropCollateral", spx, sender=s.mallory)
    receipt = s.vault.send("setBasket", [t.address for t in s.tokens], sender=s.owner)
    (event,) = s.account.events(receipt, "NoCollateral")
    assert event.token.lower() == spx.address.lower()
    assert event.reason


# -------------------------------------------------------------------- ripcord


def test_ripcord__with_a_retired_asset__sells_of_it_too(retiring: Levered) -> None:
    """EQ-97 EQ-133: the same fraction of everything, reports or not."""
    s = retiring
    s.crash(-0.25)
    s.pull()
    s.warp(s.auction.call("params").ripcordDuration)
    before = s.balances()
    s.bid_basket()
    sold = [1 - after / b for after, b in zip(s.balances()[:3], before[:3], strict=True)]
    assert sold == pytest.approx([sold[0]] * 3, rel=1e-3)
    assert 1.6 <= s.health() < 1.7


def test_ripcord__pulled_before_a_change__goes_on_after_it(levered: Levered) -> None:
    """EQ-97: nobody can stop it by changing the basket, in whatever order its tokens stand then."""
    s = levered
    btc, eth, spx = assets_of(s)
    s.crash(-0.25)
    now = s.pull()
    changed = change_basket(s, [spx, btc], [eth])
    assert s.vault.call("mode") == 2
    assert s.contracts.dashboard().auctionOpen
    changed.warp(s.auction.call("params").ripcordDuration)
    changed.bid_basket()
    assert s.auction.call("current").id == now
    assert 1.6 <= changed.health() < 1.7


def test_ripcord__while_nothing_is_reported_for_the_new_basket__can_be_pulled(levered: Levered) -> None:
    """EQ-97 EQ-132: below the trigger at once; below the target once signers are silent."""
    s = levered
    btc, eth, spx = assets_of(s)
    changed = change_basket(s, [btc, eth], [spx])
    with s.scenario():
        s.crash(-0.25)
        changed.pull()
        changed.bid_basket()
    s.crash(-0.03)
    assert 1.3 < s.health() < 1.6
    changed.refuses("RebalanceAuction__RipcordNotDue", s.auction, "ripcord", sender=s.keeper)
    changed.warp(96 * 3_600 + 60)
    s.refresh_prices()
    changed.pull()


def test_quotes__of_another_count__name_the_vaults_tokens(retiring: Levered) -> None:
    """EQ-97: RebalanceAuction__LengthMismatch counts the retired one."""
    s = retiring
    s.crash(-0.25)
    s.pull()
    now = s.auction.call("current").id
    revert = s.refuses(
        *("RebalanceAuction__LengthMismatch", s.auction, "bidBasket", now, [1, 1], MAX, s.keeper),
        sender=s.keeper,
    )
    assert revert.arguments == (2, 3)
    assert len(s.auction.call("quoteBasket", [MAX] * 3).sold) == 4


def test_stranger_token__in_the_account__changes_nothing(levered: Levered) -> None:
    """EQ-54: what is sent to the account and was never listed is nobody's."""
    s = levered
    odd = artifact_contract(s.chain, "OddToken", "ODD", 18, sender=s.mallory)
    price = s.share_price()
    odd.send("mint", s.account, 10**24, sender=s.mallory)
    assert s.share_price() == pytest.approx(price, rel=1e-9)
