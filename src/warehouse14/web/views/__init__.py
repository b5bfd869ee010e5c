"""The views. Each reads the request, calls one service, and returns a response."""
