// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {Word8} from "./Word8.sol";

/// @title Reported volatilities held up by realised ones
library FloorMath {
    uint256 private constant WAD = 1e18;

    /// @notice max(reported, fraction * realised), lane by lane, the floor rounded up.
    /// @param vols WORD8
    /// @param realised WORD8, 0 where nothing is known
    /// @param fractionWad {D18} [0, 1e18]
    /// @param n number of assets [1, 8]
    /// @custom:requirement EQ-144
    function raised(
        uint256 vols,
        uint256 realised,
        uint256 fractionWad,
        uint256 n
    ) internal pure returns (uint256 result) {
        unchecked {
            // a lane under 2^32, a fraction of at most one
            for (uint256 shift; shift < Word8.LANE_BITS * n; shift += Word8.LANE_BITS) {
                uint256 floor = (((realised >> shift) & Word8.LANE_MASK) * fractionWad + WAD - 1) / WAD;
                result |= FixedPointMathLib.max((vols >> shift) & Word8.LANE_MASK, floor) << shift;
            }
        }
    }

    /// @notice All of them times max(1, fraction * ratio), rounded up, at most `maxVol`: it lowers every exposure alike
    ///         and keeps each asset's share of the risk.
    /// @param vols WORD8
    /// @param ratioWad realised over reported volatility of the parity portfolio {D18}, 0 where it is not known
    /// @param fractionWad {D18} [0, 1e18]
    /// @param maxVol {1e-8} a lane's largest value
    /// @custom:requirement EQ-146
    function scaled(
        uint256 vols,
        uint256 ratioWad,
        uint256 fractionWad,
        uint256 maxVol,
        uint256 n
    ) internal pure returns (uint256 result) {
        uint256 scaleWad = FixedPointMathLib.mulWadUp(ratioWad, fractionWad);
        if (scaleWad <= WAD) return vols;
        for (uint256 i; i < n; ++i) {
            uint256 vol = FixedPointMathLib.mulWadUp(Word8.lane(vols, i), scaleWad);
            result |= FixedPointMathLib.min(vol, maxVol) << (Word8.LANE_BITS * i);
        }
    }
}
