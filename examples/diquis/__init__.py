"""Diquis: tenants are made ready in the background, and who asked for one is told on his page."""
