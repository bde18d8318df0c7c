"""Functions of rows and timers: the loops over them, what they get as ctx, and their states.

What the runtime expects of a state's descriptor, whatever class it has:

    name           text, unique within the function
    clutch_types   a tuple of type texts ("BIGINT", "ROW<a INT, b STRING>"): (value,) of get_state, (element,) of
                   get_list_state, (key, value) of get_map_state, (value,) of get_reducing_state, (accumulator,) of
                   get_aggregating_state. None in the place of a text: the value is pickled. Keys of a map should have a
                   type, as equal objects may have different pickles.
    clutch_ttl_ms  optional: milliseconds from the last write until the state is gone; 0 or absent: never
    clutch_ttl_update      optional: 1: reads count like writes
    clutch_ttl_visibility  optional: 1: what has expired is seen until the batch that reads it ends
    reduce_function     of get_reducing_state: f(a, b), or an object with reduce(a, b)
    aggregate_function  of get_aggregating_state: create_accumulator(), add(value, accumulator) -> accumulator,
                        get_result(accumulator)

The tag of a side output is any object with `tag_id`, its name: `yield tag, value`. What names are there, and of which
types, says the step's option side_outputs. ctx.time_domain() of on_timer gives a TimeDomain of clutch.datastream where
that is imported, else an IntEnum with the same members.
"""

# `feed` says that a row is done and gives the next one, or `end`. `emit` takes a value, or a tag and a value.
_RESULTS = """\
        if given is not None:
            for item in given:
                emit(item)
"""
_CALLS = {
    "process": "        given = f(row, ctx)\n" + _RESULTS,
    "flat_map": "        given = f(row)\n" + _RESULTS,
    "map": "        given = f(row)\n        if given is not None:\n            emit(given)\n",
    "join": "        given = f(row, right(), ctx)\n" + _RESULTS,
    "reduce": """\
        before = value()
        if before is not None:
            row = f(before, row)
        update(row)
        emit(row)
""",
}
_BEGINNINGS = {
    "join": "    right = ctx._right\n",
    "reduce": "    value, update = ctx.value, ctx.update\n",
}
_DRIVE = """\
def drive(f, row, end, feed, emit, ctx):
%s    while row is not end:
%s        row = feed()
"""


def make_drive(call):
    # Code of its own for every function, so that its call sites specialise for that one.
    names = {}
    exec(compile(_DRIVE % (_BEGINNINGS.get(call, ""), _CALLS[call]), "<clutch events>", "exec"), names)
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


class _Reduced(object):
    """The descriptor of what a reduction keeps."""

    name = "reduced"

    def __init__(self, type_text):
        self.clutch_types = (type_text,)


def reduced(states, type_text):
    """The value state of a reduction; what its loop has as ctx."""
    return states.get_state(_Reduced(type_text))


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


class _Functions(object):
    """What the executor gives a ctx to answer with, in its order."""

    def __init__(self, functions):
        self.timestamp, self.current_key, self.domain, self.right, self.left_time, self.right_time = functions[:6]
        self.timers = functions[6:]


class Context(object):
    def __init__(self, functions):
        self.timestamp = functions.timestamp
        self.get_current_key = functions.current_key
        self._domain = functions.domain
        self._timers = TimerService(functions.timers)

    def timer_service(self):
        return self._timers

    def time_domain(self):
        domain = self._domain()
        if domain < 0:
            raise RuntimeError("time_domain() is of on_timer(); no timer fires here")
        return _time_domain(domain)


class _Broadcast(object):
    """What every ctx of a function with broadcast state has."""

    def __init__(self, functions, states):
        self.timestamp = functions.timestamp
        self.current_processing_time, self.current_watermark = functions.timers[:2]
        self._states = states

    def get_broadcast_state(self, state_descriptor):
        name = getattr(state_descriptor, "name", state_descriptor)
        try:
            return self._states[name]
        except (KeyError, TypeError):
            raise ValueError(
                "there is no broadcast state %r; broadcast() was given: %s"
                % (name, ", ".join(sorted(self._states)) or "none")
            ) from None


class KeyedReadOnlyContext(_Broadcast, Context):
    """Of process_element() and on_timer() where the other stream has keys."""

    def __init__(self, functions, states):
        Context.__init__(self, functions)
        _Broadcast.__init__(self, functions, states)


class JoinContext(object):
    def __init__(self, functions):
        self.get_left_timestamp, self.get_right_timestamp = functions.left_time, functions.right_time
        self._right = functions.right

    def get_timestamp(self):
        return max(self.get_left_timestamp(), self.get_right_timestamp())

    timestamp = get_timestamp


def _parse_broadcast(text):
    """From the option "broadcast_states": names, each with the types of keys and values."""
    import json

    try:
        given = json.loads(text or "{}")
    except ValueError as error:
        raise ValueError("option broadcast_states = %r is no JSON: %s" % (text, error)) from None
    pairs = given.values() if isinstance(given, dict) else [None]
    for pair in pairs:
        good = isinstance(pair, list) and len(pair) == 2
        if not good or not all(part is None or isinstance(part, str) for part in pair):
            raise ValueError(
                'option broadcast_states = %s is no object such as {"rules": ["STRING", null]}: a name, and the types '
                "of keys and values, null for pickled ones" % text
            )
    return given


def make_contexts(kind, functions, states, kept, broadcast):
    """What the functions of both inputs and on_timer get as ctx. `functions` are the executor's callbacks, `states` its
    States or None, `kept` the type of what a reduction keeps, `broadcast` the option of that name."""
    functions = _Functions(functions)
    if kind == "stream.reduce":
        state = reduced(states, kept)
        return state, state, state
    if kind == "stream.interval_join":
        context = JoinContext(functions)
        return context, context, context
    if "broadcast" not in kind:
        context = Context(functions)
        return context, context, context
    writable, read_only = {}, {}
    for name, types in _parse_broadcast(broadcast).items():
        writable[name] = states.declare_broadcast(name, types)
        read_only[name] = ReadOnlyBroadcastState(writable[name])
    first = (KeyedReadOnlyContext if "keyed" in kind else _Broadcast)(functions, read_only)
    return first, _Broadcast(functions, writable), first


class _Folded(object):
    """What is made of elements, over a value state of the runtime."""

    def __init__(self, state):
        self._value, self._update = state.value, state.update

    def clear(self):
        self._update(None)


class ReducingState(_Folded):
    def __init__(self, state, reduce):
        _Folded.__init__(self, state)
        self._reduce = reduce

    def get(self):
        return self._value()

    def add(self, value):
        if value is not None:
            before = self._value()
            if before is not None:
                value = self._reduce(before, value)
        self._update(value)


class AggregatingState(_Folded):
    def __init__(self, state, function):
        _Folded.__init__(self, state)
        self._function = function

    def get(self):
        accumulator = self._value()
        return None if accumulator is None else self._function.get_result(accumulator)

    def add(self, value):
        if value is None:
            return self._update(None)
        accumulator = self._value()
        if accumulator is None:
            accumulator = self._function.create_accumulator()
        self._update(self._function.add(value, accumulator))


_TOUCH = 4


class _Paged(object):
    """What list and map states have in common: a backend of fold.py for each group that is touched."""

    def __init__(self, states, number, backend):
        self._states = states
        self._group = states._group
        self._number = number
        self._backend = backend
        self._touches = False  # the host is to know what was read
        self._begin()

    def _begin(self):
        self._backends = {}
        self._touched = {}  # by group the bytes of the keys that were read, None for all

    def _here(self):
        group = self._group()
        found = self._backends.get(group)
        if found is None:
            found = self._backends[group] = self._backend(self._states, self._number, group)
        return found

    def _read_all(self):
        if self._touches:
            self._touched.setdefault(self._group(), set()).add(None)
        return self._here()

    def _read(self, key):
        if self._touches:
            self._touched.setdefault(self._group(), set()).add(self._states._encode(self._number, 0, key))
        return self._here()

    def clear(self):
        self._here().clear()

    def _changes(self):
        changes = []
        for group in sorted(self._touched):
            keys = self._touched[group]
            changes.extend((group, _TOUCH, key, None) for key in ([None] if None in keys else sorted(keys)))
        for group in sorted(self._backends):
            changes.extend(self._backends[group]._changes())
        return changes


class ListState(_Paged):
    def get(self):
        for page in self._read_all().pages():
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
        return self._read(key).get(key)[1]

    def put(self, key, value):
        self._here().put([(key, value)])

    def put_all(self, dict_value):
        self._here().put(list(dict_value.items()))

    def remove(self, key):
        self._here().remove(key)

    def contains(self, key):
        return self._read(key).get(key)[0]

    def items(self):
        for page in self._read_all().pages():
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


class BroadcastState(MapState):
    """Of the operator and not of a key."""

    def __init__(self, states, number, backend):
        MapState.__init__(self, states, number, backend)
        self._group = lambda: states._operator_group


class ReadOnlyBroadcastState(object):
    """What elements of the other stream see of it."""

    def __init__(self, state):
        self.get, self.contains, self.items, self.keys = state.get, state.contains, state.items, state.keys
        self.values, self.is_empty = state.values, state.is_empty

    def clear(self):
        raise RuntimeError("broadcast state is read only here; change it in process_broadcast_element()")

    def __getitem__(self, key):
        return self.get(key)

    def __contains__(self, key):
        return self.contains(key)

    def __iter__(self):
        return iter(self.keys())


_VALUE, _LIST, _MAP = range(3)


class States(object):
    """The states of a function. `functions` are encode, decode, page, lookup, apply and read of the runtime, `own` is
    `declare` and `group` of the executor, `backends` the list and map of fold.py. Value states are the runtime's own:
    `declare` gives the object of one, and the number of a list or map."""

    def __init__(self, functions, own, backends, undoes):
        self._encode, self._decode, self._page, self._lookup, self._apply, _ = functions
        self._declare, self._group = own
        self._list, self._map = backends
        self._log = [] if undoes else _NoLog()
        self._known = {}  # name -> what it was declared as, and the state
        self._opening = True
        self._paged = []

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
        ttl = tuple(int(getattr(descriptor, "clutch_ttl_" + part, 0) or 0) for part in ("ms", "update", "visibility"))
        declared = (method, types, ttl)
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
            state = make(self._declare(name, 'state "%s"' % name, sort, types, *ttl))
            known = self._known[name] = (declared, state)
            if isinstance(state, _Paged):
                state._touches = ttl[0] > 0 and any(ttl[1:])
                self._paged.append(state)
        return known[1]

    def get_state(self, descriptor):
        return self._get(descriptor, _VALUE, 1, "get_state", lambda state: state)

    def get_list_state(self, descriptor):
        return self._get(descriptor, _LIST, 1, "get_list_state", lambda number: ListState(self, number, self._list))

    def get_map_state(self, descriptor):
        return self._get(descriptor, _MAP, 2, "get_map_state", lambda number: MapState(self, number, self._map))

    def get_reducing_state(self, descriptor):
        function = descriptor.reduce_function
        reduce = getattr(function, "reduce", function)
        return self._get(
            descriptor, _VALUE, 1, "get_reducing_state", lambda state: ReducingState(state, reduce)
        )

    def get_aggregating_state(self, descriptor):
        function = descriptor.aggregate_function
        return self._get(
            descriptor, _VALUE, 1, "get_aggregating_state", lambda state: AggregatingState(state, function)
        )

    def declare_broadcast(self, name, types):
        number = self._declare("broadcast:" + name, 'broadcast state "%s"' % name, _MAP, tuple(types), 0, 0, 0)
        self._paged.append(BroadcastState(self, number, self._map))
        return self._paged[-1]

    def begin(self, operator_group):
        self._opening = False
        self._operator_group = operator_group
        del self._log[:]
        for state in self._paged:
            state._begin()

    def end_row(self):
        """The row is done: from here on it cannot be taken back."""
        del self._log[:]

    def undo_row(self):
        while self._log:
            undo, before = self._log.pop()
            undo(before)

    def flush(self):
        for state in self._paged:
            changes = state._changes()
            if changes:
                self._apply(state._number, changes)
