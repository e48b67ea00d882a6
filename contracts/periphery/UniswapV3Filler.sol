// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {
    IUniswapV3Factory,
    IUniswapV3Pool,
    IUniswapV3SwapCallback
} from "../interfaces/external/IUniswapV3.sol";
import {IRebalanceAuction} from "../interfaces/IRebalanceAuction.sol";
import {IUniswapV3Filler} from "../interfaces/IUniswapV3Filler.sol";

/// @title Fills an auction from inside a Uniswap V3 swap callback
contract UniswapV3Filler is IUniswapV3Filler, IUniswapV3SwapCallback {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @dev TickMath.MIN_SQRT_RATIO + 1 and MAX_SQRT_RATIO - 1: no price limit, `minProfit` is the limit.
    uint160 private constant MIN_PRICE = 4295128740;
    uint160 private constant MAX_PRICE = 1461446703485210103287273052203988822378723970341;

    IUniswapV3Factory public immutable factory;
    /// @inheritdoc IUniswapV3Filler
    IRebalanceAuction public immutable auction;
    address private immutable _vault;

    /// @dev The pool that is being swapped with: the only caller of the callback. Also bars re-entry.
    address private transient _pool;

    constructor(IUniswapV3Factory factory_, IRebalanceAuction auction_) {
        if (address(factory_) == address(0) || address(auction_) == address(0))
            revert UniswapV3Filler__ZeroAddress();
        factory = factory_;
        auction = auction_;
        _vault = address(auction_.vault());
    }

    /// @inheritdoc IUniswapV3Filler
    function fill(Fill calldata order) external returns (uint256 profit) {
        if (_pool != address(0)) revert UniswapV3Filler__OnlyPool(msg.sender);
        if (order.receiver == address(0)) revert UniswapV3Filler__ZeroAddress();
        if (order.sellAmount == 0 || order.sellAmount == type(uint256).max)
            revert UniswapV3Filler__BadAmount(order.sellAmount);
        address pool = factory.getPool(order.sell, order.buy, order.poolFee);
        if (pool == address(0)) revert UniswapV3Filler__NoPool(order.sell, order.buy, order.poolFee);

        _pool = pool;
        bool zeroForOne = order.sell < order.buy;
        IUniswapV3Pool(pool).swap(
            address(this),
            zeroForOne,
            order.sellAmount.toInt256(),
            zeroForOne ? MIN_PRICE : MAX_PRICE,
            abi.encode(order)
        );
        _pool = address(0);

        profit = IERC20(order.buy).balanceOf(address(this));
        if (profit < order.minProfit) revert UniswapV3Filler__ProfitTooLow(profit, order.minProfit);
        if (profit != 0) IERC20(order.buy).safeTransfer(order.receiver, profit);
        emit Filled(order.id, msg.sender, order.sell, order.buy, order.sellAmount, profit);
    }

    /// @inheritdoc IUniswapV3SwapCallback
    function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata data) external {
        if (msg.sender != _pool) revert UniswapV3Filler__OnlyPool(msg.sender);
        Fill memory order = abi.decode(data, (Fill));
        (int256 owed, int256 received) = order.sell < order.buy
            ? (amount0Delta, -amount1Delta)
            : (amount1Delta, -amount0Delta);
        _approveVault(order.buy);
        (uint256 sold, ) = auction.bid(
            order.id,
            order.sell,
            order.buy,
            order.sellAmount,
            uint256(received),
            address(this)
        );
        if (sold != uint256(owed)) revert UniswapV3Filler__PartialSwap(uint256(owed), sold);
        IERC20(order.sell).safeTransfer(msg.sender, sold);
    }

    /// @dev Without an end: the filler holds nothing between calls, and the vault only takes what a bid says.
    function _approveVault(address token) private {
        if (IERC20(token).allowance(address(this), _vault) < type(uint128).max)
            IERC20(token).forceApprove(_vault, type(uint256).max);
    }
}
