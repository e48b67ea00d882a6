// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

/// @title Fees as new shares, rounded down
library FeeMath {
    uint256 private constant WAD = 1e18;
    uint256 private constant YEAR = 365 days;
    /// @dev A fee left unclaimed for decades still leaves the holders half of the shares.
    uint256 private constant MAX_DILUTION_WAD = 0.5e18;

    /// @notice Shares that make a fee on time.
    /// @param supply {share}
    /// @param feeWad {1 / year} [0, 1e18)
    /// @param elapsed {s} since the fee was last taken
    function managementShares(
        uint256 supply,
        uint256 feeWad,
        uint256 elapsed
    ) internal pure returns (uint256) {
        return _dilution(supply, FixedPointMathLib.min((feeWad * elapsed) / YEAR, MAX_DILUTION_WAD));
    }

    /// @notice Shares that make a fee on the gain above a mark.
    /// @param supply {share}
    /// @param feeWad {1} of the gain [0, 1e18)
    /// @param priceWad Share price now {D18}
    /// @param markWad High-water mark {D18}; no fee at or under it
    function performanceShares(
        uint256 supply,
        uint256 feeWad,
        uint256 priceWad,
        uint256 markWad
    ) internal pure returns (uint256) {
        if (priceWad <= markWad) return 0;
        uint256 gainWad = FixedPointMathLib.fullMulDiv(priceWad - markWad, WAD, priceWad);
        return _dilution(supply, FixedPointMathLib.fullMulDiv(gainWad, feeWad, WAD));
    }

    /// @dev supply f / (1 - f): whoever gets these shares then owns the fraction f of all.
    function _dilution(uint256 supply, uint256 fractionWad) private pure returns (uint256) {
        return FixedPointMathLib.fullMulDiv(supply, fractionWad, WAD - fractionWad);
    }
}
