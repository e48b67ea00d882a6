// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {ISwapRouter} from "../interfaces/external/IUniswapV3.sol";

/// @title A factory, a pool and a router that are none: what filler and zap must not be fooled by
contract PoolImpostor {
    using SafeERC20 for IERC20;

    /// @notice Extra call made during `swap`, and what became of it.
    address public target;
    bytes public data;
    bool public succeeded;
    bytes public result;

    function setCall(address newTarget, bytes calldata newData) external {
        (target, data) = (newTarget, newData);
    }

    function getPool(address, address, uint24) external view returns (address) {
        return address(this);
    }

    function swap(address, bool, int256, uint160, bytes calldata) external returns (int256, int256) {
        // solhint-disable-next-line avoid-low-level-calls
        (succeeded, result) = target.call(data);
        return (0, 0);
    }

    /// @notice Takes half of what it is given, as a pool that runs dry, and pays nothing.
    function exactInputSingle(ISwapRouter.ExactInputSingleParams calldata params) external returns (uint256) {
        IERC20(params.tokenIn).safeTransferFrom(msg.sender, address(this), params.amountIn / 2);
        return 0;
    }
}
