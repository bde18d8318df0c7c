"""What streams mean, in plain Python: small, slow, and written from the description of Apache Flink's semantics.

Models get elements and watermarks one at a time, and keep what they gave in lists. Nothing here is shared with the
engine or with the package's own operators.
"""
