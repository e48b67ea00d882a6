// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAavePool} from "./external/IAaveV3.sol";
import {IRiskParityVault} from "./IRiskParityVault.sol";

/// @title The exit in kind as one cash withdrawal
/// @notice Redeems in kind and sells every token on Uniswap V3. Needs the DEX, but none of the vault's oracles.
interface IExitZap {
    event Zapped(address indexed owner, address indexed receiver, uint256 shares, uint256 assets);

    error ExitZap__ZeroAddress();
    error ExitZap__ZeroAmount();
    error ExitZap__FeesLengthMismatch(uint256 length, uint256 expected);
    error ExitZap__Expired(uint256 deadline, uint256 timestamp);
    error ExitZap__OnlyLender(address caller, address initiator);
    /// @notice The lending venue cannot pay this token out now: skip it, or take `redeemInKind` for its receipts.
    error ExitZap__PaidInReceipts(address token, uint256 due, uint256 received);
    /// @notice What the sales brought is less than the caller's minimum, or than the flash loan with its premium.
    error ExitZap__InsufficientOutput(uint256 assets, uint256 minAssets);

    /// @notice Burns the caller's shares and pays cash. The caller has approved the zap for the shares.
    /// @param shares {vault share}
    /// @param minAssets The least cash that the caller accepts {smallest unit of asset}; its only protection
    ///        against a bad DEX price, so never 0 in earnest
    /// @param poolFees Fee tier of each basket token's pool against cash {1e-6}; 0 hands that token over as it is
    /// @param skip Tokens to forfeit, see `redeemInKind`
    /// @param receiver Gets the cash
    /// @param deadline {s}
    /// @return assets What was paid {smallest unit of asset}
    /// @custom:requirement EQ-111 MUST pay at least `minAssets` or revert with nothing changed.
    function exit(
        uint256 shares,
        uint256 minAssets,
        uint24[] calldata poolFees,
        address[] calldata skip,
        address receiver,
        uint256 deadline
    ) external returns (uint256 assets);

    /// @notice Aave pool that lends the cash for the debt; the zero address where there is none.
    function lender() external view returns (IAavePool);

    function vault() external view returns (IRiskParityVault);
}
