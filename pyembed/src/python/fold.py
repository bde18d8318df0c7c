"""Loops over the rows of groups, and the views of accumulators that live in the host's state."""

_FOLD = """\
def fold(f, accumulators%(lists)s):
    rows = iter(accumulators)
    try:
        for accumulator%(names)s in zip(rows%(lists)s):
            f(accumulator%(values)s)
    except BaseException as error:
        return len(accumulators) - rows.__length_hint__() - 1, error
"""


def make_fold(width, mixed):
    """fold(f, accumulators, *columns): None, or the row that raised and its exception.

    With `mixed` the function of each row comes in a list of its own, behind the accumulators. Code of its own for every
    function, so that its call sites specialise for that one.
    """
    values = "".join(", a%d" % i for i in range(width))
    columns = "".join(", c%d" % i for i in range(width))
    text = _FOLD % {
        "lists": (", functions" if mixed else "") + columns,
        "names": (", f" if mixed else "") + (values or ("" if mixed else ",")),
        "values": values,
    }
    names = {}
    exec(compile(text, "<clutch fold>", "exec"), names)
    return names["fold"]


def methods(found, wanted):
    """The object's methods of these names, None for those that it does not have or only has from its base class."""
    result = []
    for name in wanted:
        method = getattr(found, name, None)
        if getattr(method, "__qualname__", "").startswith("ImperativeAggregateFunction."):
            method = None
        result.append(method if callable(method) else None)
    return tuple(result)


def parse_views(text):
    """From the option "views": tuples of position, "list" or "map", and one or two type texts."""
    import json

    try:
        views = [tuple(view) for view in json.loads(text)]
    except (TypeError, ValueError) as error:
        raise ValueError("option views = %r is no JSON list of lists: %s" % (text, error)) from None
    for view in views:
        good = len(view) == {"list": 3, "map": 4}.get(view[1] if len(view) > 1 else None)
        if not good or type(view[0]) is not int or not all(isinstance(part, str) for part in view[2:]):
            raise ValueError(
                'option views: %r is none of [position, "list", element type] and [position, "map", key type, value '
                "type]" % (list(view),)
            )
    return views


class _Backend(object):
    """What one batch did to one view of one group, as the bytes that will be stored, over what is in state."""

    def __init__(self, views, view, group):
        self._views = views
        self._view = view
        self._group = group
        self._cleared = False
        self._new = self._nothing()

    def clear(self):
        self._views._log.append((self._restore, (self._cleared, self._new)))
        self._cleared = True
        self._new = self._nothing()

    def _restore(self, before):
        self._cleared, self._new = before

    def _stored(self):
        cursor = b""
        while not self._cleared:
            items, cursor = self._views._page(self._view, self._group, cursor)
            yield items
            if not cursor:
                return


class _List(_Backend):
    _nothing = list

    def append(self, values):
        encode, view = self._views._encode, self._view
        encoded = [encode(view, 0, value) for value in values]
        self._views._log.append((self._cut, len(self._new)))
        self._new.extend(encoded)

    def _cut(self, length):
        del self._new[length:]

    def pages(self):
        decode, view = self._views._decode, self._view
        for items in self._stored():
            yield [decode(view, 0, value) for _, value in items]
        yield [decode(view, 0, value) for value in self._new]

    def _changes(self):
        found = [(self._group, 3, None, None)] if self._cleared else []
        found.extend((self._group, 1, None, value) for value in self._new)
        return found


_ABSENT = object()


class _Map(_Backend):
    _nothing = dict

    def get(self, key):
        views = self._views
        encoded = views._encode(self._view, 0, key)
        value = self._new.get(encoded, _ABSENT)
        if value is _ABSENT:
            value = None if self._cleared else views._lookup(self._view, self._group, encoded)
        if value is None:
            return False, None
        return True, views._decode(self._view, 1, value)

    def put(self, items):
        encode, view = self._views._encode, self._view
        encoded = [(encode(view, 0, key), encode(view, 1, value)) for key, value in items]
        for key, value in encoded:
            self._set(key, value)

    def remove(self, key):
        self._set(self._views._encode(self._view, 0, key), None)

    def _set(self, key, value):
        self._views._log.append((self._unset, (key, self._new.get(key, _ABSENT))))
        self._new[key] = value

    def _unset(self, before):
        key, value = before
        if value is _ABSENT:
            del self._new[key]
        else:
            self._new[key] = value

    def is_empty(self):
        return not any(self.pages())

    def pages(self):
        decode, view = self._views._decode, self._view
        own = list(self._new)  # a key that is set while pages are read must not come twice
        seen = set(own)
        for items in self._stored():
            page = []
            for key, value in items:
                if key in seen:
                    continue
                value = self._new.get(key, value)
                if value is not None:
                    page.append((decode(view, 0, key), decode(view, 1, value)))
            yield page
        page = [(key, self._new.get(key)) for key in own]
        yield [(decode(view, 0, key), decode(view, 1, value)) for key, value in page if value is not None]

    def _changes(self):
        found = [(self._group, 3, None, None)] if self._cleared else []
        for key, value in self._new.items():
            if value is not None:
                found.append((self._group, 0, key, value))
            elif not self._cleared:
                found.append((self._group, 2, key, None))
        return found


class Views(object):
    """The views in the accumulators of a function.

    `places` has position and sort of each. The functions are the runtime's: encode(view, part, object) -> bytes,
    decode(view, part, bytes), page(view, group, cursor) -> (pairs, next cursor), lookup(view, group, key) -> bytes or
    None, apply(view, changes).
    """

    def __init__(self, places, encode, decode, page, lookup, apply):
        from clutch.table import data_view

        data_view.ListBackend.register(_List)
        data_view.MapBackend.register(_Map)
        self._sorts = {"list": (_List, data_view.ListView), "map": (_Map, data_view.MapView)}
        self._places = places
        self._encode, self._decode, self._page, self._lookup, self._apply = encode, decode, page, lookup, apply
        self._backends = {}
        self._log = []

    def begin(self):
        self._backends = {}
        self._log = []

    def attach(self, accumulator, group):
        """The accumulator with its views over the state of the group; what they hold already goes there."""
        if isinstance(accumulator, tuple):
            accumulator = list(accumulator)
        for view, (position, sort) in enumerate(self._places):
            backend_class, view_class = self._sorts[sort]
            backend = self._backends.get((view, group))
            if backend is None:
                backend = self._backends[view, group] = backend_class(self, view, group)
            held = accumulator[position]
            if held is None:
                held = accumulator[position] = view_class()
            elif not isinstance(held, view_class):
                raise TypeError(
                    "field %d of the accumulator is declared as %s and holds %s"
                    % (position, view_class.__name__, type(held).__name__)
                )
            held._bind(backend)
        return accumulator

    def detach(self, accumulator):
        """The accumulator as it is stored, without its views."""
        values = list(accumulator)
        for position, _ in self._places:
            values[position] = None
        return values

    def clear(self, group):
        for view, (_, sort) in enumerate(self._places):
            backend = self._backends.get((view, group))
            if backend is None:
                backend = self._backends[view, group] = self._sorts[sort][0](self, view, group)
            backend.clear()

    def begin_row(self):
        del self._log[:]

    def undo_row(self):
        while self._log:
            undo, before = self._log.pop()
            undo(before)

    def flush(self):
        changes = [[] for _ in self._places]
        for (view, _), backend in self._backends.items():
            changes[view].extend(backend._changes())
        for view, of_view in enumerate(changes):
            if of_view:
                self._apply(view, of_view)
