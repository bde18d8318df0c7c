"""Rows of async functions: an event loop that runs many at a time, inside of the call of a batch."""

_TICK = 0.02  # seconds between two looks at timeouts, deadline and cancellation
_TURNS = 4  # of the loop, for what was cancelled to end


_GRAIN = 0.0001  # seconds: what the loop rounds its waits up to
_MOST_SELECTED = 1024  # descriptors from here on are too high for select()


def _new_loop(asyncio):
    """The event loop that this interpreter makes; asyncio's own with waits that do not end a millisecond late."""
    import math
    import select
    import selectors

    loop = asyncio.new_event_loop()
    if type(loop) is not getattr(asyncio, "SelectorEventLoop", None) or not hasattr(selectors, "EpollSelector"):
        return loop  # another one was asked for by a policy

    class Selector(selectors.EpollSelector):
        # epoll counts milliseconds, so a row that waits for 10 of them would take 11.
        def select(self, timeout=None):
            if timeout is not None and timeout > 0 and self.fileno() < _MOST_SELECTED:
                select.select((self.fileno(),), (), (), math.ceil(timeout / _GRAIN) * _GRAIN)
                timeout = 0
            return super(Selector, self).select(timeout)

    loop.close()
    return asyncio.SelectorEventLoop(Selector())


class TimedOut(Exception):
    """A row ran longer than allowed."""


class Rows(object):
    """One event loop, for all batches of a function. `limit` rows run at a time; times are in seconds."""

    def __init__(self, limit, timeout, attempts, delay, stop_at_error, interrupted):
        import asyncio
        import collections

        self.asyncio = asyncio
        self.loop = _new_loop(asyncio)
        self.limit = limit
        self.timeout = timeout
        self.attempts = attempts  # after the first
        self.delay = delay
        self.stop_at_error = stop_at_error
        self.interrupted = interrupted
        self.deadlines = collections.deque()  # (time, task), in the order of their start
        self.running = {}  # task -> row
        self.given_up = []  # (row, task) that were cancelled
        self.abandoned = []  # tasks that went on after that
        self.on_timeout = None  # gives the result of a row whose time is over, or raises; None: it is TimedOut

    def run(self, count, begin, poll):
        """Call and await every row: results and errors, by row, and the rows that go on although they were cancelled.

        `begin` makes the awaitable of a row, `poll` says whether the batch must stop; then there is None for results.
        """
        self.begin = begin if not self.attempts else lambda row: self.retrying(begin, row)
        self.poll = poll
        self.results = [None] * count
        self.errors = {}
        self.order = []  # rows with a result, as they were done
        self.next, self.end = 0, count
        self.halted = None
        try:
            self.start_more()
            self.turn_until_done()
        finally:
            self.give_up(lambda row: True)
        if isinstance(self.halted, BaseException):
            raise self.halted
        left = self.settle()
        return (None if self.halted else self.results), self.errors, left

    def turn_until_done(self):
        tick = None
        while self.running and not self.halted:
            if tick is None:
                tick = self.loop.call_later(_TICK, self.tick)
                self.ticking = tick
            try:
                self.loop.run_forever()
            except (SystemExit, KeyboardInterrupt):
                pass  # of a row: asyncio passes them on, and keeps them as the row's error
        if tick is not None:
            self.ticking.cancel()

    async def retrying(self, begin, row):
        left = self.attempts
        while True:
            try:
                return await begin(row)
            except Exception:
                if not left:
                    raise
                left -= 1
            await self.asyncio.sleep(self.delay)

    def start_more(self):
        while self.next < self.end and len(self.running) < self.limit:
            row = self.next
            self.next += 1
            try:
                task = self.loop.create_task(self.begin(row))
            except self.interrupted:
                raise
            except BaseException as error:
                self.fail(row, error)
                continue
            self.running[task] = row
            self.deadlines.append((self.loop.time() + self.timeout, task))
            task.add_done_callback(self.done)

    def done(self, task):
        error = self.asyncio.CancelledError() if task.cancelled() else task.exception()
        row = self.running.pop(task, None)
        if row is None:
            return  # given up before
        if error is None:
            self.succeed(row, task.result())
        elif isinstance(error, self.interrupted):
            self.halted = error
        else:
            self.fail(row, error)
        self.go_on()

    def go_on(self):
        if not self.halted:
            self.start_more()
        if self.halted or not self.running:
            self.loop.stop()

    def succeed(self, row, result):
        self.results[row] = result
        self.order.append(row)

    def fail(self, row, error):
        self.errors[row] = error
        if self.stop_at_error and row < self.end:
            # The first bad row is the one that is told, so those before it go on.
            self.end = row
            self.give_up(lambda other: other > row)

    def give_up(self, which):
        for task, row in list(self.running.items()):
            if which(row):
                del self.running[task]
                task.cancel()
                self.given_up.append((row, task))

    def tick(self):
        now = self.loop.time()
        while self.deadlines and (self.deadlines[0][1].done() or self.deadlines[0][0] <= now):
            task = self.deadlines.popleft()[1]
            # One that is done but still listed only waits for its callback, which comes in this turn of the loop.
            if task in self.running and not task.done():
                row = self.running[task]
                self.give_up(lambda other: other == row)
                self.time_is_over(row)
        if self.poll():
            self.halted = True
        self.ticking = self.loop.call_later(_TICK, self.tick)
        self.go_on()

    def time_is_over(self, row):
        if self.on_timeout is None:
            self.fail(row, TimedOut())
            return
        try:
            result = self.on_timeout(row)
        except self.interrupted as error:
            self.halted = error
        except BaseException as error:
            self.fail(row, error)
        else:
            self.succeed(row, result)

    def settle(self):
        """Let what was cancelled end; the rows of what does not."""
        self.deadlines.clear()
        for _ in range(_TURNS):
            if all(task.done() for _, task in self.given_up):
                break
            self.loop.call_soon(self.loop.stop)
            try:
                self.loop.run_forever()
            except (SystemExit, KeyboardInterrupt):
                pass
        left = [(row, task) for row, task in self.given_up if not task.done()]
        self.given_up = []
        self.abandoned = [task for task in self.abandoned if not task.done()] + [task for _, task in left]
        return [row for row, _ in left]

    def clear(self):
        self.results = self.errors = self.order = self.begin = self.poll = self.halted = None

    def close(self):
        self.given_up = [(-1, task) for task in self.abandoned]
        for task in self.abandoned:
            task._log_destroy_pending = False  # it was told when it was abandoned
            task.cancel()
        self.settle()
        self.abandoned = []
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()
