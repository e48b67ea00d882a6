// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

import {IAavePool} from "../../contracts/interfaces/external/IAaveV3.sol";
import {ILendingAccount} from "../../contracts/interfaces/ILendingAccount.sol";
import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {IRealizedVolatility} from "../../contracts/interfaces/IRealizedVolatility.sol";
import {IRebalanceAuction} from "../../contracts/interfaces/IRebalanceAuction.sol";
import {IRiskGuard} from "../../contracts/interfaces/IRiskGuard.sol";
import {IRiskParityVault} from "../../contracts/interfaces/IRiskParityVault.sol";
import {IVolatilityOracle} from "../../contracts/interfaces/IVolatilityOracle.sol";
import {AaveV3Account} from "../../contracts/lending/AaveV3Account.sol";
import {PriceOracle} from "../../contracts/oracle/PriceOracle.sol";
import {RealizedVolatility} from "../../contracts/oracle/RealizedVolatility.sol";
import {VolatilityOracle} from "../../contracts/oracle/VolatilityOracle.sol";
import {RiskTimelock} from "../../contracts/governance/RiskTimelock.sol";
import {RebalanceAuction} from "../../contracts/vault/RebalanceAuction.sol";
import {RiskGuard} from "../../contracts/vault/RiskGuard.sol";
import {RiskParityVault} from "../../contracts/vault/RiskParityVault.sol";
import {Proof} from "./Cheats.sol";
import {Prices, Reports} from "./Doubles.sol";

/// @dev As much of Aave and of a token as the lending account's constructor asks for.
contract Reserves {
    function getReserveData(address) external view returns (IAavePool.ReserveData memory reserve) {
        reserve.aTokenAddress = reserve.variableDebtTokenAddress = address(this);
    }

    function approve(address, uint256) external pure returns (bool) {
        return true;
    }
}

/// @title Every privileged function refuses every caller without the privilege, whatever it is called with
contract AccessProofs is Proof {
    address internal constant VAULT = address(0xDA17);
    bytes4 internal immutable NOT_OWNER = Ownable.OwnableUnauthorizedAccount.selector;
    bytes4 internal immutable NOT_GUARDIAN = IRiskGuard.RiskGuard__NotGuardian.selector;
    bytes4 internal immutable NOT_EITHER = IVolatilityOracle.VolatilityOracle__NotOwnerOrGuardian.selector;
    bytes4 internal immutable NOT_AUCTION = IRiskParityVault.RiskParityVault__OnlyAuction.selector;
    bytes4 internal immutable NOT_VAULT = ILendingAccount.LendingAccount__OnlyVault.selector;
    bytes4 internal immutable NOT_ITSELF = TimelockController.TimelockUnauthorizedCaller.selector;
    bytes4 internal immutable BOUND = ILendingAccount.LendingAccount__AlreadyBound.selector;
    bytes4 internal immutable SET = IRiskParityVault.RiskParityVault__AuctionAlreadySet.selector;
    RiskGuard internal guard;
    PriceOracle internal prices;
    RealizedVolatility internal realized;
    VolatilityOracle internal volatilities;
    RiskParityVault internal vault;
    RebalanceAuction internal auction;
    AaveV3Account internal account;
    RiskTimelock internal timelock;

    function setUp() public {
        address[] memory basket = new address[](2);
        (basket[0], basket[1]) = (address(0x1001), address(0x1002));
        IPriceOracle doubles = IPriceOracle(address(new Prices()));
        prices = new PriceOracle(
            OWNER,
            IPriceOracle.ChainConfig(address(0), 0, 1),
            new IPriceOracle.FeedConfig[](0)
        );
        realized = new RealizedVolatility(
            OWNER,
            doubles,
            basket,
            IRealizedVolatility.Params(11 days, 1 hours, 1 days, 1 days, 0.5e18)
        );
        address[] memory signers = new address[](3);
        (signers[0], signers[1], signers[2]) = (address(1), address(2), address(3));
        volatilities = new VolatilityOracle(
            OWNER,
            GUARDIAN,
            realized,
            basket,
            (uint256(0.5e8) << 32) | 0.5e8,
            signers,
            2,
            IVolatilityOracle.Params(1 hours, 10 minutes, 0.2e18, 0.01e18, 0.7e18, 0.7e18, 2 days)
        );
        guard = new RiskGuard(
            OWNER,
            GUARDIAN,
            volatilities,
            IRiskGuard.Params(36 hours, 4 days, 21 days, 45 days, 1.3e18, 1.45e18, 1.6e18)
        );
        vault = new RiskParityVault(
            "Equipoise",
            "EQ",
            OWNER,
            IERC20(address(0xCA54)),
            basket,
            doubles,
            guard,
            ILendingAccount(address(0))
        );
        auction = new RebalanceAuction(OWNER, vault, volatilities, _auctionParams());
        vm.prank(OWNER);
        vault.setAuction(address(auction));
        address reserves = address(new Reserves());
        account = new AaveV3Account(IAavePool(reserves), IERC20(reserves), new address[](0));
        vm.prank(VAULT);
        account.bind();
        timelock = new RiskTimelock(2 days, GUARDIAN, OWNER);
    }

    function _auctionParams() private pure returns (IRebalanceAuction.Params memory p) {
        (p.targetVolatilityWad, p.maxLeverageWad, p.parityBandWad, p.volatilityBandWad) = (
            0.2e18,
            1e18,
            0.05e18,
            0.1e18
        );
        (p.startPremiumWad, p.endDiscountWad, p.lossBudgetWad, p.cashBufferWad) = (
            0.01e18,
            0.01e18,
            0.005e18,
            0.02e18
        );
        (p.maxBorrowRateWad, p.ripcordDiscountWad, p.ripcordDuration, p.duration) = (
            0.2e18,
            0.03e18,
            900,
            1800
        );
    }

    function _notOwner(address caller) private pure {
        vm.assume(caller != OWNER);
    }

    function _ownable(address caller, address target, address to) private {
        _refused(NOT_OWNER, caller, target, abi.encodeCall(Ownable.transferOwnership, (to)));
        _refused(NOT_OWNER, caller, target, abi.encodeCall(Ownable.renounceOwnership, ()));
        _refused(NOT_OWNER, caller, target, abi.encodeCall(Ownable2Step.acceptOwnership, ()));
    }

    /// @dev EQ-38 EQ-156: But for the zero address, which owns whatever was offered to nobody and which nobody can call from.
    function check_ownership_anyOther_refused(address caller, address to) public {
        _notOwner(caller);
        vm.assume(caller != address(0));
        _ownable(caller, address(guard), to);
        _ownable(caller, address(prices), to);
        _ownable(caller, address(realized), to);
        _ownable(caller, address(volatilities), to);
        _ownable(caller, address(vault), to);
        _ownable(caller, address(auction), to);
    }

    /// @dev EQ-101
    function check_guard_anyOther_refused(address caller, IRiskGuard.Params memory p, address to) public {
        _notOwner(caller);
        _refused(NOT_OWNER, caller, address(guard), abi.encodeCall(RiskGuard.unpause, ()));
        _refused(NOT_OWNER, caller, address(guard), abi.encodeCall(RiskGuard.setParams, (p)));
        _refused(NOT_OWNER, caller, address(guard), abi.encodeCall(RiskGuard.setGuardian, (to)));
        vm.assume(caller != GUARDIAN);
        _refused(NOT_GUARDIAN, caller, address(guard), abi.encodeCall(RiskGuard.pauseIncreases, ()));
        _refused(NOT_GUARDIAN, caller, address(guard), abi.encodeCall(RiskGuard.pauseDeposits, ()));
    }

    /// @dev EQ-42 EQ-48
    function check_priceOracle_anyOther_refused(
        address caller,
        IPriceOracle.FeedConfig memory config,
        address token,
        IPriceOracle.Twap memory twap
    ) public {
        _notOwner(caller);
        _refused(NOT_OWNER, caller, address(prices), abi.encodeCall(PriceOracle.setFeed, (config)));
        _refused(NOT_OWNER, caller, address(prices), abi.encodeCall(PriceOracle.setTwap, (token, twap)));
    }

    /// @dev EQ-147
    function check_realizedVolatility_anyOther_refused(
        address caller,
        address first,
        address second,
        IRealizedVolatility.Params memory p
    ) public {
        _notOwner(caller);
        address[] memory basket = _pair(first, second);
        _refused(
            NOT_OWNER,
            caller,
            address(realized),
            abi.encodeCall(RealizedVolatility.setVolatilityOracle, (IVolatilityOracle(first)))
        );
        _refused(
            NOT_OWNER,
            caller,
            address(realized),
            abi.encodeCall(RealizedVolatility.setBasket, (basket))
        );
        _refused(NOT_OWNER, caller, address(realized), abi.encodeCall(RealizedVolatility.setParams, (p)));
    }

    /// @dev EQ-36 EQ-37 EQ-38 EQ-90
    function check_volatilityOracle_anyOther_refused(
        address caller,
        address first,
        address second,
        uint256 word,
        IVolatilityOracle.Params memory p
    ) public {
        _notOwner(caller);
        address target = address(volatilities);
        _refused(
            NOT_OWNER,
            caller,
            target,
            abi.encodeCall(VolatilityOracle.setBasket, (_pair(first, second), word))
        );
        _refused(NOT_OWNER, caller, target, abi.encodeCall(VolatilityOracle.setBudgets, (word)));
        _refused(NOT_OWNER, caller, target, abi.encodeCall(VolatilityOracle.setParams, (p)));
        _refused(
            NOT_OWNER,
            caller,
            target,
            abi.encodeCall(IVolatilityOracle.proposeSigner, (first, second, word))
        );
        _refused(NOT_OWNER, caller, target, abi.encodeCall(IVolatilityOracle.raiseThreshold, (word)));
        _refused(NOT_OWNER, caller, target, abi.encodeCall(IVolatilityOracle.setGuardian, (first)));
        vm.assume(caller != GUARDIAN);
        _refused(NOT_EITHER, caller, target, abi.encodeCall(IVolatilityOracle.cancelProposal, (first)));
        _refused(NOT_EITHER, caller, target, abi.encodeCall(IVolatilityOracle.removeSigner, (first)));
    }

    /// @dev EQ-53 EQ-62
    function check_vault_anyOther_refused(
        address caller,
        address first,
        address second,
        IRiskParityVault.Fees memory fees,
        uint256 cap
    ) public {
        _notOwner(caller);
        address target = address(vault);
        _refused(NOT_OWNER, caller, target, abi.encodeCall(RiskParityVault.setAuction, (first)));
        _refused(NOT_OWNER, caller, target, abi.encodeCall(RiskParityVault.setFees, (fees, first)));
        _refused(
            NOT_OWNER,
            caller,
            target,
            abi.encodeCall(RiskParityVault.setBasket, (_pair(first, second)))
        );
        vm.assume(caller != GUARDIAN);
        _refused(NOT_OWNER, caller, target, abi.encodeCall(RiskParityVault.setDepositCap, (cap)));
    }

    /// @dev EQ-52: not the owner either.
    function check_exchange_anyButTheAuction_refused(
        address caller,
        address payer,
        uint256 sold,
        uint256 index,
        uint256 bought
    ) public {
        vm.assume(caller != address(auction));
        uint256[] memory amounts = new uint256[](3);
        amounts[0] = sold;
        bytes memory data = abi.encodeCall(
            RiskParityVault.exchange,
            (payer, payer, amounts, index, bought, 0)
        );
        _refused(NOT_AUCTION, caller, address(vault), data);
    }

    /// @dev EQ-52: The auction is set once and for ever: the owner cannot replace it.
    function check_setAuction_again_refused(address other) public {
        vm.assume(other != address(0));
        _refused(SET, OWNER, address(vault), abi.encodeCall(RiskParityVault.setAuction, (other)));
    }

    /// @dev EQ-87
    function check_auction_anyOther_refused(address caller, IRebalanceAuction.Params memory p) public {
        vm.assume(caller != OWNER && caller != GUARDIAN);
        _refused(NOT_OWNER, caller, address(auction), abi.encodeCall(RebalanceAuction.setParams, (p)));
    }

    /// @dev EQ-120
    function check_lendingAccount_anyButTheVault_refused(
        address caller,
        address token,
        uint256 amount,
        address to
    ) public {
        vm.assume(caller != VAULT);
        address target = address(account);
        _refused(NOT_VAULT, caller, target, abi.encodeCall(AaveV3Account.list, (token)));
        _refused(NOT_VAULT, caller, target, abi.encodeCall(AaveV3Account.supply, (token, amount)));
        _refused(NOT_VAULT, caller, target, abi.encodeCall(AaveV3Account.withdraw, (token, amount, to)));
        _refused(NOT_VAULT, caller, target, abi.encodeCall(AaveV3Account.release, (token, amount, to)));
        _refused(NOT_VAULT, caller, target, abi.encodeCall(AaveV3Account.borrow, (amount)));
        _refused(NOT_VAULT, caller, target, abi.encodeCall(AaveV3Account.repay, (amount)));
    }

    /// @dev EQ-120: Bound once and for ever, also for the vault.
    function check_bind_again_refused(address caller) public {
        _refused(BOUND, caller, address(account), abi.encodeCall(AaveV3Account.bind, ()));
    }

    /// @dev EQ-154 EQ-155
    function check_timelock_anyButItself_refused(
        address caller,
        address target,
        bytes4 selector,
        uint256 delay
    ) public {
        vm.assume(caller != address(timelock));
        _refused(NOT_ITSELF, caller, address(timelock), abi.encodeCall(RiskTimelock.updateDelay, (delay)));
        _refused(
            NOT_ITSELF,
            caller,
            address(timelock),
            abi.encodeCall(RiskTimelock.abdicate, (target, selector))
        );
    }

    /// @dev EQ-101: What a guardian can change of the deposit cap goes down only.
    function check_setDepositCap_guardian_onlyLower(uint256 first, uint256 second) public {
        vm.prank(OWNER);
        vault.setDepositCap(first);
        vm.prank(GUARDIAN);
        vault.setDepositCap(second);
        assert(second < first && vault.depositCap() == second);
    }

    /// @dev EQ-98: `_tightens`: whatever a guardian's `setParams` lets through lowers four numbers and touches no other.
    function check_setParams_guardian_onlyTightens(
        IRebalanceAuction.Params memory old,
        IRebalanceAuction.Params memory p
    ) public {
        vm.prank(OWNER);
        auction.setParams(old);
        vm.prank(GUARDIAN);
        auction.setParams(p);
        assert(p.targetVolatilityWad <= old.targetVolatilityWad && p.maxLeverageWad <= old.maxLeverageWad);
        assert(p.maxBorrowRateWad <= old.maxBorrowRateWad && p.lossBudgetWad <= old.lossBudgetWad);
        assert(p.parityBandWad == old.parityBandWad && p.volatilityBandWad == old.volatilityBandWad);
        assert(p.startPremiumWad == old.startPremiumWad && p.endDiscountWad == old.endDiscountWad);
        assert(p.cashBufferWad == old.cashBufferWad && p.ripcordDiscountWad == old.ripcordDiscountWad);
        assert(p.ripcordDuration == old.ripcordDuration && p.duration == old.duration);
    }

    function _pair(address first, address second) private pure returns (address[] memory pair) {
        pair = new address[](2);
        (pair[0], pair[1]) = (first, second);
    }
}
