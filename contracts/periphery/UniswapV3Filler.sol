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
    address private immutable _cash;

    /// @dev The pool that is being swapped with: the only caller of the callback. Also bars re-entry.
    address private transient _pool;

    constructor(IUniswapV3Factory factory_, IRebalanceAuction auction_) {
        if (address(factory_) == address(0) || address(auction_) == address(0))
            revert UniswapV3Filler__ZeroAddress();
        factory = factory_;
        auction = auction_;
        _vault = address(auction_.vault());
        _cash = auction_.vault().asset();
    }

    /// @inheritdoc IUniswapV3Filler
    function fill(Fill calldata order) external returns (uint256 profit) {
        if (_pool != address(0)) revert UniswapV3Filler__OnlyPool(msg.sender);
        if (order.receiver == address(0)) revert UniswapV3Filler__ZeroAddress();
        address pool = factory.getPool(order.sell, order.buy, order.poolFee);
        if (pool == address(0)) revert UniswapV3Filler__NoPool(order.sell, order.buy, order.poolFee);

        _swap(pool, order.sell, order.buy, order.sellAmount, abi.encode(false, abi.encode(order)));
        profit = _payProfit(order.buy, order.minProfit, order.receiver);
        emit Filled(order.id, msg.sender, order.sell, order.buy, order.sellAmount, profit);
    }

    /// @inheritdoc IUniswapV3Filler
    function fillBasket(BasketFill calldata order) external returns (uint256 profit) {
        if (_pool != address(0)) revert UniswapV3Filler__OnlyPool(msg.sender);
        if (order.receiver == address(0)) revert UniswapV3Filler__ZeroAddress();
        (address[] memory tokens, ) = auction.vault().holdings();
        uint256 n = tokens.length - 1;
        if (order.sellAmounts.length != n || order.poolFees.length != n)
            revert UniswapV3Filler__LengthMismatch(order.sellAmounts.length, order.poolFees.length, n);
        if (!_swapFrom(0, tokens, order)) revert UniswapV3Filler__BadAmount(0);
        profit = _payProfit(_cash, order.minProfit, order.receiver);
        emit BasketFilled(order.id, msg.sender, order.sellAmounts, profit);
    }

    /// @dev Swaps the first token from `index` on of which something is sold; the rest happens in the callback.
    function _swapFrom(
        uint256 index,
        address[] memory tokens,
        BasketFill memory order
    ) private returns (bool found) {
        while (index + 1 < tokens.length && order.sellAmounts[index] == 0) ++index;
        if (index + 1 == tokens.length) return false;
        address pool = factory.getPool(tokens[index], _cash, order.poolFees[index]);
        if (pool == address(0)) revert UniswapV3Filler__NoPool(tokens[index], _cash, order.poolFees[index]);
        bytes memory data = abi.encode(true, abi.encode(index, tokens, order));
        _swap(pool, tokens[index], _cash, order.sellAmounts[index], data);
        return true;
    }

    function _swap(address pool, address sell, address buy, uint256 amount, bytes memory data) private {
        if (amount == 0 || amount == type(uint256).max) revert UniswapV3Filler__BadAmount(amount);
        _pool = pool;
        bool zeroForOne = sell < buy;
        uint160 limit = zeroForOne ? MIN_PRICE : MAX_PRICE;
        IUniswapV3Pool(pool).swap(address(this), zeroForOne, amount.toInt256(), limit, data);
        _pool = address(0);
    }

    function _payProfit(address token, uint256 minProfit, address receiver) private returns (uint256 profit) {
        profit = IERC20(token).balanceOf(address(this));
        if (profit < minProfit) revert UniswapV3Filler__ProfitTooLow(profit, minProfit);
        if (profit != 0) IERC20(token).safeTransfer(receiver, profit);
    }

    /// @inheritdoc IUniswapV3SwapCallback
    function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata data) external {
        if (msg.sender != _pool) revert UniswapV3Filler__OnlyPool(msg.sender);
        (uint256 owed, uint256 received) = amount0Delta > 0
            ? (uint256(amount0Delta), uint256(-amount1Delta))
            : (uint256(amount1Delta), uint256(-amount0Delta));
        (bool basket, bytes memory order) = abi.decode(data, (bool, bytes));
        (address token, uint256 sold) = basket ? _bidBasket(order) : _bid(order, received);
        if (sold != owed) revert UniswapV3Filler__PartialSwap(owed, sold);
        IERC20(token).safeTransfer(msg.sender, owed);
    }

    function _bid(bytes memory data, uint256 received) private returns (address token, uint256 sold) {
        Fill memory order = abi.decode(data, (Fill));
        _approveVault(order.buy);
        token = order.sell;
        (sold, ) = auction.bid(order.id, token, order.buy, order.sellAmount, received, address(this));
    }

    /// @dev Inside the callbacks of all its pools at once, the last of which bids: each has paid, none is paid yet.
    function _bidBasket(bytes memory data) private returns (address token, uint256 sold) {
        (uint256 index, address[] memory tokens, BasketFill memory order) = abi.decode(
            data,
            (uint256, address[], BasketFill)
        );
        (token, sold) = (tokens[index], order.sellAmounts[index]);
        if (_swapFrom(index + 1, tokens, order)) return (token, sold);
        _approveVault(_cash);
        uint256 limit = IERC20(_cash).balanceOf(address(this));
        auction.bidBasket(order.id, order.sellAmounts, limit, address(this));
    }

    /// @dev Without an end: the filler holds nothing between calls, and the vault only takes what a bid says.
    function _approveVault(address token) private {
        if (IERC20(token).allowance(address(this), _vault) < type(uint128).max)
            IERC20(token).forceApprove(_vault, type(uint256).max);
    }
}
