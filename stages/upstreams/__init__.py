"""Model servers and the HTTP clients that reach them."""
