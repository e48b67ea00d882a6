// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

/// @title How much leverage is allowed, and how much of it the ripcord takes back
/// @notice leverage L = sum of exposures; debt = L + buffer - 1, both over NAV, with `buffer` of the NAV kept in cash.
library LeverageMath {
    uint256 private constant WAD = 1e18;

    /// @notice Largest leverage at which the health factor is at least its target: h (1 - b) / (h - LT), rounded down.
    /// @dev From health = L LT / (L + b - 1) >= h, LT the exposure-weighted mean threshold of the target portfolio.
    /// @param exposuresWad target exposures, of which only the proportions count {1}
    /// @param thresholdsWad liquidation thresholds, 0 where a token backs no debt {1} [0, 1e18]
    /// @param targetHealthWad h {1} above 1e18
    /// @param bufferWad b {1} [0, 1e18)
    /// @return capWad {1}; the maximum for an empty portfolio
    /// @custom:requirement EQ-18
    function healthCap(
        uint256[] memory exposuresWad,
        uint256[] memory thresholdsWad,
        uint256 targetHealthWad,
        uint256 bufferWad
    ) internal pure returns (uint256 capWad) {
        uint256 totalWad;
        uint256 weighted; // {D36}
        for (uint256 i; i < exposuresWad.length; ++i) {
            totalWad += exposuresWad[i];
            weighted += exposuresWad[i] * thresholdsWad[i];
        }
        if (totalWad == 0) return type(uint256).max;
        // h > 1 >= LT
        return
            FixedPointMathLib.fullMulDiv(
                targetHealthWad,
                WAD - bufferWad,
                targetHealthWad - weighted / totalWad
            );
    }

    /// @notice Leverage allowed at a report's age: the maximum while fresh, then a straight line down to 1.
    /// @param age {s}
    /// @param freshFor {s}
    /// @param deleverAfter {s} at least `freshFor`
    /// @param maxLeverageWad {1}
    /// @custom:requirement EQ-19
    function ageCap(
        uint256 age,
        uint256 freshFor,
        uint256 deleverAfter,
        uint256 maxLeverageWad
    ) internal pure returns (uint256) {
        if (age <= freshFor || maxLeverageWad <= WAD) return maxLeverageWad;
        if (age >= deleverAfter) return WAD;
        return WAD + ((maxLeverageWad - WAD) * (deleverAfter - age)) / (deleverAfter - freshFor);
    }

    /// @notice Discount of the ripcord now: rises from 0 to its cap, and never beyond half of what the collateral is
    ///         worth more than the debt, so that every sale lowers debt over collateral.
    /// @param elapsed {s} since the start
    /// @param duration {s} at least 1; from then on the cap holds
    /// @param capWad {1}
    /// @param collateralWad {USD} above `debtWad`
    /// @param debtWad {USD}
    /// @custom:requirement EQ-130
    function ripcordDiscount(
        uint256 elapsed,
        uint256 duration,
        uint256 capWad,
        uint256 collateralWad,
        uint256 debtWad
    ) internal pure returns (uint256) {
        uint256 discountWad = elapsed >= duration ? capWad : (capWad * elapsed) / duration;
        uint256 equityWad = FixedPointMathLib.fullMulDiv(collateralWad - debtWad, WAD, collateralWad);
        return FixedPointMathLib.min(discountWad, equityWad / 2);
    }

    /// @notice Fraction of every asset whose sale restores the target health factor, rounded up.
    /// @dev (1 - f) LT C = h (D - f C (1 - d)) with LT C = health D, so
    ///      f = (h - health) D / (h C (1 - d) - health D); exists while C (1 - d) > D or health < h.
    /// @param healthWad now {1}
    /// @param targetHealthWad {1}
    /// @param collateralWad C {USD}
    /// @param debtWad D {USD}
    /// @param discountWad d {1}
    /// @return fractionWad {1} [0, 1e18]; 0 at or above the target
    /// @custom:requirement EQ-131
    function ripcordFraction(
        uint256 healthWad,
        uint256 targetHealthWad,
        uint256 collateralWad,
        uint256 debtWad,
        uint256 discountWad
    ) internal pure returns (uint256 fractionWad) {
        if (healthWad >= targetHealthWad) return 0;
        uint256 proceeds = FixedPointMathLib.fullMulDiv(collateralWad, WAD - discountWad, WAD);
        uint256 wanted = FixedPointMathLib.fullMulDiv(proceeds, targetHealthWad, WAD);
        uint256 backed = FixedPointMathLib.fullMulDivUp(debtWad, healthWad, WAD);
        if (wanted <= backed) return WAD;
        uint256 missing = FixedPointMathLib.fullMulDivUp(debtWad, targetHealthWad - healthWad, WAD);
        return FixedPointMathLib.min(WAD, FixedPointMathLib.fullMulDivUp(missing, WAD, wanted - backed));
    }
}
