"""What crosses Kafka: frames, headers, topics, dead letters, status, settings, errors.

Producers, consumers and workers all build on this package, so it loads neither Faust nor a Kafka client nor OpenCV.
"""
