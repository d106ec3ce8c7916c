#!/usr/bin/env python3
"""Builds the CUDA kernels, checks every one against PyTorch and times it against PyTorch and the GPU's limits.

    python3 kernels/cuda/gpu/check.py --out results.json            all, at most nine minutes
    python3 kernels/cuda/gpu/check.py --quick --out results.json    the first three times of each family and
                                                                    no torch.compile beside them, two
    python3 kernels/cuda/gpu/check.py --host                        no GPU: the same cases on the SIMT shim

Needs nvcc (of CUDA 12.8 or newer), g++ and PyTorch with CUDA; with --host g++ and any PyTorch. Nothing of Tenon's own
build. --family NAME (repeatable) limits it, --seconds bounds it, --no-time leaves the timing out. The exit status is 0
when all checks passed. The results file holds GPU, driver, commit, date, limits, every check and every time; it is
written anew after every case.

The cases run in child processes. One that faults, hangs or dies costs its case: another process goes on after it, with
a context of its own. A family that does not compile is reported and left out.
"""

import argparse
import concurrent.futures
import datetime
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gpu.build import build, find_nvcc, folder_of  # noqa: E402
from gpu.case import KERNELS  # noqa: E402
from gpu.report import Report, table  # noqa: E402
from gpu.runner import limits, run_cases  # noqa: E402
from gpu.supervise import stop, supervise  # noqa: E402

ROOT = KERNELS.parent.parent


def families(wanted):
    found = sorted(p.name.removesuffix("_gpu.py") for p in KERNELS.glob("*/*_gpu.py"))
    unknown = set(wanted or ()) - set(found)
    if unknown:
        sys.exit(f"no such family: {', '.join(sorted(unknown))}; there are: {', '.join(found)}")
    return wanted or found


def said(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def header(options):
    # A copy of the tree without its history names the commit in the environment.
    commit = (said(["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12"])
              or os.environ.get("TENON_COMMIT", "unknown"))
    result = {"commit": commit, "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
              "quick": options.quick, "python": platform.python_version(), "limits": {}, "checks": [], "times": [],
              "notes": []}
    import torch

    result["torch"] = torch.__version__
    if options.host:
        return result, None
    if not torch.cuda.is_available():
        sys.exit("PyTorch sees no GPU; --host checks the kernels without one")
    properties = torch.cuda.get_device_properties(0)
    result.update(gpu=properties.name, multiprocessors=properties.multi_processor_count,
                  l2_bytes=properties.L2_cache_size,
                  driver=said(["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]) or "unknown",
                  nvcc=said([find_nvcc(), "--version"]).splitlines()[-1])
    return result, 10 * properties.major + properties.minor


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--family", action="append")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--host", action="store_true")
    parser.add_argument("--no-time", action="store_true")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--out", type=Path, help="the results file; a table goes beside it with the ending .md")
    parser.add_argument("--stage", choices=("limits", "check", "time"), help=argparse.SUPPRESS)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("--first", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage:
        return limits(options) if options.stage == "limits" else run_cases(options)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    names = families(options.family)
    result, compute_capability = header(options)
    report = Report(result, options.out)
    total = options.seconds or (3600 if options.host else 120 if options.quick else 540)
    end = report.begun + total
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        options.work = Path(folder)
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(options.work / "inductor"))
        os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "4")
        wrong = build(options.work, names, options.host, compute_capability)
        for name in [n for n in names if folder_of(n).name in wrong]:
            names.remove(name)
            report.add("checks", {"family": name, "case": "(building)", "passed": False,
                                  "error": wrong[folder_of(name).name]})
        result["build_seconds"] = report.seconds()
        print(f"{report.seconds():6.1f} built", flush=True)
        if not options.host:
            supervise(options, "limits", [], end, lambda line: report.add("checks", line) if "error" in line else
                      result["limits"].update(line))
        # Checks side by side: they do not measure.
        check_end = end if options.host or options.no_time else report.begun + 0.7 * total

        def check(name):
            supervise(options, "check", [name], check_end, lambda line: report.add("checks", line))

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count() if options.host else 6) as pool:
            list(pool.map(check, names))
        result["check_seconds"] = report.seconds()
        if not options.host and not options.no_time:
            # Wrong results may be timed; what faulted or hung would do so again.
            skip = [(c["family"], c["case"]) for c in result["checks"]
                    if not c["passed"] and not c["error"].startswith("AssertionError")]
            (options.work / "skipped.json").write_text(json.dumps(skip))
            supervise(options, "time", names, end, lambda line: report.add("times", line))
    report.save()
    if result["times"]:
        print(table(result))
    failed = [c for c in result["checks"] + result["times"] if c.get("passed") is False]
    for f in failed:
        print(f"FAILED {f['family']}: {f['case']}: {f['error']}")
    passed = sum(c["passed"] for c in result["checks"])
    print(f"{passed} of {len(result['checks'])} checks passed in {result['seconds']} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
