// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

/// @title Dutch auction: price decay, lot size, loss budget
library AuctionMath {
    /// @notice The curve P(t) = start * exp(-ln(start / end) t / duration), rounded up (in the seller's favour).
    /// @dev Exact at both ends, never rises with time, never leaves [end, start].
    /// @param startWad P(0), (0, 1e36]; at least `endWad`
    /// @param endWad P(duration), (0, startWad]; less than 1e18 times smaller than `startWad`
    /// @param elapsed {s} since the start; from `duration` on the price stays at the end
    /// @param duration {s} at least 1
    /// @custom:requirement EQ-14
    function price(
        uint256 startWad,
        uint256 endWad,
        uint256 elapsed,
        uint256 duration
    ) internal pure returns (uint256 priceWad) {
        if (elapsed == 0) return startWad;
        if (elapsed >= duration) return endWad;
        // the ratio is at least 1, so the logarithm is not negative
        int256 logRatioWad = FixedPointMathLib.lnWad(int256(FixedPointMathLib.divWad(startWad, endWad)));
        int256 exponentWad = -(logRatioWad * int256(elapsed)) / int256(duration);
        priceWad = FixedPointMathLib.mulWadUp(startWad, uint256(FixedPointMathLib.expWad(exponentWad)));
        return FixedPointMathLib.clamp(priceWad, endWad, startWad);
    }

    /// @notice Largest value that may change hands: what is too much of one asset and too little of the other.
    /// @param sellWad {USD} present value of the sold asset
    /// @param sellTargetWad {USD} its target value
    /// @param buyWad {USD} present value of the bought asset
    /// @param buyTargetWad {USD} its target value
    /// @return lotWad {USD} min(surplus, deficit), 0 where either is none
    /// @custom:requirement EQ-15
    function lot(
        uint256 sellWad,
        uint256 sellTargetWad,
        uint256 buyWad,
        uint256 buyTargetWad
    ) internal pure returns (uint256 lotWad) {
        return
            FixedPointMathLib.min(
                FixedPointMathLib.zeroFloorSub(sellWad, sellTargetWad),
                FixedPointMathLib.zeroFloorSub(buyTargetWad, buyWad)
            );
    }

    /// @notice What is left in a leaky bucket that empties at the constant rate capacity / period, rounded up.
    /// @dev Splitting the time changes nothing but rounding: poking the bucket neither hurries nor delays it.
    /// @param usedWad content at the last update
    /// @param capacityWad what leaks in one `period`
    /// @param elapsed {s} since the last update
    /// @param period {s} at least 1
    /// @custom:requirement EQ-16
    function decayed(
        uint256 usedWad,
        uint256 capacityWad,
        uint256 elapsed,
        uint256 period
    ) internal pure returns (uint256) {
        if (elapsed >= period && capacityWad >= usedWad) return 0;
        return
            FixedPointMathLib.zeroFloorSub(
                usedWad,
                FixedPointMathLib.fullMulDiv(capacityWad, elapsed, period)
            );
    }
}
