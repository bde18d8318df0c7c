"""sys.stdout and sys.stderr as lines of the host's log."""

import io


class LogStream(io.TextIOBase):
    """A text stream whose lines go to the host. `write` and `flush` are the runtime's own functions."""

    def __init__(self, name, write, flush):
        self.name = name
        self.mode = "w"
        self.encoding = "utf-8"
        self.errors = "backslashreplace"
        self.write = write
        self.flush = flush

    encoding = None
    errors = None

    def writable(self):
        return True

    def isatty(self):
        return False

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def close(self):
        self.flush()


def install(write_out, flush_out, write_err, flush_err):
    import sys

    sys.stdout = LogStream("<stdout>", write_out, flush_out)
    sys.stderr = LogStream("<stderr>", write_err, flush_err)
