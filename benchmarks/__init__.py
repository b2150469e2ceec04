"""Measurements: each a ratio against a raw-SQL loop in the same run."""
