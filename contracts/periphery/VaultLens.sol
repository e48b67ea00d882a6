// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILendingAccount} from "../interfaces/ILendingAccount.sol";
import {IRebalanceAuction} from "../interfaces/IRebalanceAuction.sol";
import {IRiskGuard} from "../interfaces/IRiskGuard.sol";
import {IRiskParityVault} from "../interfaces/IRiskParityVault.sol";
import {IVaultLens} from "../interfaces/IVaultLens.sol";
import {IVolatilityOracle} from "../interfaces/IVolatilityOracle.sol";
import {Word8} from "../math/Word8.sol";

/// @title One call for a dashboard
contract VaultLens is IVaultLens {
    uint256 private constant WAD = 1e18;

    /// @inheritdoc IVaultLens
    function dashboard(IRebalanceAuction auction) external view returns (Dashboard memory d) {
        IRiskParityVault vault = auction.vault();
        d.mode = vault.mode();
        d.timestamp = block.timestamp;
        d.totalSupply = vault.totalSupply();
        d.highWaterMarkWad = vault.highWaterMarkWad();
        (d.tokens, d.balances) = vault.holdings();
        d.faults = vault.priceOracle().faults(d.tokens);
        _fillReports(d, auction.volatilityOracle());
        _fillAuction(d, auction, vault);
        if (d.mode == IRiskGuard.Mode.InKindOnly) return d;
        _fillValues(d, vault);
        _fillLending(d, vault);
        (d.lossUsedWad, d.lossBudgetWad) = auction.lossBudget();
        // no reports, or the baskets of vault and oracle differ
        try auction.riskState() returns (IRebalanceAuction.RiskState memory risk) {
            (d.hasRisk, d.risk) = (true, risk);
        } catch {
            d.hasRisk = false;
        }
    }

    function _fillReports(Dashboard memory d, IVolatilityOracle oracle) private view {
        IVolatilityOracle.RiskData memory data = oracle.riskData();
        d.assets = oracle.assets();
        d.volatilitiesWad = Word8.unpackWad(data.vols, data.n);
        d.reportedWad = Word8.unpackWad(oracle.reportedVolatilities(), data.n);
        uint256 realised;
        (realised, d.parityRatioWad) = oracle.realized().floors();
        d.realizedWad = Word8.unpackWad(realised, data.n);
        d.budgetsWad = Word8.unpackWad(data.budgets, data.n);
        d.volatilitiesAge = _age(data.volatilitiesAt);
        d.correlationsAge = _age(data.correlationsAt);
    }

    function _age(uint256 at) private view returns (uint256) {
        return at == 0 ? type(uint256).max : block.timestamp - at;
    }

    function _fillAuction(
        Dashboard memory d,
        IRebalanceAuction auction,
        IRiskParityVault vault
    ) private view {
        d.auction = auction.current();
        bool sameBasket = d.auction.ripcord || d.auction.basketVersion == vault.basketVersion();
        d.auctionOpen = d.auction.id != 0 && block.timestamp <= d.auction.endsAt && sameBasket;
        if (d.auctionOpen) d.curveWad = auction.curveWad(block.timestamp);
    }

    function _fillLending(Dashboard memory d, IRiskParityVault vault) private view {
        ILendingAccount account = vault.lendingAccount();
        d.levered = address(account) != address(0);
        if (!d.levered) return;
        d.borrowRateWad = account.borrowRateWad();
        d.thresholdsWad = account.thresholdsWad(_basket(d.tokens));
    }

    /// @dev All but the last, which is the cash.
    function _basket(address[] memory tokens) private pure returns (address[] memory basket) {
        basket = new address[](tokens.length - 1);
        for (uint256 i; i < basket.length; ++i) basket[i] = tokens[i];
    }

    function _fillValues(Dashboard memory d, IRiskParityVault vault) private view {
        IRiskParityVault.Portfolio memory book = vault.portfolio();
        d.totalAssets = vault.totalAssets();
        d.navWad = book.navWad;
        d.debt = book.debt;
        d.debtWad = book.debtWad;
        d.healthFactorWad = vault.healthFactorWad();
        d.sharePriceWad = vault.sharePriceWad();
        d.pricesWad = new uint256[](book.tokens.length);
        d.weightsWad = new uint256[](book.tokens.length);
        for (uint256 i; i < book.tokens.length; ++i) {
            d.pricesWad[i] = book.quotes[i].midWad;
            if (book.navWad != 0) d.weightsWad[i] = (book.valuesWad[i] * WAD) / book.navWad;
        }
    }
}
