// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Risk of a portfolio: volatility, shares of variance, parity gap, certificate
library RiskMath {
    /// @notice Risk of actual exposures. a_i = e_i vol_i, rc_i = a_i (C a)_i, share_i = rc_i / sum rc.
    /// @param exposuresWad {1} fraction of NAV for each asset, length n
    /// @param vols WORD8 of volatilities
    /// @param correlations CORR, positive definite
    /// @param budgets WORD8 of risk budgets
    /// @param n number of assets [2, 8]
    /// @return volatilityWad {1/sqrt(year)} sqrt(a'Ca)
    /// @return sharesWad {1} each asset's share of variance, negative for a hedge; zeros for an empty portfolio
    /// @return parityGapWad {1} max |share_i - b_i|, 0 for an empty portfolio
    function riskState(
        uint256[] memory exposuresWad,
        uint256 vols,
        uint256[2] memory correlations,
        uint256 budgets,
        uint256 n
    ) internal pure returns (uint256 volatilityWad, int256[] memory sharesWad, uint256 parityGapWad) {}

    /// @notice max |x_i (Cx)_i - b_i|, exact up to its rounding up to 1e-18.
    function certificateError(
        uint256 coordinates,
        uint256[2] memory correlations,
        uint256 budgets,
        uint256 n
    ) internal pure returns (uint256 errorWad) {}
}
