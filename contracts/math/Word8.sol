// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title WORD8: up to 8 numbers in one word
/// @notice Lane i is the uint32 at bits [32 i, 32 i + 32) in units of 1e-8, so it holds [0, 42.94967295].
library Word8 {
    uint256 internal constant LANE_BITS = 32;
    uint256 internal constant LANE_MASK = 0xffffffff;
    /// @dev A lane's value for 1.0.
    uint256 internal constant ONE = 1e8;
    /// @dev WAD = lane * LANE_TO_WAD.
    uint256 internal constant LANE_TO_WAD = 1e10;

    /// @notice Lane `i` in 1e-8.
    function lane(uint256 word, uint256 i) internal pure returns (uint256) {
        unchecked {
            // i < 8
            return (word >> (LANE_BITS * i)) & LANE_MASK;
        }
    }

    /// @notice Lane `i` as WAD.
    function laneWad(uint256 word, uint256 i) internal pure returns (uint256) {
        return lane(word, i) * LANE_TO_WAD;
    }

    /// @notice The first `n` lanes in 1e-8.
    function unpack(uint256 word, uint256 n) internal pure returns (int256[] memory values) {
        values = new int256[](n);
        uint256 mask = LANE_MASK;
        assembly ("memory-safe") {
            let end := add(values, shl(5, n))
            for {
                let i := values
            } lt(i, end) {} {
                i := add(i, 32)
                mstore(i, and(word, mask))
                word := shr(32, word)
            }
        }
    }

    /// @notice The first `n` lanes as WAD.
    function unpackWad(uint256 word, uint256 n) internal pure returns (uint256[] memory valuesWad) {
        valuesWad = new uint256[](n);
        for (uint256 i; i < n; ++i) valuesWad[i] = laneWad(word, i);
    }

    /// @notice Up to 8 WAD values in one word, each rounded down to 1e-8; reverts above 42.94967295.
    /// @custom:requirement EQ-1
    function packDown(uint256[] memory valuesWad) internal pure returns (uint256 word) {
        for (uint256 i; i < valuesWad.length; ++i) {
            word |= uint256(SafeCast.toUint32(valuesWad[i] / LANE_TO_WAD)) << (LANE_BITS * i);
        }
    }

    /// @notice Whether the lanes from `n` on are zero.
    function unusedLanesAreZero(uint256 word, uint256 n) internal pure returns (bool) {
        return word >> (LANE_BITS * n) == 0;
    }
}
