"""A small database as a team has it that comes from the TARGCC TaskManager: see README.md beside this file."""
