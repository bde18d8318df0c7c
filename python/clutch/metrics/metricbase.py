"""The classes of clutch.metrics, where PyFlink has them."""

from clutch.metrics import Counter, Distribution, Meter, Metric, MetricGroup

__all__ = ["Counter", "Distribution", "Meter", "Metric", "MetricGroup"]
