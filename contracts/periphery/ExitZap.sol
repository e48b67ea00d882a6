// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {ISwapRouter} from "../interfaces/external/IUniswapV3.sol";
import {IExitZap} from "../interfaces/IExitZap.sol";
import {IRiskParityVault} from "../interfaces/IRiskParityVault.sol";

/// @title From shares to cash in one transaction, through the exit in kind
contract ExitZap is IExitZap, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @inheritdoc IExitZap
    IRiskParityVault public immutable vault;
    ISwapRouter public immutable router;
    IERC20 private immutable _cash;

    constructor(IRiskParityVault vault_, ISwapRouter router_) {
        if (address(vault_) == address(0) || address(router_) == address(0)) revert ExitZap__ZeroAddress();
        vault = vault_;
        router = router_;
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
        (address[] memory tokens, ) = vault.holdings();
        uint256 n = tokens.length - 1;
        if (poolFees.length != n) revert ExitZap__FeesLengthMismatch(poolFees.length, n);

        uint256[] memory amounts = vault.redeemInKind(shares, address(this), msg.sender, skip);
        assets = amounts[n];
        for (uint256 i; i < n; ++i) {
            if (amounts[i] != 0) assets += _sell(IERC20(tokens[i]), amounts[i], poolFees[i], receiver);
        }
        if (assets < minAssets) revert ExitZap__InsufficientOutput(assets, minAssets);
        _cash.safeTransfer(receiver, assets);
        emit Zapped(msg.sender, receiver, shares, assets);
    }

    function _sell(IERC20 token, uint256 amount, uint24 fee, address receiver) private returns (uint256) {
        if (fee == 0) {
            token.safeTransfer(receiver, amount);
            return 0;
        }
        token.forceApprove(address(router), amount);
        uint256 assets = router.exactInputSingle(
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
        return assets;
    }
}
