// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {ILendingAccount} from "../interfaces/ILendingAccount.sol";
import {IParameters} from "../interfaces/IParameters.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {IRiskGuard} from "../interfaces/IRiskGuard.sol";
import {IRiskParityVault} from "../interfaces/IRiskParityVault.sol";
import {Bounds} from "../math/Bounds.sol";
import {FeeMath} from "../math/FeeMath.sol";
import {NavMath} from "../math/NavMath.sol";
import {Custody} from "./Custody.sol";

/// @title ERC-4626 shares, NAV, fees and the exit in kind
/// @dev Every function follows one order: check, accrue fees, compute, write the books, move tokens, emit.
contract RiskParityVault is
    IRiskParityVault,
    IParameters,
    ERC4626,
    Custody,
    Ownable2Step,
    ReentrancyGuardTransient
{
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @dev One slot, read only where a fee is due. A mark holds prices up to 7.9e10 times the first.
    struct Beneficiary {
        address recipient;
        uint96 highWaterMarkWad;
    }

    uint256 private constant WAD = 1e18;
    uint256 private constant MAX_ENTRY_FEE_WAD = 0.01e18;
    uint256 private constant MAX_EXIT_FEE_WAD = 0.01e18;
    uint256 private constant MAX_MANAGEMENT_FEE_WAD = 0.02e18;
    uint256 private constant MAX_PERFORMANCE_FEE_WAD = 0.2e18;
    /// @dev Of the NAV: what rounding and interest leave of a token that is sold, or what a stranger gives to keep it listed.
    uint256 private constant MAX_DUST_WAD = 0.0001e18;
    /// @dev Ten times what the venue needs to tell the health factor of eight collaterals.
    uint256 private constant HEALTH_GAS = 3_000_000;
    /// @dev Shares have 12 more decimals than the asset: 18 for USDC, and an inflation attack costs 1e12 to 1.
    uint8 private constant DECIMALS_OFFSET = 12;
    uint256 private constant VIRTUAL_SHARES = 10 ** DECIMALS_OFFSET;
    uint256 private constant VIRTUAL_ASSETS = 1;

    /// @inheritdoc IRiskParityVault
    IPriceOracle public immutable priceOracle;
    /// @inheritdoc IRiskParityVault
    IRiskGuard public immutable guard;

    Fees private _fees;
    Beneficiary private _beneficiary;
    /// @inheritdoc IRiskParityVault
    address public auction;

    modifier onlyAuction() {
        if (msg.sender != auction) revert RiskParityVault__OnlyAuction(msg.sender);
        _;
    }

    /// @param cash ERC-20 that is deposited and redeemed, listed in `oracle`
    /// @param basket 2 to 8 distinct tokens listed in `oracle`, in the order of the volatility reports
    /// @param account Where the basket is collateral for borrowed cash; the zero address: no leverage
    constructor(
        string memory name_,
        string memory symbol_,
        address owner_,
        IERC20 cash,
        address[] memory basket,
        IPriceOracle oracle,
        IRiskGuard guard_,
        ILendingAccount account
    ) ERC20(name_, symbol_) ERC4626(cash) Custody(cash, basket, account) Ownable(owner_) {
        if (address(oracle) == address(0) || address(guard_) == address(0))
            revert RiskParityVault__ZeroAddress();
        priceOracle = oracle;
        guard = guard_;
        oracle.quote(address(cash));
        for (uint256 i; i < basket.length; ++i) oracle.quote(basket[i]);
        _beneficiary.highWaterMarkWad = uint96(WAD);
    }

    // ------------------------------------------------------------------ admin

    /// @inheritdoc IRiskParityVault
    function setAuction(address newAuction) external onlyOwner {
        if (newAuction == address(0)) revert RiskParityVault__ZeroAddress();
        if (auction != address(0)) revert RiskParityVault__AuctionAlreadySet(auction);
        auction = newAuction;
        emit AuctionSet(newAuction);
    }

    /// @inheritdoc IRiskParityVault
    function setFees(Fees calldata newFees, address recipient) external onlyOwner nonReentrant {
        Bounds.check("entryFeeWad", newFees.entryFeeWad, 0, MAX_ENTRY_FEE_WAD);
        Bounds.check("exitFeeWad", newFees.exitFeeWad, 0, MAX_EXIT_FEE_WAD);
        Bounds.check("managementFeeWad", newFees.managementFeeWad, 0, MAX_MANAGEMENT_FEE_WAD);
        Bounds.check("performanceFeeWad", newFees.performanceFeeWad, 0, MAX_PERFORMANCE_FEE_WAD);
        if (recipient == address(0)) revert RiskParityVault__ZeroAddress();
        // the old fees go to the old recipient, and the mark rises to the price now: gains made before a
        // performance fee existed never owe it
        Nav memory value = _nav();
        uint256 priceWad = _priceWad(value.mid, _accrueFees(value));
        _beneficiary = Beneficiary(recipient, _mark(priceWad, _beneficiary.highWaterMarkWad));
        _fees = newFees;
        emit FeesSet(newFees, recipient);
    }

    /// @inheritdoc IRiskParityVault
    function setBasket(address[] calldata newBasket) external onlyOwner nonReentrant {
        // No fee is due for a change, and the high-water mark stays. What is dropped needs a price only if some is left: a
        // dead feed does not keep its token. The NAV is of the new book, so that every token in it has a price now.
        (address[] memory tokens, uint256[] memory left) = _replaceBasket(newBasket);
        uint256 limitWad = FixedPointMathLib.mulWad(portfolio().navWad, MAX_DUST_WAD);
        for (uint256 i; i < tokens.length; ++i) {
            if (left[i] == 0) continue;
            uint256 valueWad = NavMath.usdWad(left[i], priceOracle.quote(tokens[i]));
            if (valueWad > limitWad) revert RiskParityVault__NotSold(tokens[i], left[i], valueWad, limitWad);
        }
        emit BasketSet(newBasket, _ledger.basketVersion);
    }

    /// @inheritdoc IRiskParityVault
    function setDepositCap(uint256 newCap) external {
        bool tightens = newCap < _ledger.depositCap && msg.sender == guard.guardian();
        if (!tightens) _checkOwner();
        _ledger.depositCap = newCap.toUint96();
        emit DepositCapSet(newCap);
    }

    // ---------------------------------------------------------------- deposit

    /// @inheritdoc IERC4626
    function deposit(
        uint256 assets,
        address receiver
    ) public override(ERC4626, IERC4626) nonReentrant returns (uint256 shares) {
        if (assets == 0) revert RiskParityVault__ZeroAmount();
        Nav memory value = _nav();
        uint256 supply = _accrueFees(value);
        shares = _sharesForDeposit(assets, value, supply);
        if (shares == 0) revert RiskParityVault__ZeroShares(assets);
        _enter(assets, shares, receiver, value);
    }

    /// @inheritdoc IERC4626
    function mint(
        uint256 shares,
        address receiver
    ) public override(ERC4626, IERC4626) nonReentrant returns (uint256 assets) {
        if (shares == 0) revert RiskParityVault__ZeroAmount();
        Nav memory value = _nav();
        uint256 supply = _accrueFees(value);
        assets = _assetsForMint(shares, value, supply);
        _enter(assets, shares, receiver, value);
    }

    function _enter(uint256 assets, uint256 shares, address receiver, Nav memory value) private {
        if (!guard.depositsAllowed(_healthFactorWad()) || _underWater(value.mid))
            revert RiskParityVault__DepositsClosed();
        uint256 room = FixedPointMathLib.zeroFloorSub(_ledger.depositCap, value.mid);
        if (assets > room) revert RiskParityVault__DepositCapExceeded(assets, room);
        uint256 cash = _ledger.cash + assets;
        _ledger.cash = cash.toUint96();
        _mint(receiver, shares);
        IERC20(asset()).safeTransferFrom(msg.sender, address(this), assets);
        _requireBacked(IERC20(asset()), cash);
        emit Deposit(msg.sender, receiver, assets, shares);
    }

    /// @dev A NAV of 0 may hide how much more is owed: whoever entered at it would own what a recovery brings back. The
    ///      health factor does not tell, for anybody may give the account collateral.
    function _underWater(uint256 navMid) private view returns (bool) {
        return navMid == 0 && _levered() && _account.debt() != 0;
    }

    function _sharesForDeposit(
        uint256 assets,
        Nav memory value,
        uint256 supply
    ) private view returns (uint256) {
        uint256 net = assets - FixedPointMathLib.fullMulDivUp(assets, _fees.entryFeeWad, WAD);
        return FixedPointMathLib.fullMulDiv(net, supply + VIRTUAL_SHARES, value.ask + VIRTUAL_ASSETS);
    }

    function _assetsForMint(uint256 shares, Nav memory value, uint256 supply) private view returns (uint256) {
        uint256 net = FixedPointMathLib.fullMulDivUp(
            shares,
            value.ask + VIRTUAL_ASSETS,
            supply + VIRTUAL_SHARES
        );
        return FixedPointMathLib.fullMulDivUp(net, WAD, WAD - _fees.entryFeeWad);
    }

    // ----------------------------------------------------------------- redeem

    /// @inheritdoc IERC4626
    function withdraw(
        uint256 assets,
        address receiver,
        address owner_
    ) public override(ERC4626, IERC4626) nonReentrant returns (uint256 shares) {
        if (assets == 0) revert RiskParityVault__ZeroAmount();
        Nav memory value = _nav();
        uint256 supply = _accrueFees(value);
        shares = _sharesForWithdraw(assets, value, supply);
        _leave(assets, shares, receiver, owner_);
    }

    /// @inheritdoc IERC4626
    function redeem(
        uint256 shares,
        address receiver,
        address owner_
    ) public override(ERC4626, IERC4626) nonReentrant returns (uint256 assets) {
        if (shares == 0) revert RiskParityVault__ZeroAmount();
        Nav memory value = _nav();
        uint256 supply = _accrueFees(value);
        assets = _assetsForRedeem(shares, value, supply);
        if (assets == 0) revert RiskParityVault__ZeroAssets(shares);
        _leave(assets, shares, receiver, owner_);
    }

    function _leave(uint256 assets, uint256 shares, address receiver, address owner_) private {
        uint256 cash = _ledger.cash;
        if (assets > cash) revert RiskParityVault__InsufficientCash(assets, cash);
        if (receiver == address(0)) revert RiskParityVault__ZeroAddress();
        if (msg.sender != owner_) _spendAllowance(owner_, msg.sender, shares);
        _ledger.cash = uint96(cash - assets);
        _burn(owner_, shares);
        IERC20(asset()).safeTransfer(receiver, assets);
        emit Withdraw(msg.sender, receiver, owner_, assets, shares);
    }

    function _assetsForRedeem(
        uint256 shares,
        Nav memory value,
        uint256 supply
    ) private view returns (uint256) {
        uint256 gross = FixedPointMathLib.fullMulDiv(
            shares,
            value.bid + VIRTUAL_ASSETS,
            supply + VIRTUAL_SHARES
        );
        return gross - FixedPointMathLib.fullMulDivUp(gross, _fees.exitFeeWad, WAD);
    }

    function _sharesForWithdraw(
        uint256 assets,
        Nav memory value,
        uint256 supply
    ) private view returns (uint256) {
        uint256 gross = FixedPointMathLib.fullMulDivUp(assets, WAD, WAD - _fees.exitFeeWad);
        return FixedPointMathLib.fullMulDivUp(gross, supply + VIRTUAL_SHARES, value.bid + VIRTUAL_ASSETS);
    }

    // ---------------------------------------------------------------- in kind

    /// @inheritdoc IRiskParityVault
    function redeemInKind(
        uint256 shares,
        address receiver,
        address owner_,
        address[] calldata skip
    ) external nonReentrant returns (uint256[] memory amounts) {
        if (shares == 0) revert RiskParityVault__ZeroAmount();
        if (receiver == address(0)) revert RiskParityVault__ZeroAddress();
        if (msg.sender != owner_) _spendAllowance(owner_, msg.sender, shares);
        // the performance fee needs prices, which this exit must not; the management fee needs only time
        uint256 supply = _accrueManagementFee();
        _burn(owner_, shares);

        uint256 repaid;
        (amounts, repaid) = _payInKind(receiver, _afterExitFee(shares), supply, VIRTUAL_SHARES, skip);
        emit RedeemedInKind(msg.sender, receiver, owner_, shares, amounts, repaid);
    }

    /// @inheritdoc IRiskParityVault
    function previewRedeemInKind(
        uint256 shares
    ) external view returns (uint256[] memory amounts, uint256 debtRepaid) {
        address[] memory tokens;
        (tokens, amounts, debtRepaid) = _book();
        uint256 supply = totalSupply();
        supply += _managementFeeDue(supply);
        _split(amounts, tokens, _afterExitFee(shares), supply + VIRTUAL_SHARES, new address[](0));
        debtRepaid = _debtOf(debtRepaid, _afterExitFee(shares), supply, VIRTUAL_SHARES);
    }

    function _afterExitFee(uint256 shares) private view returns (uint256) {
        return shares - FixedPointMathLib.fullMulDivUp(shares, _fees.exitFeeWad, WAD);
    }

    // ---------------------------------------------------------------- auction

    /// @inheritdoc IRiskParityVault
    function exchange(
        address payer,
        address receiver,
        uint256[] calldata sold,
        uint256 buyIndex,
        uint256 bought,
        uint256 cashFloor
    ) external onlyAuction nonReentrant {
        _exchange(payer, receiver, sold, buyIndex, bought, cashFloor);
        emit Exchanged(payer, receiver, sold, buyIndex, bought);
    }

    // ------------------------------------------------------------------- fees

    /// @inheritdoc IRiskParityVault
    function accrueFees() external nonReentrant {
        _accrueFees(_nav());
    }

    /// @dev Mints what is due and returns the supply after it.
    function _accrueFees(Nav memory value) private returns (uint256 supply) {
        (uint256 management, uint256 performance, uint256 priceWad) = _feesDue(value.mid);
        _ledger.feesAccruedAt = uint40(block.timestamp);
        // also without a fee: exit fees that the last holder left behind are nobody's gain
        if (priceWad != 0) _beneficiary.highWaterMarkWad = _mark(priceWad, _beneficiary.highWaterMarkWad);
        return _mintFees(management, performance);
    }

    function _accrueManagementFee() private returns (uint256 supply) {
        uint256 due = _managementFeeDue(totalSupply());
        _ledger.feesAccruedAt = uint40(block.timestamp);
        return _mintFees(due, 0);
    }

    function _mintFees(uint256 management, uint256 performance) private returns (uint256 supply) {
        if (management + performance != 0) {
            Beneficiary memory beneficiary = _beneficiary;
            _mint(beneficiary.recipient, management + performance);
            emit FeesAccrued(management, performance, beneficiary.highWaterMarkWad);
        }
        return totalSupply();
    }

    function _managementFeeDue(uint256 supply) private view returns (uint256) {
        uint256 feeWad = _fees.managementFeeWad;
        if (feeWad == 0) return 0;
        return FeeMath.managementShares(supply, feeWad, block.timestamp - _ledger.feesAccruedAt);
    }

    /// @dev priceWad: the share price once these shares are minted; 0 without a performance fee to look at.
    function _feesDue(
        uint256 navMid
    ) private view returns (uint256 management, uint256 performance, uint256 priceWad) {
        uint256 supply = totalSupply();
        management = _managementFeeDue(supply);
        uint256 feeWad = _fees.performanceFeeWad;
        if (feeWad == 0) return (management, 0, 0);
        supply += management;
        uint256 markWad = _beneficiary.highWaterMarkWad;
        priceWad = _priceWad(navMid, supply);
        // at its end the mark can rise no more: what it cannot remember must not be charged twice
        if (markWad == type(uint96).max) return (management, 0, priceWad);
        performance = FeeMath.performanceShares(supply, feeWad, priceWad, markWad);
        priceWad = _priceWad(navMid, supply + performance);
    }

    /// @dev The mark never falls (dilution may round the price to just under it) and never overflows.
    function _mark(uint256 priceWad, uint256 oldWad) private pure returns (uint96) {
        return uint96(FixedPointMathLib.clamp(priceWad, oldWad, type(uint96).max));
    }

    function _priceWad(uint256 navMid, uint256 supply) private pure returns (uint256) {
        return
            FixedPointMathLib.fullMulDiv(
                (navMid + VIRTUAL_ASSETS) * VIRTUAL_SHARES,
                WAD,
                supply + VIRTUAL_SHARES
            );
    }

    // -------------------------------------------------------------------- NAV

    function _nav() private view returns (Nav memory) {
        (address[] memory tokens, uint256[] memory balances, uint256 owed) = _book();
        return NavMath.nav(balances, priceOracle.quotes(tokens), owed);
    }

    function _pricesLive() private view returns (bool) {
        (address[] memory tokens, , ) = _book();
        IPriceOracle.Fault[] memory faults = priceOracle.faults(tokens);
        for (uint256 i; i < faults.length; ++i) if (faults[i] != IPriceOracle.Fault.None) return false;
        return true;
    }

    // ------------------------------------------------------- ERC-4626 views

    /// @inheritdoc IERC4626
    function totalAssets() public view override(ERC4626, IERC4626) returns (uint256) {
        return _nav().mid;
    }

    /// @inheritdoc IERC4626
    function maxDeposit(address) public view override(ERC4626, IERC4626) returns (uint256) {
        if (mode() > IRiskGuard.Mode.NoIncrease || guard.depositsPaused()) return 0;
        uint256 navMid = totalAssets();
        if (_underWater(navMid)) return 0;
        uint256 room = FixedPointMathLib.zeroFloorSub(_ledger.depositCap, navMid);
        // a remainder of the cap too small for a share is refused by `deposit`
        return previewDeposit(room) == 0 ? 0 : room;
    }

    /// @inheritdoc IERC4626
    function maxMint(address receiver) public view override(ERC4626, IERC4626) returns (uint256) {
        uint256 assets = maxDeposit(receiver);
        return assets == 0 ? 0 : previewDeposit(assets);
    }

    /// @inheritdoc IERC4626
    function maxWithdraw(address owner_) public view override(ERC4626, IERC4626) returns (uint256) {
        if (!_pricesLive()) return 0;
        return FixedPointMathLib.min(previewRedeem(balanceOf(owner_)), _ledger.cash);
    }

    /// @inheritdoc IERC4626
    function maxRedeem(address owner_) public view override(ERC4626, IERC4626) returns (uint256) {
        if (!_pricesLive()) return 0;
        (Nav memory value, uint256 supply) = _navAndSupplyAfterFees();
        uint256 shares = balanceOf(owner_);
        uint256 cash = _ledger.cash;
        if (_assetsForRedeem(shares, value, supply) > cash) {
            uint256 gross = FixedPointMathLib.fullMulDiv(cash, WAD, WAD - _fees.exitFeeWad);
            shares = FixedPointMathLib.fullMulDiv(gross, supply + VIRTUAL_SHARES, value.bid + VIRTUAL_ASSETS);
        }
        // shares too few for a wei of the asset are refused by `redeem`
        return _assetsForRedeem(shares, value, supply) == 0 ? 0 : shares;
    }

    /// @inheritdoc IERC4626
    function previewDeposit(uint256 assets) public view override(ERC4626, IERC4626) returns (uint256) {
        (Nav memory value, uint256 supply) = _navAndSupplyAfterFees();
        return _sharesForDeposit(assets, value, supply);
    }

    /// @inheritdoc IERC4626
    function previewMint(uint256 shares) public view override(ERC4626, IERC4626) returns (uint256) {
        (Nav memory value, uint256 supply) = _navAndSupplyAfterFees();
        return _assetsForMint(shares, value, supply);
    }

    /// @inheritdoc IERC4626
    function previewWithdraw(uint256 assets) public view override(ERC4626, IERC4626) returns (uint256) {
        (Nav memory value, uint256 supply) = _navAndSupplyAfterFees();
        return _sharesForWithdraw(assets, value, supply);
    }

    /// @inheritdoc IERC4626
    function previewRedeem(uint256 shares) public view override(ERC4626, IERC4626) returns (uint256) {
        (Nav memory value, uint256 supply) = _navAndSupplyAfterFees();
        return _assetsForRedeem(shares, value, supply);
    }

    function _navAndSupplyAfterFees() private view returns (Nav memory value, uint256 supply) {
        value = _nav();
        (uint256 management, uint256 performance, ) = _feesDue(value.mid);
        supply = totalSupply() + management + performance;
    }

    function _convertToShares(
        uint256 assets,
        Math.Rounding rounding
    ) internal view override returns (uint256) {
        (Nav memory value, uint256 supply) = _navAndSupplyAfterFees();
        return Math.mulDiv(assets, supply + VIRTUAL_SHARES, value.mid + VIRTUAL_ASSETS, rounding);
    }

    function _convertToAssets(
        uint256 shares,
        Math.Rounding rounding
    ) internal view override returns (uint256) {
        (Nav memory value, uint256 supply) = _navAndSupplyAfterFees();
        return Math.mulDiv(shares, value.mid + VIRTUAL_ASSETS, supply + VIRTUAL_SHARES, rounding);
    }

    function _decimalsOffset() internal pure override returns (uint8) {
        return DECIMALS_OFFSET;
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IRiskParityVault
    function portfolio() public view returns (Portfolio memory book) {
        (book.tokens, book.balances, book.debt) = _book();
        book.basketVersion = _ledger.basketVersion;
        book.quotes = priceOracle.quotes(book.tokens);
        book.valuesWad = new uint256[](book.tokens.length);
        uint256 last = book.tokens.length - 1;
        for (uint256 i; i <= last; ++i) {
            book.valuesWad[i] = NavMath.usdWad(book.balances[i], book.quotes[i]);
            book.navWad += book.valuesWad[i];
        }
        book.debtWad = NavMath.usdWad(book.debt, book.quotes[last]);
        book.navWad = FixedPointMathLib.zeroFloorSub(book.navWad, book.debtWad);
    }

    /// @inheritdoc IRiskParityVault
    function holdings() external view returns (address[] memory tokens, uint256[] memory balances) {
        (tokens, balances, ) = _book();
    }

    /// @inheritdoc IRiskParityVault
    function basketVersion() external view returns (uint16) {
        return _ledger.basketVersion;
    }

    /// @inheritdoc IRiskParityVault
    function debt() external view returns (uint256) {
        return _levered() ? _account.debt() : 0;
    }

    /// @inheritdoc IRiskParityVault
    function healthFactorWad() external view returns (uint256) {
        return _healthFactorWad();
    }

    /// @inheritdoc IRiskParityVault
    function lendingAccount() external view returns (ILendingAccount) {
        return _account;
    }

    /// @inheritdoc IRiskParityVault
    function nav() external view returns (Nav memory) {
        return _nav();
    }

    /// @inheritdoc IRiskParityVault
    function sharePriceWad() external view returns (uint256) {
        (Nav memory value, uint256 supply) = _navAndSupplyAfterFees();
        return _priceWad(value.mid, supply);
    }

    /// @inheritdoc IRiskParityVault
    function mode() public view returns (IRiskGuard.Mode) {
        if (!_pricesLive()) return IRiskGuard.Mode.InKindOnly;
        uint256 gas = gasleft();
        // the venue values the collateral by an oracle of its own, which may be dead while ours lives
        try this.healthFactorWad{gas: HEALTH_GAS}() returns (uint256 healthWad) {
            return guard.modeAt(healthWad);
        } catch {
            // a call takes 63/64 of the gas along: a venue that got less than it may use was starved, not dead
            uint256 needed = HEALTH_GAS + HEALTH_GAS / 32;
            if (gas < needed) revert RiskParityVault__TooLittleGas(gas, needed);
            return IRiskGuard.Mode.InKindOnly;
        }
    }

    /// @inheritdoc IRiskParityVault
    function fees() external view returns (Fees memory) {
        return _fees;
    }

    /// @inheritdoc IRiskParityVault
    function feeRecipient() external view returns (address) {
        return _beneficiary.recipient;
    }

    /// @inheritdoc IRiskParityVault
    function depositCap() external view returns (uint256) {
        return _ledger.depositCap;
    }

    /// @inheritdoc IRiskParityVault
    function highWaterMarkWad() external view returns (uint256) {
        return _beneficiary.highWaterMarkWad;
    }
}
