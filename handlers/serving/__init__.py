"""How the app is served: uvicorn protocol classes with limits, connection admission, start and drain."""
