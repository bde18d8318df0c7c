"""What tests of `clutch run` share: scripts of jobs, and how they are run."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from cli_case import CLUTCH as GIVEN
from cli_case import MODES, PYTHON, CliCase
from terminal import Terminal

__all__ = ["BEGIN", "CLUTCH", "ENDLESS", "MODES", "NUMBERS", "PACKAGE", "PYTHON", "TWO_JOBS", "RunCase"]

CLUTCH = str(Path(GIVEN).resolve())  # the tests run it in folders of their own
PACKAGE = Path(CLUTCH).parents[2] / "python"

BEGIN = """
import os, sys, time
from clutch.common import Configuration, Types
from clutch.datastream import MapFunction, StreamExecutionEnvironment

LONG, STRING = Types.LONG(), Types.STRING()
configuration = Configuration()
configuration.set_string("python.execution-mode", "thread")
env = StreamExecutionEnvironment.get_execution_environment(configuration)
"""

# Prints of each number whether a worker process had it, and the arguments.
NUMBERS = """
own = os.getpid()
env.from_sequence(1, 3).map(lambda x: "%d %s" % (x, os.getpid() != own), output_type=STRING).print()
env.execute("numbers")
print("arguments", sys.argv[1:])
"""

# Two jobs; the first one with several tasks, and with a name that means something to XML and to terminals.
TWO_JOBS = """
there = sys.argv[1]

class Opened(MapFunction):
    def open(self, runtime_context):
        open(there, "w").close()

    def map(self, value):
        return value

sums = env.from_sequence(1, 300).map(Opened(), output_type=LONG).name('a <b> & "c"')
sums = sums.key_by(lambda x: x % 10, key_type=LONG).reduce(lambda a, b: a + b).set_parallelism(2)
sums.filter(lambda x: x < 0).print()
first = env.execute("first job")
env.from_sequence(1, 2).map(lambda x: -x, output_type=LONG).print()
env.execute("second job")
print("the end", first.get_net_runtime() >= 0, file=sys.stderr)
"""

# Goes on until it is cancelled. Its workers, and it itself, tell their numbers in a file each.
ENDLESS = """
there = sys.argv[1]

class Told(MapFunction):
    def open(self, runtime_context):
        open(os.path.join(there, str(os.getpid())), "w").close()

    def map(self, value):
        time.sleep(0.001)
        return value

env.from_sequence(1, 2**62).map(Told(), output_type=LONG).filter(lambda x: x == 100).print()
env.execute("endless")
"""


class RunCase(CliCase):
    def script(self, body: str, name: str = "job.py") -> str:
        path = self.folder / name
        path.write_text(BEGIN + body)
        return str(path)

    def environment(self, **more: str) -> dict[str, str]:
        """Without a package on the path: the command knows its own."""
        plain = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "CLUTCH_JOB_STATUS")}
        return {**plain, **more}

    def run_script(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run_command([CLUTCH, "run", "--python", PYTHON, *arguments], **environment)

    def run_command(self, command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=self.environment(**environment),
            cwd=self.folder,
        )

    def on_terminal(self, *arguments: str, rows: int = 24) -> Terminal:
        command = [CLUTCH, "run", "--python", PYTHON, *arguments]
        terminal = Terminal(command, self.environment(TERM="xterm"), rows)
        self.addCleanup(self.kill, terminal.process)
        return terminal

    @staticmethod
    def kill(process: subprocess.Popen[bytes]) -> None:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.wait()
