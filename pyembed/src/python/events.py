"""Functions of rows and timers by key: the loop over them, what they get as ctx, and their states.

What the runtime expects of a state's descriptor, whatever class it has:

    name           text, unique within the function
    clutch_types   a tuple of type texts ("BIGINT", "ROW<a INT, b STRING>"): (value,) of get_state, (element,) of
                   get_list_state, (key, value) of get_map_state, (value,) of get_reducing_state, (accumulator,) of
                   get_aggregating_state. None in the place of a text: the value is pickled. Keys of a map should have a
                   type, as equal objects may have different pickles.
    clutch_ttl_ms  optional: milliseconds from the last write until the state is gone; 0 or absent: never
    reduce_function     of get_reducing_state: f(a, b), or an object with reduce(a, b)
    aggregate_function  of get_aggregating_state: create_accumulator(), add(value, accumulator) -> accumulator,
                        get_result(accumulator)

The tag of a side output is any object with `tag_id`, its name: `yield tag, value`. What names are there, and of which
types, says the step's option side_outputs. ctx.time_domain() of on_timer gives a TimeDomain of clutch.datastream where
that is imported, else an IntEnum with the same members.
"""

# `feed` says that a row is done and gives the next one, or `end`. `emit` takes a value, or a tag and a value.
_DRIVE = """\
def drive(f, row, end, feed, emit, ctx):
    while row is not end:
        given = f(row, ctx)
        if given is not None:
            for item in given:
                emit(item)
        row = feed()
"""


def make_drive():
    # Code of its own for every function, so that its call sites specialise for that one.
    names = {}
    exec(compile(_DRIVE, "<clutch events>", "exec"), names)
    return names["drive"]


def parse_sides(text):
    """From the option "side_outputs": pairs of name and type text."""
    import json

    try:
        sides = json.loads(text)
    except ValueError as error:
        raise ValueError("option side_outputs = %r is no JSON: %s" % (text, error)) from None
    if not isinstance(sides, dict) or not all(isinstance(of, str) for of in sides.values()):
        raise ValueError('option side_outputs = %s is no object such as {"late": "ROW<x BIGINT>"}' % text)
    return list(sides.items())


def on_timer_of(found):
    method = getattr(found, "on_timer", None)
    return method if callable(method) else None


def _time_domain(domain):
    import sys

    package = sys.modules.get("clutch.datastream")
    known = getattr(package, "TimeDomain", None)
    if known is None:
        import enum

        known = enum.IntEnum("TimeDomain", [("EVENT_TIME", 0), ("PROCESSING_TIME", 1)])
    return known(domain)


class TimerService(object):
    """The methods are functions of the runtime."""

    def __init__(self, functions):
        (
            self.current_processing_time,
            self.current_watermark,
            self.register_event_time_timer,
            self.register_processing_time_timer,
            self.delete_event_time_timer,
            self.delete_processing_time_timer,
        ) = functions


class Context(object):
    def __init__(self, timestamp, current_key, domain, functions):
        self.timestamp = timestamp
        self.get_current_key = current_key
        self._domain = domain
        self._timers = TimerService(functions)

    def timer_service(self):
        return self._timers

    def time_domain(self):
        domain = self._domain()
        if domain < 0:
            raise RuntimeError("time_domain() is of on_timer(); no timer fires here")
        return _time_domain(domain)


_CLEAR = 3
_PUT = 0


class ValueState(object):
    """One value a key. All keys of a batch are read at once, and what changed is written when it ends."""

    def __init__(self, states, number):
        self._states = states
        self._group = states._group
        self._number = number
        self._begin()

    def _begin(self):
        self._stored = None  # bytes or None for each group
        self._objects = {}  # by group, as they were read or given
        self._touched = set()  # groups whose object is newer than the bytes
        self._changed = set()  # groups whose bytes are newer than those of the host

    def value(self):
        group = self._group()
        objects = self._objects
        if group in objects:
            return objects[group]
        if self._stored is None:
            self._stored = self._states._read(self._number)
        stored = self._stored[group]
        value = objects[group] = None if stored is None else self._states._decode(self._number, 0, stored)
        return value

    def update(self, value):
        group = self._group()
        self._objects[group] = value
        self._touched.add(group)

    def clear(self):
        self.update(None)

    def _settle(self):
        """Objects become bytes."""
        if not self._touched:
            return
        if self._stored is None:
            self._stored = self._states._read(self._number)
        for group in sorted(self._touched):
            self._states.at = group
            value = self._objects[group]
            encoded = None if value is None else self._states._encode(self._number, 0, value)
            if encoded != self._stored[group]:
                self._stored[group] = encoded
                self._changed.add(group)
        self._touched.clear()

    def _forget(self):
        # An object may have been changed in place, and is read from its bytes again.
        self._objects.pop(self._group(), None)
        self._touched.clear()

    def _changes(self):
        changes = []
        for group in sorted(self._changed):
            encoded = self._stored[group]
            changes.append((group, _CLEAR if encoded is None else _PUT, None, encoded))
        return changes


class ReducingState(ValueState):
    def __init__(self, states, number, reduce):
        ValueState.__init__(self, states, number)
        self._reduce = reduce

    get = ValueState.value

    def add(self, value):
        if value is not None:
            before = self.value()
            if before is not None:
                value = self._reduce(before, value)
        self.update(value)


class AggregatingState(ValueState):
    def __init__(self, states, number, function):
        ValueState.__init__(self, states, number)
        self._function = function

    def get(self):
        accumulator = self.value()
        return None if accumulator is None else self._function.get_result(accumulator)

    def add(self, value):
        if value is None:
            return self.clear()
        accumulator = self.value()
        if accumulator is None:
            accumulator = self._function.create_accumulator()
        self.update(self._function.add(value, accumulator))


class _Paged(object):
    """What list and map states have in common: a backend of fold.py for each group that is touched."""

    def __init__(self, states, number, backend):
        self._states = states
        self._group = states._group
        self._number = number
        self._backend = backend
        self._begin()

    def _begin(self):
        self._backends = {}

    def _here(self):
        group = self._group()
        found = self._backends.get(group)
        if found is None:
            found = self._backends[group] = self._backend(self._states, self._number, group)
        return found

    def clear(self):
        self._here().clear()

    def _settle(self):
        pass

    def _forget(self):
        pass

    def _changes(self):
        changes = []
        for group in sorted(self._backends):
            changes.extend(self._backends[group]._changes())
        return changes


class ListState(_Paged):
    def get(self):
        for page in self._here().pages():
            for value in page:
                yield value

    __iter__ = get

    def add(self, value):
        self._here().append([value])

    def add_all(self, values):
        self._here().append(list(values))

    def update(self, values):
        values = list(values)
        here = self._here()
        here.clear()
        here.append(values)


class MapState(_Paged):
    def get(self, key):
        return self._here().get(key)[1]

    def put(self, key, value):
        self._here().put([(key, value)])

    def put_all(self, dict_value):
        self._here().put(list(dict_value.items()))

    def remove(self, key):
        self._here().remove(key)

    def contains(self, key):
        return self._here().get(key)[0]

    def items(self):
        for page in self._here().pages():
            for pair in page:
                yield pair

    def keys(self):
        for key, _ in self.items():
            yield key

    def values(self):
        for _, value in self.items():
            yield value

    def is_empty(self):
        return self._here().is_empty()

    __getitem__ = get
    __setitem__ = put
    __delitem__ = remove
    __contains__ = contains
    __iter__ = keys


class _NoLog(list):
    """The log of a function whose rows are never taken back."""

    def append(self, _):
        pass


_VALUE, _LIST, _MAP = range(3)


class States(object):
    """The states of a function. `functions` are encode, decode, page, lookup, apply and read of the runtime, `declare`
    and `group` are the executor's, `backends` the list and map of fold.py."""

    def __init__(self, functions, declare, group, backends, undoes):
        self._encode, self._decode, self._page, self._lookup, self._apply, self._read = functions
        self._declare = declare
        self._group = group
        self._list, self._map = backends
        self._log = [] if undoes else _NoLog()
        self._known = {}  # name -> what it was declared as, and the state
        self._opening = True
        self.at = -1  # group whose value was last being stored

    def _get(self, descriptor, sort, count, method, make):
        try:
            name, types = descriptor.name, tuple(descriptor.clutch_types)
        except AttributeError as error:
            raise TypeError(
                "%s() takes a descriptor with name and clutch_types, not %s: %s"
                % (method, type(descriptor).__name__, error)
            ) from None
        if len(types) != count:
            raise TypeError("%s() takes a descriptor with %d types; %r has %d" % (method, count, name, len(types)))
        declared = (method, types, int(getattr(descriptor, "clutch_ttl_ms", 0) or 0))
        known = self._known.get(name)
        if known is not None and known[0] != declared:
            raise ValueError(
                "state %r is declared twice, and differently: %s%r and %s%r"
                % (name, known[0][0], known[0][1], method, types)
            )
        if known is None:
            if not self._opening:
                raise RuntimeError(
                    "state %r is asked for after open(); get it from the context in open(runtime_context)" % (name,)
                )
            number = self._declare(name, sort, types, declared[2])
            known = self._known[name] = (declared, make(number))
        return known[1]

    def get_state(self, descriptor):
        return self._get(descriptor, _VALUE, 1, "get_state", lambda number: ValueState(self, number))

    def get_list_state(self, descriptor):
        return self._get(descriptor, _LIST, 1, "get_list_state", lambda number: ListState(self, number, self._list))

    def get_map_state(self, descriptor):
        return self._get(descriptor, _MAP, 2, "get_map_state", lambda number: MapState(self, number, self._map))

    def get_reducing_state(self, descriptor):
        function = descriptor.reduce_function
        reduce = getattr(function, "reduce", function)
        return self._get(
            descriptor, _VALUE, 1, "get_reducing_state", lambda number: ReducingState(self, number, reduce)
        )

    def get_aggregating_state(self, descriptor):
        function = descriptor.aggregate_function
        return self._get(
            descriptor, _VALUE, 1, "get_aggregating_state", lambda number: AggregatingState(self, number, function)
        )

    def _all(self):
        return [state for _, state in self._known.values()]

    def begin(self):
        self._opening = False
        self._states = self._all()
        del self._log[:]
        for state in self._states:
            state._begin()

    def end_row(self):
        """The row is done: from here on it cannot be taken back."""
        for state in self._states:
            state._settle()
        del self._log[:]

    def undo_row(self):
        while self._log:
            undo, before = self._log.pop()
            undo(before)
        for state in self._states:
            state._forget()

    def flush(self):
        self.end_row()
        self.at = -1
        for state in self._states:
            changes = state._changes()
            if changes:
                self._apply(state._number, changes)
