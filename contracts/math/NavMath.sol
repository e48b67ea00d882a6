// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {IRiskParityVault} from "../interfaces/IRiskParityVault.sol";

/// @title What a book is worth
library NavMath {
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
        unchecked {
            // 8 values under 2^196, and an ask at most 1.05 times the highest price
            for (uint256 i; i < last; ++i) {
                uint256 balance = balances[i];
                if (balance == 0) continue;
                IPriceOracle.Quote memory q = quotes[i];
                value.mid += (balance * q.midWad) / q.unit;
                value.bid += (balance * q.bidWad) / q.unit;
                // a wei for what the division cut
                value.ask += (balance * q.askWad) / q.unit + 1;
            }
        }
        IPriceOracle.Quote memory c = quotes[last];
        value.mid = _less(balances[last] + FixedPointMathLib.fullMulDiv(value.mid, c.unit, c.midWad), debt);
        value.bid = _less(balances[last] + FixedPointMathLib.fullMulDiv(value.bid, c.unit, c.askWad), debt);
        value.ask = _less(balances[last] + FixedPointMathLib.fullMulDivUp(value.ask, c.unit, c.bidWad), debt);
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
