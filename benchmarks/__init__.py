"""How fast the index is, beside the ceiling of its web server and beside its peers."""
