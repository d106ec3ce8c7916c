"""The child processes of check.py: one that faults or hangs costs its case, and another goes on after it."""

import json
import os
import select
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from gpu.runner import CONTEXT_LOST

RESTARTS = 20  # of a child process; time is the other limit
# Seconds without a word from a child process after which it is taken to hang. A case takes seconds, most of them for
# torch.compile; on the host up to minutes.
SILENCE, SILENCE_HOST = 90, 600

processes = set()
stopping = threading.Event()


def stop(*_):
    """On a signal: the results so far are in the file."""
    stopping.set()
    for process in list(processes):
        process.kill()
    sys.exit("stopped")


def lines_of(process, silence, deadline):
    """What a process says, line by line, until it is silent for too long or the time is up: then it is ended."""
    rest, heard = b"", time.monotonic()
    while True:
        ended = process.poll() is not None
        if select.select([process.stdout], [], [], 0.2)[0]:
            data = os.read(process.stdout.fileno(), 1 << 16)
            if not data:
                return
            heard = time.monotonic()
            *lines, rest = (rest + data).split(b"\n")
            yield from (json.loads(line) for line in lines)
        elif ended:
            return  # a process that it left behind may hold the pipe open
        elif time.monotonic() > min(heard + silence, deadline):
            process.kill()
            silent = time.monotonic() > heard + silence
            yield {"killed": f"no word for {silence} s" if silent else "the time was used up"}
            return


def command_of(options, stage, names, first, seconds):
    """Runs check.py's stage from the given family and case on."""
    command = [sys.executable, str(Path(__file__).with_name("check.py")), "--stage", stage]
    command += ["--work", str(options.work), "--first", "%d,%d" % first, "--seconds", str(seconds)]
    command += [f"--family={name}" for name in names]
    command += [f"--{name}" for name in ("host", "quick") if getattr(options, name)]
    return command + (["--no-time"] if options.no_time else [])


def supervise(options, stage, names, deadline, record):
    """Runs a stage for some families in a child process, in another after each that ends badly; record(line) for each
    case."""
    first = (0, 0)
    for attempt in range(RESTARTS + 1):
        if stopping.is_set():
            return
        command = command_of(options, stage, names, first, max(deadline - time.monotonic(), 0))
        at, told, ended, why = None, True, False, None
        with tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
            processes.add(process)
            if stopping.is_set():
                process.kill()
            # The child stops by itself when the time is up; a little later it is stopped.
            for line in lines_of(process, SILENCE_HOST if options.host else SILENCE, deadline + 20):
                why = line.get("killed", why)
                ended = ended or "end" in line
                if "begin" in line:
                    at, told = line, False
                if "note" in line:
                    record(line)
                if "result" in line:
                    record(line["result"])
                    told = True
                if ended:
                    break
            try:
                status = process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                status = "none"
            processes.discard(process)
            process.stdout.close()
            errors.seek(max(errors.seek(0, os.SEEK_END) - 1500, 0))
            why = why or f"exit status {status}: {errors.read().decode(errors='replace')}"
        if ended or stopping.is_set():
            return
        late = time.monotonic() > deadline
        family, case = (at["family"], at["case"]) if at else (", ".join(names) or stage, "(starting)")
        if not at:
            if attempt == 0 and not late:
                continue
            record({"family": family, "case": case, "passed": False, "error": why})
            return
        if not told:
            record({"family": family, "case": case, "passed": False, "error": why})
        elif status != CONTEXT_LOST:
            record({"note": f"{family}: after {case}: {why}"})
        if late:
            return
        f, c = at["begin"]
        first = (f + 1, 0) if c < 0 and not told else (f, c + 1)
    record({"family": family, "case": f"(after {case})", "passed": False,
            "error": f"not run: the process ended badly {RESTARTS + 1} times"})
