"""Kafka: not served."""

from clutch.datastream._not_served import not_served

__getattr__ = not_served(__name__, "there is no connector to Kafka; use a source or sink of clutch.datastream.connectors, such as FileSource and FileSink")
