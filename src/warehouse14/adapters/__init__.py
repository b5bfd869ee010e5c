"""The adapters. Each stands alone and is found by its entry point."""
