"""`make coverage`: statements and branches of the Solidity sources that the Python tests reach."""
