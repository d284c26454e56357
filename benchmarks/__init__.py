"""Benchmarks against other ways of doing the same, on a real Kafka; run by `make bench`, and not shipped."""
