"""What runs: time, threads, processes and signals."""
