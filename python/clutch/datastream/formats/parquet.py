"""Parquet: not served."""

from clutch.datastream._not_served import not_served

__getattr__ = not_served(__name__, "there is no format Parquet; FileSource and FileSink read and write lines of text and CSV")
