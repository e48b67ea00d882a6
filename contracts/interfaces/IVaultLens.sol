// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IPriceOracle} from "./IPriceOracle.sol";
import {IRebalanceAuction} from "./IRebalanceAuction.sol";
import {IRiskGuard} from "./IRiskGuard.sol";

/// @title Everything that a dashboard shows, in one call
interface IVaultLens {
    /// @notice Arrays of tokens have an entry for each of the vault's, the cash last; arrays of reports one for each of the
    ///         oracle's assets. What cannot be known (a dead price, no report, vault and oracle of different baskets) is
    ///         zero or empty: `mode`, `faults` and `hasRisk` say so.
    /// @param assets The oracle's: the vault's first tokens, unless governance is changing the basket
    /// @param navWad NAV at mid {D18 USD}
    /// @param sharePriceWad Value at mid of a share, 1e18 at birth {D18}
    /// @param totalAssets NAV at mid {smallest unit of asset}
    /// @param pricesWad Mid prices {D18 USD / whole token}
    /// @param weightsWad Value over NAV {D18}
    /// @param volatilitiesWad Volatilities in use {D18 / sqrt(year)}
    /// @param reportedWad The signers' {D18 / sqrt(year)}
    /// @param realizedWad The chain's own, 0 while not warm {D18 / sqrt(year)}; of other assets until governance, changing the
    ///        basket, has told both oracles
    /// @param parityRatioWad Realised over reported volatility of the parity portfolio, 0 while not warm {D18}
    /// @param budgetsWad Risk budgets {D18}
    /// @param hasRisk Whether `risk` is filled
    /// @param risk See IRebalanceAuction.RiskState
    /// @param volatilitiesAge Age of the volatility report {s}; the maximum when there is none
    /// @param correlationsAge Age of the correlations {s}; the maximum when there are none
    /// @param auctionOpen Whether an auction stands for this basket; the mode, or a ripcord's work done, may refuse a bid
    /// @param curveWad Price factor of the auction in course {D18}
    /// @param levered Whether there is a lending account
    /// @param debt Borrowed cash {smallest unit of asset}
    /// @param debtWad {D18 USD}
    /// @param healthFactorWad The venue's {D18}; the maximum without debt
    /// @param borrowRateWad Of the cash now {D18 / year}
    /// @param thresholdsWad Liquidation thresholds, 0 where a token backs no new debt {D18}; empty without an account
    struct Dashboard {
        IRiskGuard.Mode mode;
        uint256 timestamp;
        uint256 totalSupply;
        uint256 totalAssets;
        uint256 navWad;
        uint256 sharePriceWad;
        uint256 highWaterMarkWad;
        address[] tokens;
        uint256[] balances;
        IPriceOracle.Fault[] faults;
        address[] assets;
        uint256[] pricesWad;
        uint256[] weightsWad;
        uint256[] volatilitiesWad;
        uint256[] reportedWad;
        uint256[] realizedWad;
        uint256 parityRatioWad;
        uint256[] budgetsWad;
        bool hasRisk;
        IRebalanceAuction.RiskState risk;
        uint256 volatilitiesAge;
        uint256 correlationsAge;
        bool auctionOpen;
        IRebalanceAuction.Auction auction;
        uint256 curveWad;
        bool levered;
        uint256 debt;
        uint256 debtWad;
        uint256 healthFactorWad;
        uint256 borrowRateWad;
        uint256[] thresholdsWad;
        uint256 lossUsedWad;
        uint256 lossBudgetWad;
    }

    /// @notice The whole state of a vault. Never reverts for a dead price or a missing report.
    /// @custom:requirement EQ-112 MUST answer in every mode.
    function dashboard(IRebalanceAuction auction) external view returns (Dashboard memory);
}
