"""The use cases. Each takes the acting identity first and does one unit of work."""
