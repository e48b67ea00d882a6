"""Daily prices: reading, checking, the default data set, and returns."""
