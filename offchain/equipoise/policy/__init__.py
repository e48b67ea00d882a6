"""When to rebalance and what to trade: one code for live keepers and backtests, mirroring the contracts."""
