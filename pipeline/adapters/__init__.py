"""Ways in: the ASGI application and the server that runs it. Nothing in the engine imports from here."""
