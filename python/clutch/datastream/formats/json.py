"""JSON rows of messages: not served."""

from clutch.datastream._not_served import not_served

__getattr__ = not_served(__name__, "messages of a broker have no schemas here; read lines of text and call json.loads in a map")
