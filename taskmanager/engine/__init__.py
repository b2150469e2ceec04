"""What happens: verbs inside a transaction. No SQL, no threads, no waiting."""
