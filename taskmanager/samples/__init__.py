"""Sample jobs that `taskmanager up` runs when nothing else is configured."""
