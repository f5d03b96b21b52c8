"""Which execution environment takes an invocation, and when one is started, frozen or stopped."""
