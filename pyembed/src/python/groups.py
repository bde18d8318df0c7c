"""Whole groups: columns are made once for a batch, sorted by group, and each group gets its slices of them."""


class Groups(object):
    """One function: `found` has create_accumulator, accumulate and get_value, or is called with the columns itself.

    `maker` and `plans` are of columns.py; without a maker (style arrow) the parts are lists of columns, one a group.
    """

    def __init__(self, found, maker, plans):
        self._maker = maker
        self._plans = plans
        if hasattr(found, "accumulate"):
            self._create, self._accumulate, self._get = found.create_accumulator, found.accumulate, found.get_value
        else:
            self._create, self._accumulate, self._get = None, found, None

    def columns(self, parts, count, keep):
        """What `run` takes: a list of columns for each group, or what makes them."""
        if self._maker is None:
            return parts
        return [self._maker.cutter(column) for column in self._maker.arguments(self._plans, parts, count, keep)]

    def run(self, columns, bounds):
        """The results of all groups, and None; or those before a group that raised, what raised and the exception."""
        results = []
        what = "the call"
        try:
            for group in range(len(bounds) - 1):
                if self._maker is None:
                    arguments = columns[group]
                else:
                    arguments = [cut(bounds[group], bounds[group + 1]) for cut in columns]
                if self._create is None:
                    results.append(self._accumulate(*arguments))
                    continue
                what = "create_accumulator()"
                accumulator = self._create()
                what = "accumulate()"
                self._accumulate(accumulator, *arguments)
                what = "get_value()"
                results.append(self._get(accumulator))
        except BaseException as error:
            return results, what, error
        return results, None, None
