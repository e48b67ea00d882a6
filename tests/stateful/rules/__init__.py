"""What people, signers, keepers, markets and governors do: one topic a module, each a mixin of the machine."""
