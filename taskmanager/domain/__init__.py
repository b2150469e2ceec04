"""What is: pure values that answer from their arguments alone. No SQL, no threads."""
