"""Who may look, and what a page may do."""
