// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

/// @title A positive number in 16 bits: 10 significant bits and an exponent
/// @notice value = (512 + m) 2^e with m in [0, 512) and e = code / 512 - 1; codes under 512 are the integers themselves.
/// Within 0.2 %, from 0 to 2^136: enough for sanity bounds, and four of them fit where one price would.
library Float16 {
    uint256 private constant HALF = 512;

    /// @notice The greatest code whose value is at most `value`.
    /// @param value [0, 2^136)
    /// @custom:requirement EQ-44
    function packDown(uint256 value) internal pure returns (uint16) {
        if (value < HALF) return uint16(value);
        uint256 exponent = FixedPointMathLib.log2(value) - 9;
        // the mantissa carries its leading 1 into the exponent's field
        return uint16(exponent * HALF + (value >> exponent));
    }

    /// @notice The least code whose value is at least `value`.
    /// @param value [0, 1023 2^126]
    /// @custom:requirement EQ-44
    function packUp(uint256 value) internal pure returns (uint16 code) {
        code = packDown(value);
        if (unpack(code) < value) ++code;
    }

    /// @custom:requirement EQ-44
    function unpack(uint16 code) internal pure returns (uint256) {
        unchecked {
            if (code < HALF) return code;
            return (HALF + (code % HALF)) << (code / HALF - 1);
        }
    }
}
