"""What we run ourselves: ordinary jobs, guests of the house."""
