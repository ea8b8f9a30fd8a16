"""What the steps of a definition start: jobs in containers, searches, functions, and models to register."""
