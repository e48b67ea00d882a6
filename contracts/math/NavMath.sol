// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {IRiskParityVault} from "../interfaces/IRiskParityVault.sol";

/// @title What a book is worth
library NavMath {
    uint256 private constant WAD = 1e18;

    /// @notice NAV at bid, mid and ask: cash + sum(balance * price) / cashPrice - debt; 0 where the debt is more.
    /// @dev {asset} = {asset} + {tok} {D18 USD/tok} {asset/asset unit} / {D18 USD/asset} - {asset}
    /// @param balances n basket tokens, then the cash; each below 2^96 {smallest unit}
    /// @param quotes Their prices in the same order; a price at most 1e30
    /// @param debt Owed in cash {smallest unit of cash}
    function nav(
        uint256[] memory balances,
        IPriceOracle.Quote[] memory quotes,
        uint256 debt
    ) internal pure returns (IRiskParityVault.Nav memory value) {
        uint256 last = balances.length - 1;
        uint256 spread; // {D36 USD}
        unchecked {
            // 8 values under 2^196, times a half spread under 2^56
            for (uint256 i; i < last; ++i) {
                if (balances[i] == 0) continue;
                IPriceOracle.Quote memory q = quotes[i];
                uint256 valueWad = usdWad(balances[i], q);
                value.mid += valueWad;
                spread += valueWad * q.halfSpreadWad;
            }
        }
        spread = Math.ceilDiv(spread, WAD);
        value.bid = value.mid - spread;
        // a wei more for each division that rounded down, and one for the spread on them; cash alone has none
        if (value.mid != 0) value.ask = value.mid + spread + last + 1;
        IPriceOracle.Quote memory c = quotes[last];
        uint256 bidWad = (c.midWad * (WAD - c.halfSpreadWad)) / WAD;
        uint256 askWad = Math.ceilDiv(c.midWad * (WAD + c.halfSpreadWad), WAD);
        value.mid = _less(balances[last] + FixedPointMathLib.fullMulDiv(value.mid, c.unit, c.midWad), debt);
        value.bid = _less(balances[last] + FixedPointMathLib.fullMulDiv(value.bid, c.unit, askWad), debt);
        value.ask = _less(balances[last] + FixedPointMathLib.fullMulDivUp(value.ask, c.unit, bidWad), debt);
    }

    /// @notice {D18 USD}, rounded down. Cannot overflow: a balance is under 2^96, a price at most 1e30.
    function usdWad(uint256 balance, IPriceOracle.Quote memory q) internal pure returns (uint256) {
        unchecked {
            return (balance * q.midWad) / q.unit;
        }
    }

    function _less(uint256 assets, uint256 debt) private pure returns (uint256) {
        return FixedPointMathLib.zeroFloorSub(assets, debt);
    }
}
