"""`python -m tests.busy ...`: pytest with these arguments beside BUSY=8 busy processes, under `nice -n NICE` (0).

The busy processes end with this one, however it ends. With NICE=10 and eight of them, two cores leave each test
process a fortieth of a core; with NICE=0, a fifth.
"""

import os
import subprocess
import sys
from contextlib import ExitStack

LOOP = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: pass"


def main(arguments: list[str]) -> int:
    """The exit code of pytest."""
    with ExitStack() as running:
        for _ in range(int(os.environ.get("BUSY", "8"))):
            process = subprocess.Popen([sys.executable, "-c", LOOP])
            running.callback(process.wait)
            running.callback(process.kill)
        command = ["nice", "-n", os.environ.get("NICE", "0"), sys.executable, "-m", "pytest", *arguments]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
