// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {IAavePool, IFlashLoanSimpleReceiver} from "../interfaces/external/IAaveV3.sol";
import {ISwapRouter} from "../interfaces/external/IUniswapV3.sol";
import {IExitZap} from "../interfaces/IExitZap.sol";
import {IRiskParityVault} from "../interfaces/IRiskParityVault.sol";

/// @title From shares to cash in one transaction, through the exit in kind
/// @dev With debt, a flash loan pays the shares' part of it and the sales pay the loan.
contract ExitZap is IExitZap, IFlashLoanSimpleReceiver, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @dev What an exit is about, from its start to the flash loan's callback.
    struct Order {
        address owner;
        uint256 shares;
        uint24[] poolFees;
        address[] skip;
        address receiver;
    }

    /// @inheritdoc IExitZap
    IRiskParityVault public immutable vault;
    ISwapRouter public immutable router;
    /// @inheritdoc IExitZap
    IAavePool public immutable lender;
    IERC20 private immutable _cash;

    /// @param lender_ Lends the cash for the debt; the zero address where the vault borrows nothing
    constructor(IRiskParityVault vault_, ISwapRouter router_, IAavePool lender_) {
        if (address(vault_) == address(0) || address(router_) == address(0)) revert ExitZap__ZeroAddress();
        vault = vault_;
        router = router_;
        lender = lender_;
        _cash = IERC20(vault_.asset());
    }

    /// @inheritdoc IExitZap
    function exit(
        uint256 shares,
        uint256 minAssets,
        uint24[] calldata poolFees,
        address[] calldata skip,
        address receiver,
        uint256 deadline
    ) external nonReentrant returns (uint256 assets) {
        if (block.timestamp > deadline) revert ExitZap__Expired(deadline, block.timestamp);
        if (shares == 0) revert ExitZap__ZeroAmount();
        if (receiver == address(0)) revert ExitZap__ZeroAddress();
        (, uint256 debt) = vault.previewRedeemInKind(shares);
        Order memory order = Order(msg.sender, shares, poolFees, skip, receiver);
        if (debt == 0) {
            _redeemAndSell(order);
        } else {
            lender.flashLoanSimple(address(this), address(_cash), debt, abi.encode(order), 0);
        }
        assets = _cash.balanceOf(address(this));
        if (assets < minAssets) revert ExitZap__InsufficientOutput(assets, minAssets);
        _cash.safeTransfer(receiver, assets);
        emit Zapped(msg.sender, receiver, shares, assets);
    }

    /// @inheritdoc IFlashLoanSimpleReceiver
    function executeOperation(
        address,
        uint256 amount,
        uint256 premium,
        address initiator,
        bytes calldata params
    ) external returns (bool) {
        // a loan that somebody else takes for this contract could name any owner
        if (msg.sender != address(lender) || initiator != address(this))
            revert ExitZap__OnlyLender(msg.sender, initiator);
        _cash.forceApprove(address(vault), amount);
        _redeemAndSell(abi.decode(params, (Order)));
        uint256 assets = _cash.balanceOf(address(this));
        if (assets < amount + premium) revert ExitZap__InsufficientOutput(assets, amount + premium);
        _cash.forceApprove(address(lender), amount + premium);
        return true;
    }

    function _redeemAndSell(Order memory order) private {
        (address[] memory tokens, ) = vault.holdings();
        uint256 n = tokens.length - 1;
        if (order.poolFees.length != n) revert ExitZap__FeesLengthMismatch(order.poolFees.length, n);
        uint256[] memory amounts = vault.redeemInKind(order.shares, address(this), order.owner, order.skip);
        for (uint256 i; i < n; ++i) {
            // a token that is skipped is not touched: it may be stuck here, and a unit of it may have been given
            if (amounts[i] == 0) continue;
            uint256 amount = IERC20(tokens[i]).balanceOf(address(this));
            if (amount < amounts[i]) revert ExitZap__PaidInReceipts(tokens[i], amounts[i], amount);
            _sell(IERC20(tokens[i]), amount, order.poolFees[i], order.receiver);
        }
    }

    function _sell(IERC20 token, uint256 amount, uint24 fee, address receiver) private {
        if (fee == 0) return token.safeTransfer(receiver, amount);
        token.forceApprove(address(router), amount);
        router.exactInputSingle(
            ISwapRouter.ExactInputSingleParams({
                tokenIn: address(token),
                tokenOut: address(_cash),
                fee: fee,
                recipient: address(this),
                deadline: block.timestamp,
                amountIn: amount,
                amountOutMinimum: 0,
                sqrtPriceLimitX96: 0
            })
        );
        // a pool that runs dry takes only a part
        uint256 rest = token.balanceOf(address(this));
        if (rest != 0) token.safeTransfer(receiver, rest);
    }
}
