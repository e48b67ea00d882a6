"""What people, signers, keepers, markets and governors do: a topic a module, each a mixin of the machine."""
