"""A regular package: an installed distribution carries another `tests`, which a namespace would lose to."""
