"""The command `gatewright`."""
