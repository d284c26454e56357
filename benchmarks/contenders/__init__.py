"""The contenders: one a file, each run as a process of its own with the same input topic and the same codec."""
