"""Sources one after the other: not served."""

from clutch.datastream._not_served import not_served

__getattr__ = not_served(__name__, "a source cannot follow another one; use two sources and DataStream.union")
