"""From the caller's dialect to the target's, and what one call cannot do (`fan_out`) or no call (`promises`)."""
