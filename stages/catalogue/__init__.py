"""Which models are served and where: the upstreams' own lists, other names for them, and rules for their parameters."""
