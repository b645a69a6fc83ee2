"""The laws of a whole config: built as it is, with stand-ins for what is outside of it."""
