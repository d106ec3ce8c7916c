"""Compiles the families' launchers and kernels, for the GPU or for the SIMT shim."""

import concurrent.futures
import os
import subprocess
import sys
from pathlib import Path

from gpu.case import KERNELS


def folder_of(family):
    return next(KERNELS.glob(f"*/{family}_gpu.py")).parent


def complaint(command):
    """Runs a compiler; None, or what it said when it failed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    except (OSError, subprocess.TimeoutExpired) as e:
        return str(e)
    return None if done.returncode == 0 else f"{' '.join(map(str, command))}\n{(done.stdout + done.stderr)[:3000]}"


def build(work, names, host, compute_capability):
    """For each folder lib<folder>.so, launchers with an executor (on the host: and kernels), and <folder>.fatbin.
    Returns what went wrong: folder -> message."""
    folders = sorted({folder_of(n) for n in names})
    jobs, common, objects = [], [], {}  # jobs: (folder or None, command)
    gxx = ["g++", "-std=c++20", "-fPIC", "-w", f"-I{KERNELS}"]
    if host:
        flags = ["-O1", "-g"]
        for source in ("simt/simt.cpp", "gpu/host_executor.cpp"):
            common.append(work / f"{Path(source).stem}.o")
            jobs.append((None, [*gxx, *flags, "-c", KERNELS / source, "-o", common[-1]]))
    else:
        flags = ["-O2"]
        nvcc = find_nvcc()
        # nvcc knows where cuda.h is.
        common.append(work / "driver.o")
        jobs.append((None, [nvcc, "-std=c++17", "-O2", "-Xcompiler=-fPIC", f"-I{KERNELS}", "-c",
                            KERNELS / "gpu/driver.cpp", "-o", common[-1]]))
        # Both on Hopper, as the build packs them: that the driver prefers 90a is one of the things to see.
        architectures = ["90", "90a"] if compute_capability == 90 else [str(compute_capability)]
        targets = [f"-gencode=arch=compute_{a},code=sm_{a}" for a in architectures]
        for f in folders:
            all_of_it = work / f"{f.name}.cu"
            all_of_it.write_text("".join(f'#include "{s}"\n' for s in sorted(f.glob("*.cu"))))
            jobs.append((f, [nvcc, "-std=c++17", "-O3", "--threads", "2", "--fatbin", f"-I{KERNELS}", "-o",
                             work / f"{f.name}.fatbin", *targets, all_of_it]))
    for f in folders:
        sources = [s for s in sorted(f.glob("*.cpp")) if not s.stem.endswith("_test")]
        sources += sorted(f.glob("*.cu")) if host else []
        objects[f] = [work / f"{f.name}.{source.name}.o" for source in sources]
        for source, o in zip(sources, objects[f]):
            jobs.append((f, [*gxx, *flags, "-xc++", "-c", source, "-o", o]))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        done = list(zip(jobs, pool.map(lambda job: complaint(job[1]), jobs)))
    wrong = {}
    for (folder, _), message in done:
        if message and folder is None:
            sys.exit(f"failed: {message}")
        if message:
            wrong.setdefault(folder.name, message)
    for f in folders:
        if f.name not in wrong:
            message = complaint(["g++", "-shared", *objects[f], *common, "-o", work / f"lib{f.name}.so", "-ldl"])
            if message:
                wrong[f.name] = message
    return wrong


def find_nvcc():
    for folder in (os.environ.get("CUDA_HOME", "/usr/local/cuda") + "/bin", *os.environ["PATH"].split(":")):
        if os.access(f"{folder}/nvcc", os.X_OK):
            return f"{folder}/nvcc"
    sys.exit("no nvcc in CUDA_HOME, /usr/local/cuda or PATH")
