// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IUniswapV3Pool, IUniswapV3SwapCallback} from "../interfaces/external/IUniswapV3.sol";

/// @title Brings Uniswap V3 pools to a reference price with its own capital, as long as that pays
/// @notice A pool's fee makes the last profitable swap end one fee away from the reference price: inside that
///         band it leaves the pool alone, outside it swaps to the band's edge.
contract Arbitrageur is IUniswapV3SwapCallback, Ownable {
    using SafeERC20 for IERC20;
    using SafeCast for uint256;

    error Arbitrageur__LengthMismatch(uint256 pools, uint256 prices);
    error Arbitrageur__NotThePool(address caller);

    /// @notice Amounts as the pool counts them: positive is paid by the arbitrageur.
    event Aligned(address indexed pool, int256 amount0, int256 amount1);

    /// @dev One in millionths, the unit of a pool's fee.
    uint256 private constant _FEE_UNIT = 1e6;
    /// @dev Square root of `_FEE_UNIT` scaled by 1e12.
    uint256 private constant _ROOT_UNIT = 1e15;

    /// @dev The pool that may call back now, zero outside of a swap.
    address private transient _swapping;

    constructor(address owner_) Ownable(owner_) {}

    /// @notice Swaps each pool to within its fee of a reference price; a pool inside its band is left alone.
    /// @param pools Uniswap V3 pools
    /// @param sqrtPricesX96 Reference prices of token0 in token1 {Q64.96 sqrt(raw token1 / raw token0)}
    function align(IUniswapV3Pool[] calldata pools, uint160[] calldata sqrtPricesX96) external onlyOwner {
        if (pools.length != sqrtPricesX96.length) {
            revert Arbitrageur__LengthMismatch(pools.length, sqrtPricesX96.length);
        }
        for (uint256 i = 0; i < pools.length; ++i) _align(pools[i], sqrtPricesX96[i]);
    }

    function _align(IUniswapV3Pool pool, uint256 referenceX96) private {
        (uint160 currentX96, , , , , , ) = pool.slot0();
        // price * (1 - fee) and price / (1 - fee), as square roots
        uint256 root = Math.sqrt((_FEE_UNIT - pool.fee()) * 1e24);
        uint160 lowerX96 = Math.mulDiv(referenceX96, root, _ROOT_UNIT, Math.Rounding.Ceil).toUint160();
        uint160 upperX96 = Math.mulDiv(referenceX96, _ROOT_UNIT, root).toUint160();
        if (currentX96 >= lowerX96 && currentX96 <= upperX96) return;

        bool sells0 = currentX96 > upperX96;
        address paid = sells0 ? pool.token0() : pool.token1();
        uint256 capital = IERC20(paid).balanceOf(address(this));
        if (capital == 0) return;

        _swapping = address(pool);
        (int256 amount0, int256 amount1) = pool.swap(
            address(this),
            sells0,
            capital.toInt256(),
            sells0 ? upperX96 : lowerX96,
            abi.encode(paid)
        );
        _swapping = address(0);
        emit Aligned(address(pool), amount0, amount1);
    }

    /// @inheritdoc IUniswapV3SwapCallback
    function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata data) external {
        if (msg.sender != _swapping) revert Arbitrageur__NotThePool(msg.sender);
        int256 owed = amount0Delta > 0 ? amount0Delta : amount1Delta;
        IERC20(abi.decode(data, (address))).safeTransfer(msg.sender, uint256(owed));
    }

    /// @notice Takes capital out.
    /// @param amount {token's own decimals}
    function withdraw(IERC20 token, address to, uint256 amount) external onlyOwner {
        token.safeTransfer(to, amount);
    }
}
