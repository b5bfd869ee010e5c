"""What the tests with real processes share."""
