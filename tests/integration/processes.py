"""Starts the real programs for a test and ends them with it."""
import contextlib
import pathlib
import re
import socket
import subprocess
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TOOLS = ROOT / "tests/tools"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(url, timeout=10):
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return answer.read().decode()


class Processes(contextlib.ExitStack):
    """Each program's output goes to a file of its name; what the test started ends with it, whatever happens."""

    def __init__(self, folder):
        super().__init__()
        self.folder = pathlib.Path(folder)

    def start(self, name, *command):
        log = self.folder / f"{name}.log"
        with log.open("w") as out:
            process = subprocess.Popen([str(part) for part in command], stdout=out, stderr=subprocess.STDOUT)
        self.callback(self._end, process)
        process.log = log
        process.name = name
        return process

    @staticmethod
    def _end(process):
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @staticmethod
    def wait_for(process, what, condition, seconds=60):
        """What `condition` returns once it is true; it may fail with OSError as long as the program is not up."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if process.poll() is not None:
                break
            with contextlib.suppress(OSError):
                value = condition()
                if value:
                    return value
            time.sleep(0.1)
        state = "still runs" if process.poll() is None else f"ended with {process.returncode}"
        raise SystemExit(f"{process.name} {state}, but: {what}\n{process.log.read_text()[-4000:]}")

    def logged(self, process, pattern):
        """The first group of a regular expression in the program's output, once it is there."""
        def search():
            found = re.search(pattern, process.log.read_text())
            return found[1] if found else None
        return self.wait_for(process, f"never said {pattern}", search)
