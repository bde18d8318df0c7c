"""Windows: the loops over elements and results, the windows and the ctx that functions of whole windows get, and the
states of their ctx.

window_state() and global_state() of a ctx may be asked for any state at any time, so that none can be declared when the
function opens. All states of one window of a key, and all that are global to a key, are kept as one pickle in one map
state of the host, under the window's start and end, or under "g". They are read when they are first asked for in a batch
and written when it ends; those of a window go when it is over.
"""

import pickle
import struct

_ADD = """\
def fold(add, cells, order, values):
    numbers = iter(order)
    try:
        for cell, value in zip(numbers, values):
            cells[cell] = add(%s)
    except BaseException as error:
        return len(order) - numbers.__length_hint__() - 1, error
"""


def make_fold(reduces):
    """fold(f, accumulators by cell, cells of the rows, values): None, or the row that raised and its exception.

    Code of its own for every function, so that its call sites specialise for that one.
    """
    names = {}
    exec(compile(_ADD % ("cells[cell], value" if reduces else "value, cells[cell]"), "<clutch windows>", "exec"), names)
    return names["fold"]


def _make_window(sort):
    from clutch.datastream import window

    if sort == "count":
        return lambda start, _: window.CountWindow(start)
    if sort == "global":
        return lambda _, __: window.GlobalWindow()
    if sort not in ("", "time"):
        raise ValueError("option window is %r; it is time, count or global" % sort)
    return window.TimeWindow


class Context(object):
    """Of process() and clear()."""

    def __init__(self, processing_time, watermark, states):
        self.current_processing_time = processing_time
        self.current_watermark = watermark
        self._states = states
        self._at = None  # group, window, its name in state

    def window(self):
        return self._at[1]

    def window_state(self):
        return _Store(self._states, self._at[0], self._at[2])

    def global_state(self):
        return _Store(self._states, self._at[0], b"g")


class Calls(object):
    """fire(start, end, contents) and clear(start, end) of a function of whole windows."""

    def __init__(self, kind, found, f, window, takes_all, functions, states):
        emit, key, self._group, processing_time, watermark = functions
        self._window = _make_window(window)
        self._context = Context(processing_time, watermark, states)
        self._states = states
        method = getattr(found, "clear", None) if kind.endswith(".process") else None
        self._clear = method if callable(method) else None
        if kind.endswith(".apply"):
            self.fire = self._make_apply(f, key, takes_all, emit)
        elif kind.endswith(".process"):
            self.fire = self._make_process(f, key, takes_all, emit)
        else:
            self.fire = _TWO[kind](f, emit)

    def _make_apply(self, f, key, takes_all, emit):
        make_window = self._window

        def fire(start, end, contents):
            window = make_window(start, end)
            given = f(window, contents) if takes_all else f(key(), window, contents)
            if given is not None:
                for item in given:
                    emit(item)

        return fire

    def _make_process(self, f, key, takes_all, emit):
        enter, context = self._enter, self._context

        def fire(start, end, contents):
            enter(start, end)
            given = f(context, contents) if takes_all else f(key(), context, contents)
            if given is not None:
                for item in given:
                    emit(item)

        return fire

    def _enter(self, start, end):
        self._context._at = self._group(), self._window(start, end), struct.pack(">qq", start, end)

    def clear(self, start, end):
        if self._states is None:
            return
        self._enter(start, end)
        if self._clear is not None:
            self._clear(self._context)
        group, _, name = self._context._at
        self._states.drop(group, name)


def _join(f, emit):
    def fire(_, __, first, second):
        for left in first:
            for right in second:
                emit(f(left, right))

    return fire


def _flat_join(f, emit):
    def fire(_, __, first, second):
        for left in first:
            for right in second:
                given = f(left, right)
                if given is not None:
                    for item in given:
                        emit(item)

    return fire


def _co_group(f, emit):
    def fire(_, __, first, second):
        given = f(first, second)
        if given is not None:
            for item in given:
                emit(item)

    return fire


_TWO = {"stream.window.join": _join, "stream.window.flat_join": _flat_join, "stream.window.co_group": _co_group}


class _Entry(object):
    """What one window of a key has in state: values by name, each with its sort."""

    def __init__(self, stored):
        self.stored = stored  # bytes or None
        self.values = {} if stored is None else pickle.loads(stored)
        self.over = False  # the batch is

    def now(self):
        if self.over:
            raise RuntimeError("states of a window are there for the call that asked for them")
        return self.values


class States(object):
    """Entries of a batch. `lookup` and `apply` are functions of the runtime over the state `number`."""

    def __init__(self, number, lookup, apply):
        self._number, self._lookup, self._apply = number, lookup, apply
        self._entries = {}

    def begin(self):
        for entry in self._entries.values():
            entry.over = True
        self._entries = {}

    def entry(self, group, name):
        found = self._entries.get((group, name))
        if found is None:
            found = self._entries[group, name] = _Entry(self._lookup(self._number, group, name))
        return found

    def drop(self, group, name):
        self.entry(group, name).values.clear()

    def store(self):
        changes = []
        for (group, name), entry in self._entries.items():
            if not entry.values:
                if entry.stored is not None:
                    changes.append((group, 2, name, None))
                continue
            encoded = pickle.dumps(entry.values, 4)
            if encoded != entry.stored:
                changes.append((group, 0, name, encoded))
        if changes:
            self._apply(self._number, changes)


class _Store(object):
    """The states of one window, or those global to the key."""

    def __init__(self, states, group, name):
        self._entry = states.entry(group, name)

    def _get(self, descriptor, method, handle, *more):
        try:
            name = descriptor.name
        except AttributeError:
            raise TypeError(
                "%s() takes a descriptor with a name, not %s" % (method, type(descriptor).__name__)
            ) from None
        if getattr(descriptor, "clutch_ttl_ms", 0):
            raise ValueError("state %r of a window has a time to live; it lives as long as its window" % (name,))
        known = self._entry.now().get(name)
        if known is not None and known[0] != method:
            raise ValueError("state %r is asked for by %s() and by %s()" % (name, known[0], method))
        return handle(self._entry, name, method, *more)

    def get_state(self, state_descriptor):
        return self._get(state_descriptor, "get_state", _Value)

    def get_list_state(self, state_descriptor):
        return self._get(state_descriptor, "get_list_state", _List)

    def get_map_state(self, state_descriptor):
        return self._get(state_descriptor, "get_map_state", _Map)

    def get_reducing_state(self, state_descriptor):
        function = state_descriptor.reduce_function
        return self._get(
            state_descriptor, "get_reducing_state", _Reducing, getattr(function, "reduce", function)
        )

    def get_aggregating_state(self, state_descriptor):
        return self._get(
            state_descriptor, "get_aggregating_state", _Aggregating, state_descriptor.aggregate_function
        )


class _Handle(object):
    def __init__(self, entry, name, method):
        self._entry, self._name, self._method = entry, name, method

    def _read(self):
        found = self._entry.now().get(self._name)
        return None if found is None else found[1]

    def _write(self, value):
        self._entry.now()[self._name] = self._method, value

    def clear(self):
        self._entry.now().pop(self._name, None)


class _Value(_Handle):
    def value(self):
        return self._read()

    def update(self, value):
        if value is None:
            self.clear()
        else:
            self._write(value)


class _List(_Handle):
    def get(self):
        return iter(list(self._read() or ()))

    __iter__ = get

    def add(self, value):
        self.add_all([value])

    def add_all(self, values):
        self._write([*(self._read() or ()), *values])

    def update(self, values):
        self._write(list(values))


class _Map(_Handle):
    def _items(self):
        return self._read() or {}

    def get(self, key):
        return self._items().get(key)

    def put(self, key, value):
        self.put_all({key: value})

    def put_all(self, dict_value):
        items = self._items()
        items.update(dict_value)
        self._write(items)

    def remove(self, key):
        items = self._items()
        items.pop(key, None)
        if not items:
            self.clear()

    def contains(self, key):
        return key in self._items()

    def items(self):
        return list(self._items().items())

    def keys(self):
        return list(self._items())

    def values(self):
        return list(self._items().values())

    def is_empty(self):
        return not self._items()

    __getitem__ = get
    __setitem__ = put
    __delitem__ = remove
    __contains__ = contains

    def __iter__(self):
        return iter(self.keys())


class _Reducing(_Value):
    def __init__(self, entry, name, method, reduce):
        _Value.__init__(self, entry, name, method)
        self._reduce = reduce

    def get(self):
        return self._read()

    def add(self, value):
        before = self._read()
        if value is not None and before is not None:
            value = self._reduce(before, value)
        self.update(value)


class _Aggregating(_Value):
    def __init__(self, entry, name, method, function):
        _Value.__init__(self, entry, name, method)
        self._function = function

    def get(self):
        accumulator = self._read()
        return None if accumulator is None else self._function.get_result(accumulator)

    def add(self, value):
        if value is None:
            return self.clear()
        accumulator = self._read()
        if accumulator is None:
            accumulator = self._function.create_accumulator()
        self.update(self._function.add(value, accumulator))
