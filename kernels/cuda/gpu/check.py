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
import ctypes
import datetime
import gc
import importlib.util
import json
import os
import platform
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

KERNELS = Path(__file__).resolve().parent.parent
ROOT = KERNELS.parent.parent
sys.path.insert(0, str(KERNELS))

from gpu import case as case_module  # noqa: E402

CHECK_SEEDS = (1, 2)
ROUNDS = 7
QUICK_TIMES = 3
RESTARTS = 20  # of a child process; time is the other limit
# Seconds without a word from a child process after which it is taken to hang. A case takes seconds, most of them for
# torch.compile; on the host up to minutes.
SILENCE, SILENCE_HOST = 90, 600
CONTEXT_LOST = 3  # exit status of a child whose case is told, but which can't go on


def families(wanted):
    found = sorted(p.name.removesuffix("_gpu.py") for p in KERNELS.glob("*/*_gpu.py"))
    unknown = set(wanted or ()) - set(found)
    if unknown:
        sys.exit(f"no such family: {', '.join(sorted(unknown))}; there are: {', '.join(found)}")
    return wanted or found


def folder_of(family):
    return next(KERNELS.glob(f"*/{family}_gpu.py")).parent


# ---- Building -------------------------------------------------------------------------------------------------------


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


# ---- The cases of a family, in a child process -----------------------------------------------------------------------


class Runner:
    def __init__(self, work, family, host, quick):
        import torch

        self.torch, self.host, self.quick, self.family = torch, host, quick, family
        self.capturing = False  # stays true when a capture failed
        self.folder = folder_of(family)
        self.library = ctypes.CDLL(str(work / f"lib{self.folder.name}.so"))
        self.library.tenon_gpu_execute.argtypes = [ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p,
                                                   ctypes.c_int64]
        self.message = ctypes.create_string_buffer(512)
        torch.set_default_device("cpu" if host else "cuda")
        device_type = case_module.struct_of("common/plan.h", "tenon_cuda_device")
        if host:
            self.device = device_type(90, 132, 232448, 60 << 20)
        else:
            torch.zeros(1)  # makes the primary context current on this thread, which the driver API uses
            d = torch.cuda.get_device_properties(0)
            self.device = device_type(10 * d.major + d.minor, d.multi_processor_count,
                                      d.shared_memory_per_block_optin, d.L2_cache_size)
            self.image = (work / f"{self.folder.name}.fatbin").read_bytes()
            self.library.tenon_gpu_load.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int64]
            self._check(self.library.tenon_gpu_load(self.folder.name.encode(), self.image, self.message, 512))

    def _check(self, status):
        if status != 0:
            raise RuntimeError(self.message.value.decode())

    def cases(self, small):
        """small: only what the host can run in seconds."""
        spec = importlib.util.spec_from_file_location(f"{self.family}_gpu", self.folder / f"{self.family}_gpu.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield from module.cases(self.torch, small)

    def generator(self, seed):
        g = self.torch.Generator(device="cpu" if self.host else "cuda")
        g.manual_seed(seed)
        return g

    def prepare(self, case, problem):
        """The plan for a problem, and a function that executes it. Keeps what it points to alive."""
        header = next(str(h.relative_to(KERNELS)) for h in self.folder.glob("*.h")
                      if f"struct {case.struct} " in h.read_text())
        args = case_module.struct_of(header, case.struct)()
        for name, value in problem.args.items():
            if not hasattr(args, name):
                raise ValueError(f"{case.struct} has no field {name}")
            if isinstance(value, self.torch.Tensor):
                value = value.data_ptr()
            if isinstance(value, (list, tuple)):
                for i, v in enumerate(value):
                    getattr(args, name)[i] = v.data_ptr() if isinstance(v, self.torch.Tensor) else v
            elif value is not None:
                setattr(args, name, value)
        planner = getattr(self.library, f"{case.struct}_plan")
        storage = ctypes.create_string_buffer(self.library.tenon_gpu_plan_bytes() + 128)
        address = (ctypes.addressof(storage) + 127) & ~127
        plan = ctypes.c_void_p(address)

        def make():
            if planner(ctypes.byref(args), ctypes.byref(self.device), plan) != 0:
                raise RuntimeError("the launcher refuses: " + ctypes.string_at(address + 16).decode())
            return ctypes.c_int64.from_address(address + 8).value

        workspace_bytes = make()
        workspace = None
        if workspace_bytes > 0:
            workspace = self.torch.full((workspace_bytes + 256,), 0xA5, dtype=self.torch.uint8)
            args.workspace = (workspace.data_ptr() + 255) & ~255
            make()
        kept = (problem, args, storage, workspace)

        def execute():
            stream = 0 if self.host else self.torch.cuda.current_stream().cuda_stream
            self._check(self.library.tenon_gpu_execute(self.folder.name.encode(), plan, stream, self.message, 512))
            return kept

        return execute

    def synchronize(self):
        if not self.host:
            self.torch.cuda.synchronize()

    def check(self, case):
        """Two sets of values; of the second, two runs must give the same bits."""
        torch, worst = self.torch, 0.0
        for seed in CHECK_SEEDS:
            problem = case.build(self.generator(seed))
            # Outputs that the kernel reads too (in place) keep their values; the expected ones are computed first.
            expected = {name: make() for name, make in problem.outputs.items()}
            execute = self.prepare(case, problem)
            execute()
            self.synchronize()
            for name, want in expected.items():
                got = problem.args[name]
                if tuple(got.shape) != tuple(want.shape):
                    raise AssertionError(f"{name} is {tuple(got.shape)}; the reference {tuple(want.shape)}")
                got, want = got.to(torch.float64), want.to(torch.float64)
                difference = (got - want).abs()
                same = (got == want) | (got.isnan() & want.isnan())
                allowed = case.tolerance[1] + case.tolerance[0] * want.abs()
                wrong = ~(same | (difference <= allowed))
                if wrong.any():
                    at = tuple(int(i) for i in wrong.nonzero()[0])
                    raise AssertionError(f"{name}{list(at)} is {got[at].item()}; expected {want[at].item()}; "
                                         f"{int(wrong.sum())} of {wrong.numel()} are wrong (values of seed {seed})")
                norm = want[~same].norm()
                if norm > 0:
                    worst = max(worst, float(difference[~same].norm() / want[want.isfinite()].norm()))
            del got, want, difference, same, allowed, wrong, expected
        again = case.build(self.generator(CHECK_SEEDS[-1]))
        self.prepare(case, again)()
        self.synchronize()
        for name in problem.outputs:
            first, second = (p.args[name].contiguous().view(torch.uint8) for p in (problem, again))
            if not torch.equal(first, second):
                raise AssertionError(f"{name} has other bits in another run")
        return worst

    def peers(self, problems):
        """The peers' names, with a function that makes one for each problem."""

        def compiled(functions):
            # Compiled code is kept by function, not by case: without this the next case's shapes would get kernels for
            # any shape, and from the eighth on none at all.
            self.torch._dynamo.reset()
            return [self.torch.compile(f) for f in functions]

        for name in problems[0].peers:
            compiles = name.startswith("compile")
            if compiles and self.quick:
                continue  # it takes seconds a case
            functions = [p.peers[name] for p in problems]
            yield name, lambda f=functions, compiles=compiles: compiled(f) if compiles else f

    def warm_peers(self, case):
        """Compiles what the timing will want, into the cache on disk. Returns what failed."""
        failed = []
        with self.torch.no_grad():
            for name, make in self.peers([case.build(self.generator(1))]):
                try:
                    make()[0]()
                    self.synchronize()
                except self.torch.OutOfMemoryError:
                    raise
                except Exception as e:
                    failed.append(f"{name}: {type(e).__name__}: {e}"[:300])
        return failed

    def graph(self, functions):
        """All functions as one CUDA graph."""
        torch = self.torch
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            # Kernels are loaded and chosen at the first call, which must not be the captured one.
            for f in functions:
                f()
            # A second time with waits forbidden: one during the capture would spoil the allocator for all that follows.
            torch.cuda.set_sync_debug_mode("error")
            try:
                for f in functions:
                    f()
            finally:
                torch.cuda.set_sync_debug_mode("default")
        torch.cuda.current_stream().wait_stream(stream)
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        kept = []
        self.capturing = True
        with torch.cuda.graph(graph):
            for f in functions:
                kept.append(f())
        self.capturing = False
        return graph, kept

    def time(self, case, seconds):
        """Median microseconds of a run for Tenon and each peer; peers that failed; sets of tensors, and whether the L2
        cache may hold part of them. They are as many as make twice the L2 cache, but 40 at most; a graph runs once over
        all sets; the contestants take turns."""
        torch = self.torch
        l2 = torch.cuda.get_device_properties(0).L2_cache_size
        sets = max(2, min(40, 1 + 2 * l2 // max(case.bytes, 1)))
        problems = [case.build(self.generator(s)) for s in range(sets)]
        graphs, failed = {}, {}
        with torch.no_grad():
            contestants = [self.prepare(case, p) for p in problems]
            graphs["tenon"] = (*self.graph(contestants), sets)
            for name, make in self.peers(problems):
                if self.capturing:
                    failed[name] = "not tried after a failed capture"
                    continue
                try:
                    graphs[name] = (*self.graph(make()), sets)
                except Exception as e:  # a peer that cannot run or be captured is left out, and the results say so
                    failed[name] = f"{type(e).__name__}: {e}"[:300]
                    torch.cuda.set_stream(torch.cuda.default_stream())  # a failed capture leaves its own
                    torch.cuda.synchronize()
            times = {name: [] for name in graphs}
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            repeats = {}
            for name, (graph, _, count) in graphs.items():
                graph.replay()
                torch.cuda.synchronize()
                begin.record()
                graph.replay()
                end.record()
                torch.cuda.synchronize()
                repeats[name] = max(1, int(seconds * 1000 / ROUNDS / len(graphs) / max(begin.elapsed_time(end), 1e-3)))
            for _ in range(ROUNDS):
                for name, (graph, _, count) in graphs.items():
                    begin.record()
                    for _ in range(repeats[name]):
                        graph.replay()
                    end.record()
                    torch.cuda.synchronize()
                    times[name].append(begin.elapsed_time(end) * 1000 / repeats[name] / count)
        us = {name: statistics.median(t) for name, t in times.items()}
        return dict(us=us, peer_failed=failed, sets=sets, in_l2=sets * case.bytes < 2 * l2)


def run_cases(options):
    """--stage check or time of the given families, from the case --first on. Tells each case before it begins, and what
    came of it, as lines of JSON."""
    import torch

    # What libraries print goes elsewhere.
    told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def tell(**line):
        print(json.dumps(line), file=told, flush=True)

    skipped = Path(options.work) / "skipped.json"
    skip = json.loads(skipped.read_text()) if skipped.exists() else []
    end = time.monotonic() + options.seconds
    first_family, first_case = map(int, options.first.split(","))
    for f in range(first_family, len(options.family)):
        family = options.family[f]
        family_end = time.monotonic() + (end - time.monotonic()) / (len(options.family) - f)
        tell(begin=[f, -1], family=family, case="(loading)")
        try:
            runner = Runner(Path(options.work), family, options.host, options.quick)
            cases = list(runner.cases(options.host))
        except Exception as e:
            tell(result=dict(family=family, case="(loading)", passed=False, error=f"{type(e).__name__}: {e}"[:600]))
            continue
        timed = 0
        for c, case in enumerate(cases):
            timed += case.share is not None
            if f == first_family and c < first_case:
                continue
            if options.stage == "time" and case.share is None:
                continue
            if options.quick and case.share is not None and timed > QUICK_TIMES:
                continue
            tell(begin=[f, c], family=family, case=case.name)
            line = {"family": family, "case": case.name}
            try:
                late = time.monotonic() > family_end
                if options.stage == "check" and late:
                    line.update(passed=False, error="not run: the time was used up")
                elif options.stage == "check":
                    started = time.monotonic()
                    line["error_norm"] = patiently(torch, lambda: runner.check(case))
                    line["passed"] = True
                    line["seconds"] = round(time.monotonic() - started, 2)
                elif [family, case.name] in skip:
                    line["not_timed"] = "it did not get through its check"
                elif late:
                    line["not_timed"] = "the time for this family was used up"
                else:
                    line.update(runner.time(case, 0.1 if options.quick else 0.25), bytes=case.bytes, flops=case.flops,
                                share_wanted=case.share)
            except Exception as e:
                line.update(passed=False, error=f"{type(e).__name__}: {e}"[:600])
            tell(result=line)
            if options.host:
                continue
            try:
                if line.get("passed") and case.share is not None and not options.no_time:
                    for message in patiently(torch, lambda: runner.warm_peers(case)):
                        tell(note=f"{family}: {case.name}: a peer failed: {message}")
            except Exception as e:
                tell(note=f"{family}: {case.name}: no peers: {type(e).__name__}: {e}"[:600])
            try:
                gc.collect()
                torch.cuda.synchronize()
                torch.cuda.empty_cache()
            except Exception:
                runner.capturing = True
            if runner.capturing:  # after a fault or a failed capture nothing in this process can be trusted
                os._exit(CONTEXT_LOST)
    tell(end=True)


def patiently(torch, function):
    """Families are checked side by side: when the GPU's memory does not suffice, wait for others to finish."""
    for pause in (4, 8, 16):
        try:
            return function()
        except torch.OutOfMemoryError:
            pass  # the tensors go with the exception
        gc.collect()
        torch.cuda.empty_cache()
        time.sleep(pause)
    return function()


# ---- All of it ------------------------------------------------------------------------------------------------------


def limits(options):
    """--stage limits. What this GPU does: bytes read and written by a large copy, and 8192-cubed products of random
    values."""
    import torch

    torch.set_default_device("cuda")

    def median_ms(function, repeats):
        function()
        times = []
        for _ in range(repeats):
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            begin.record()
            function()
            end.record()
            torch.cuda.synchronize()
            times.append(begin.elapsed_time(end))
        return statistics.median(times)

    a = torch.empty(1 << 31 if options.quick else 1 << 32, dtype=torch.uint8).random_(0, 256)
    b = torch.empty_like(a)
    result = {"copy_bytes_per_second": 2 * a.numel() / (median_ms(lambda: b.copy_(a), 20) / 1000)}
    del a, b
    n = 8192
    for dtype, name in ((torch.bfloat16, "bf16"), (torch.float16, "fp16"), (torch.float32, "fp32")):
        x, y = torch.randn(n, n, dtype=dtype), torch.randn(n, n, dtype=dtype)
        result[f"matmul_{name}_flops_per_second"] = 2 * n**3 / (median_ms(lambda: x @ y, 10) / 1000)
    print(json.dumps({"result": result}), json.dumps({"end": True}), sep="\n", flush=True)


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


def supervise(options, stage, names, deadline, record):
    """Runs a stage for some families in a child process, in another after each that ends badly; record(line) for each
    case."""
    first = (0, 0)
    for attempt in range(RESTARTS + 1):
        if stopping.is_set():
            return
        command = [sys.executable, __file__, "--stage", stage, "--work", str(options.work), "--first", "%d,%d" % first]
        command += ["--seconds", str(max(deadline - time.monotonic(), 0))]
        command += [f"--family={name}" for name in names]
        command += [f"--{name}" for name in ("host", "quick") if getattr(options, name)]
        command += ["--no-time"] if options.no_time else []
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


class Report:
    """The results so far, in a file and on the terminal."""

    def __init__(self, result, out):
        self.result, self.out, self.lock, self.begun = result, out, threading.Lock(), time.monotonic()

    def seconds(self):
        return round(time.monotonic() - self.begun, 1)

    def add(self, where, line):
        with self.lock:
            if "note" in line:
                self.result["notes"].append(line["note"])
                print(f"{self.seconds():6.1f} note: {line['note']}", flush=True)
            else:
                if "us" in line and self.result["limits"]:
                    seconds = line["us"]["tenon"] / 1e6
                    line["share"] = (line["flops"] / seconds / self.result["limits"]["matmul_bf16_flops_per_second"]
                                     if line["flops"] else
                                     line["bytes"] / seconds / self.result["limits"]["copy_bytes_per_second"])
                self.result[where].append(line)
                what = (f"FAILED: {line['error']}" if line.get("passed") is False else
                        f"{line['us']['tenon']:.1f} us" if "us" in line else line.get("not_timed", "passed"))
                print(f"{self.seconds():6.1f} {line['family']}: {line['case']}: {what}", flush=True)
            self.save()

    def save(self):
        self.result["seconds"] = self.seconds()
        if self.out:
            for path, text in ((self.out, json.dumps(self.result, indent=1)), (self.out.with_suffix(".md"),
                                                                               table(self.result))):
                new = path.with_name(path.name + ".new")
                new.write_text(text + "\n")
                new.replace(path)


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


def table(result):
    """The results as Markdown, one row for each timed case."""
    lines = []
    limits_ = result["limits"]
    if "gpu" in result:
        lines.append(f"{result['gpu']}, driver {result['driver']}, commit {result['commit']}, {result['date']}")
    if limits_:
        lines[-1] += (f": copy {limits_['copy_bytes_per_second'] / 1e12:.2f} TB/s, bf16 products "
                      f"{limits_['matmul_bf16_flops_per_second'] / 1e12:.0f} TFLOP/s")
    passed = sum(c["passed"] for c in result["checks"])
    lines += ["", f"{passed} of {len(result['checks'])} checks passed."]
    lines += [f"- FAILED {c['family']}: {c['case']}: {c['error'].splitlines()[0]}"
              for c in result["checks"] if not c["passed"]]
    lines += ["", "| family | case | us | of the limit | wanted | PyTorch's time / Tenon's |"]
    lines += ["|---|---|---|---|---|---|"]
    for r in result["times"]:
        if "us" not in r:
            why = r.get("not_timed") or r["error"].splitlines()[0]
            lines.append(f"| {r['family']} | {r['case']} | {why} | | | |")
            continue
        us = dict(r["us"])
        tenon = us.pop("tenon")
        peers = ", ".join(f"{n} {t / tenon:.2f}" for n, t in us.items())
        peers += "".join(f", {n} failed" for n in r["peer_failed"])
        share = f"{r['share']:.0%}" if "share" in r else "?"
        share += " (data within reach of L2)" if r["in_l2"] else ""
        lines.append(f"| {r['family']} | {r['case']} | {tenon:.1f} | {share} | {r['share_wanted']:.0%} | {peers} |")
    return "\n".join(lines)


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
