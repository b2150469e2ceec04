"""An application whose recurring jobs are code, and are administered by people with permissions."""
