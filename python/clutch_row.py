"""Row and RowKind, as user functions see them: one class on the client and in every interpreter a runtime serves.

A runtime defines this module in sys.modules before it loads user code, from the same text; on the client it is imported
as a file. So a pickle made on one side loads on the other, and isinstance holds. The runtime reads and writes the slots
``_fields``, ``_row_kind`` and ``_values`` directly: they stay the only slots, in that order.

The surface is that of ``pyflink.common.Row``, so that functions written for it keep their results:

* ``Row(1, 'hi')`` is a row without names, ``Row(name='Alice', age=11)`` has names, sorted.
* A row without names can be called to make named rows: ``Person = Row('name', 'age'); Person('Alice', 11)``.
* Values are read by position, by slice, by name and as attributes, and set by position, slice and name.
* Rows are equal if class, names, values and kind are; they are ordered by their values, like lists.
"""

from enum import Enum

__all__ = ["Row", "RowKind"]


class RowKind(Enum):
    """What a row means in a stream of changes."""

    INSERT = 0
    UPDATE_BEFORE = 1
    UPDATE_AFTER = 2
    DELETE = 3

    def __str__(self):
        return _SHORT_NAMES[self.value]

    def __int__(self):
        return self.value


_SHORT_NAMES = ("+I", "-U", "+U", "-D")

_INTERNAL = frozenset(("_fields", "_values", "_row_kind"))


def _restore(fields, values, kind):
    row = Row(*values)
    if fields is not None:
        row.set_field_names(fields)
    row.set_row_kind(kind)
    return row


def _plain(value):
    if isinstance(value, Row):
        return value.as_dict(True)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


class Row(object):
    """One row: values in order, names where it has them, and a kind. Mutable, iterable, comparable, picklable."""

    # _fields is unset on a row without names, so hasattr(row, '_fields') tells them apart.
    __slots__ = ("_fields", "_row_kind", "_values", "__weakref__")

    def __init__(self, *args, **kwargs):
        if args and kwargs:
            raise ValueError("Row takes values by position or by name, not both")
        if kwargs:
            names = tuple(sorted(kwargs))
            self._fields = names
            self._values = [kwargs[name] for name in names]
        else:
            self._values = list(args)
        self._row_kind = RowKind.INSERT

    @staticmethod
    def of_kind(row_kind, *args, **kwargs):
        """Make a row of that kind; the other arguments are those of Row."""
        row = Row(*args, **kwargs)
        row.set_row_kind(row_kind)
        return row

    def as_dict(self, recursive=False):
        """The values by name; with `recursive`, rows inside become dicts too. TypeError on a row without names."""
        if not hasattr(self, "_fields"):
            raise TypeError("a Row without field names has no dict; set them with set_field_names")
        values = map(_plain, self._values) if recursive else self._values
        return dict(zip(self._fields, values))

    def get_row_kind(self):
        return self._row_kind

    def set_row_kind(self, row_kind):
        """Set what the row means in a stream of changes. TypeError for what is no RowKind."""
        if not isinstance(row_kind, RowKind):
            raise TypeError("the kind of a Row is a RowKind, not %r" % (row_kind,))
        self._row_kind = row_kind

    def set_field_names(self, field_names):
        self._fields = tuple(field_names)

    def get_fields_by_names(self, names=None):
        """The values in the order of `names`; all values where there are no names. KeyError for an unknown name."""
        if names is None or not hasattr(self, "_fields"):
            return self._values
        return [self._values[self._index(name)] for name in names]

    def _index(self, name):
        fields = getattr(self, "_fields", ())
        try:
            return fields.index(name)
        except ValueError:
            raise KeyError(name) from None

    def __call__(self, *args):
        """Make a named row: the values of this one are the names."""
        if len(args) > len(self._values):
            raise ValueError("%r has %d fields, %d values were given" % (self, len(self._values), len(args)))
        return _restore(self._values, args, self._row_kind)

    def __contains__(self, item):
        return item in self._values

    def __getitem__(self, key):
        if isinstance(key, (int, slice)):
            return self._values[key]
        return self._values[self._index(key)]

    def __setitem__(self, key, value):
        if isinstance(key, (int, slice)):
            self._values[key] = value
        else:
            self._values[self._index(key)] = value

    def __getattr__(self, name):
        # Only reached for what is no slot and no method. Unset slots come here too.
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self._values[self._index(name)]
        except KeyError:
            raise AttributeError("%r has no field %r" % (self, name)) from None

    def __setattr__(self, name, value):
        if name not in _INTERNAL:
            raise AttributeError("fields of a Row are set by row[%r] = value" % name)
        object.__setattr__(self, name, value)

    def __reduce__(self):
        return _restore, (getattr(self, "_fields", None), tuple(self._values), self._row_kind)

    def __repr__(self):
        if hasattr(self, "_fields"):
            return "Row(%s)" % ", ".join("%s=%r" % pair for pair in zip(self._fields, self._values))
        return "<Row(%s)>" % ", ".join(map(repr, self._values))

    def __eq__(self, other):
        if not isinstance(other, Row):
            return False
        return (
            self.__class__ is other.__class__
            and getattr(self, "_fields", None) == getattr(other, "_fields", None)
            and self._row_kind == other._row_kind
            and self._values == other._values
        )

    def __ne__(self, other):
        return not self == other

    def __lt__(self, other):
        return self._values < other._values if isinstance(other, Row) else NotImplemented

    def __le__(self, other):
        return self._values <= other._values if isinstance(other, Row) else NotImplemented

    def __gt__(self, other):
        return self._values > other._values if isinstance(other, Row) else NotImplemented

    def __ge__(self, other):
        return self._values >= other._values if isinstance(other, Row) else NotImplemented

    def __hash__(self):
        return hash(tuple(self._values))

    def __iter__(self):
        return iter(self._values)

    def __len__(self):
        return len(self._values)
