"""Contract suites and builders for the tests of this program and of its plug-ins."""
