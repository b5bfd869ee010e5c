"""The core of the index: values, policy, use cases, and the ports that they need. No framework."""
