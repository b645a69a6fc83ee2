"""What a kind says about itself, read from its class: for the documentation and for `gatewright stages show`."""
