"""A service whose clients run tasks by REST: now, later, by a schedule."""
