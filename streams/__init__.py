"""The stream processor, and the contract that it shares with producers and consumers."""
