"""What open() receives: FunctionContext of the Table API and RuntimeContext of the DataStream API in one object."""

_COUNTER, _GAUGE, _HISTOGRAM, _METER = range(4)
_PENDING = 1024  # observations kept back before they are handed over


class Counter(object):
    def __init__(self, name):
        self._name = name
        self._count = 0
        self._sent = 0

    def inc(self, n=1):
        self._count += n

    def dec(self, n=1):
        self._count -= n

    def get_count(self):
        return self._count

    def _flush(self, record):
        change = self._count - self._sent
        if change:
            self._sent = self._count
            record(_COUNTER, self._name, change)


class Meter(object):
    def __init__(self, name, time_span_in_seconds):
        self._name = name
        self._count = 0
        self._sent = 0
        self.time_span_in_seconds = time_span_in_seconds

    def mark_event(self, n=1):
        self._count += n

    def get_count(self):
        return self._count

    def _flush(self, record):
        change = self._count - self._sent
        if change:
            self._sent = self._count
            record(_METER, self._name, change)


class Distribution(object):
    def __init__(self, name, record):
        self._name = name
        self._record = record
        self._values = []

    def update(self, n):
        self._values.append(n)
        if len(self._values) >= _PENDING:
            self._flush(self._record)

    def _flush(self, record):
        values, self._values = self._values, []
        for value in values:
            record(_HISTOGRAM, self._name, value)


class _Gauge(object):
    def __init__(self, name, obj):
        self._name = name
        self._obj = obj

    def _flush(self, record):
        record(_GAUGE, self._name, self._obj())


class MetricGroup(object):
    """Metrics under a prefix. Values reach the host when a batch ends."""

    def __init__(self, context, prefix):
        self._context = context
        self._prefix = prefix

    def _add(self, kind, name, make):
        metrics = self._context._metrics
        full = self._prefix + name
        metric = metrics.get(full)
        if metric is None:
            metric = metrics[full] = make(full)
        elif not isinstance(metric, kind):
            raise ValueError("the metric %r is a %s already" % (full, type(metric).__name__.strip("_").lower()))
        return metric

    def counter(self, name):
        return self._add(Counter, name, Counter)

    def gauge(self, name, obj):
        self._add(_Gauge, name, lambda full: _Gauge(full, obj))

    def meter(self, name, time_span_in_seconds=60):
        return self._add(Meter, name, lambda full: Meter(full, time_span_in_seconds))

    def distribution(self, name):
        return self._add(Distribution, name, lambda full: Distribution(full, self._context._record))

    def add_group(self, name, extra=None):
        middle = name if extra is None else "%s.%s" % (name, extra)
        return MetricGroup(self._context, "%s%s." % (self._prefix, middle))


def _parameters(text):
    """Flink's "key:value,key:value", either side in quotes where it has separators."""
    found = {}
    for part in _split(text, ","):
        pieces = _split(part, ":")
        if len(pieces) >= 2:
            found[_unquote(pieces[0])] = _unquote(":".join(pieces[1:]))
    return found


def _split(text, separator):
    parts, part, quote = [], "", ""
    for char in text:
        if quote:
            quote = "" if char == quote else quote
            part += char
        elif char in "'\"":
            quote = char
            part += char
        elif char == separator:
            parts.append(part)
            part = ""
        else:
            part += char
    parts.append(part)
    return [part for part in parts if part.strip()]


def _unquote(text):
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1].replace(text[0] * 2, text[0])
    return text


class FunctionContext(object):
    def __init__(self, name, options, record, states=None):
        self._name = name
        self._options = options
        self._states = states  # of events.py; None for functions without keys
        self._record = record
        self._metrics = {}
        self._job_parameters = dict(options)
        self._job_parameters.update(_parameters(options.get("pipeline.global-job-parameters", "")))

    def get_metric_group(self):
        if self._options.get("python.metric.enabled", "true").strip().lower() == "false":
            raise RuntimeError("metrics are switched off; set python.metric.enabled to true to use them")
        return MetricGroup(self, "")

    get_metrics_group = get_metric_group

    def get_job_parameter(self, key, default_value=None):
        return self._job_parameters.get(key, default_value)

    def _number(self, key, default):
        return int(self._options.get(key, default))

    def get_task_name(self):
        return self._options.get("task.name", self._name)

    def get_task_name_with_subtasks(self):
        return "%s (%d/%d)#%d" % (
            self.get_task_name(),
            self.get_index_of_this_subtask() + 1,
            self.get_number_of_parallel_subtasks(),
            self.get_attempt_number(),
        )

    def get_number_of_parallel_subtasks(self):
        return self._number("task.parallelism", 1)

    def get_max_number_of_parallel_subtasks(self):
        return self._number("task.max-parallelism", 1)

    def get_index_of_this_subtask(self):
        return self._number("task.index", 0)

    def get_attempt_number(self):
        return self._number("task.attempt", 0)

    def _keyed(self, descriptor):
        if self._states is None:
            name = getattr(descriptor, "name", descriptor)
            raise RuntimeError("state %r needs keys; this function has none, a stream.keyed_process has" % (name,))
        return self._states

    def get_state(self, state_descriptor):
        return self._keyed(state_descriptor).get_state(state_descriptor)

    def get_list_state(self, state_descriptor):
        return self._keyed(state_descriptor).get_list_state(state_descriptor)

    def get_map_state(self, state_descriptor):
        return self._keyed(state_descriptor).get_map_state(state_descriptor)

    def get_reducing_state(self, state_descriptor):
        return self._keyed(state_descriptor).get_reducing_state(state_descriptor)

    def get_aggregating_state(self, state_descriptor):
        return self._keyed(state_descriptor).get_aggregating_state(state_descriptor)

    def flush_metrics(self):
        for metric in list(self._metrics.values()):
            metric._flush(self._record)
