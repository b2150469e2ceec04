"""Many workspaces in one application: each has its own database, queue, workers, dashboard and API."""
