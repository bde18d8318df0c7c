"""Asynchronous calls of stream.async: results as lists, retries, and what happens when an element's time is over.

What the runtime expects of the user's object:

    async_invoke(value)          a coroutine function that gives the list of an element's results, or
    async_invoke_batch(inputs)   one that gives a list with one result for each of several elements
    timeout(value), timeout_batch(inputs)   optional: the same results for elements that took too long, or raises
    retry_strategy               optional: can_retry(attempts), get_backoff_time_millis(attempts) and
                                 get_retry_predicate(), whose result_predicate() and exception_predicate() are a
                                 function or None
"""


def _never(_):
    return False


class Invocations(object):
    """All calls of a function. `rows` is the event loop, which counts calls as its rows; `size` elements make a call,
    0: each element is one by async_invoke."""

    def __init__(self, found, target, rows, size, ordered, timed_out):
        self.name = type(found).__name__
        self.target = target
        self.rows = rows
        self.size = size
        self.ordered = ordered
        self.timed_out = timed_out
        self.late = getattr(found, "timeout_batch" if size else "timeout", None)
        self.values = {}  # call -> what it was made with
        self.strategy = getattr(found, "retry_strategy", None)
        if self.strategy is not None:
            predicate = self.strategy.get_retry_predicate()
            self.wrong_result = predicate.result_predicate() or _never
            self.wrong_error = predicate.exception_predicate() or _never
        rows.on_timeout = self.time_is_over

    def run(self, count, read, poll):
        """Results as pairs of a row and a list, errors by row, and the rows that go on although they were cancelled.

        `read` gives the value of a row, `poll` says whether the batch must stop; then there is None for results.
        """
        self.count, self.read = count, read
        size = self.size or 1
        results, errors, left = self.rows.run(-(-count // size), self.begin, poll)
        left = [row for call in left for row in self.rows_of(call)]
        errors = {row: error for call, error in errors.items() for row in self.rows_of(call)}
        if results is None:
            return None, errors, left
        order = sorted(self.rows.order) if self.ordered else self.rows.order
        if not self.size:
            return [(call, results[call]) for call in order], errors, left
        pairs = []
        for call in order:
            pairs.extend((row, [result]) for row, result in zip(self.rows_of(call), results[call]))
        return pairs, errors, left

    def rows_of(self, call):
        size = self.size or 1
        return range(call * size, min((call + 1) * size, self.count))

    def begin(self, call):
        if self.size:
            value = [self.read(row) for row in self.rows_of(call)]
        else:
            value = self.read(call)
        self.values[call] = value
        return self.invoke(call, value) if self.strategy is None else self.invoke_again(call, value)

    async def invoke(self, call, value):
        result = self.checked(call, await self.target(value))
        del self.values[call]
        return result

    async def invoke_again(self, call, value):
        attempts = 1
        while True:
            try:
                result = self.checked(call, await self.target(value))
                if not (self.wrong_result(result) and self.strategy.can_retry(attempts)):
                    return result
            except WrongResult:
                raise
            except Exception as error:
                if not (self.wrong_error(error) and self.strategy.can_retry(attempts)):
                    raise
            await self.rows.asyncio.sleep(self.strategy.get_backoff_time_millis(attempts) / 1000.0)
            attempts += 1

    def checked(self, call, result, method=None):
        method = method or ("async_invoke_batch" if self.size else "async_invoke")
        if result is None:
            raise WrongResult(
                "The result of AsyncFunction cannot be none; %s() of %s gave None, return a list, and [] for no results"
                % (method, self.name)
            )
        if not isinstance(result, list):
            raise WrongResult(
                "The result of AsyncFunction should be of list type; %s() of %s gave %.200r of type %s, return [x] for "
                "one result" % (method, self.name, result, type(result).__name__)
            )
        if self.size and len(result) != len(self.values[call]):
            raise WrongResult(
                "%s() of %s gave %d results for %d elements; return one for each, in their order"
                % (method, self.name, len(result), len(self.values[call]))
            )
        return result

    def time_is_over(self, call):
        if self.late is None:
            raise self.timed_out()
        result = self.late(self.values[call])
        return self.checked(call, result, "timeout_batch" if self.size else "timeout")

    def settle(self):
        return [row for call in self.rows.settle() for row in self.rows_of(call)]

    def clear(self):
        self.values.clear()
        self.read = None
        self.rows.clear()

    def close(self):
        self.rows.close()


class WrongResult(TypeError):
    """A result of the wrong form. Its name is that of its base, which is what its readers know."""


WrongResult.__name__ = WrongResult.__qualname__ = "TypeError"
WrongResult.__module__ = "builtins"
