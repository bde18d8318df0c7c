"""Many batches in flight on two worker processes, and a row that fails.

    python3 parallel.py
"""

from __future__ import annotations

import clutch


def primes_below(limit: int) -> int:
    """How many there are; slow on purpose."""
    if limit < 0:
        raise ValueError("there are no primes below %d" % limit)
    return sum(all(n % d for d in range(2, n)) for n in range(2, limit))


def main() -> None:
    options = {"python.execution-mode": "process", "python.process.workers": 2}
    with clutch.Host(options) as host, host.function(primes_below) as count:
        futures = [count.submit([limit, limit + 100]) for limit in range(100, 900, 200)]
        for future in futures:
            print(future.result())
        try:
            count([10, -1])
        except clutch.Error as error:
            print("row %d: %s" % (error.row or 0, error.details["exception.text"]))


if __name__ == "__main__":
    main()
