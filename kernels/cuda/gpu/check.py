#!/usr/bin/env python3
"""Builds the CUDA kernels, checks every one against PyTorch and times it against PyTorch and the GPU's limits.

    python3 kernels/cuda/gpu/check.py --out results.json            all, about ten minutes
    python3 kernels/cuda/gpu/check.py --quick --out results.json    the first three times of each family, about two
    python3 kernels/cuda/gpu/check.py --host                        no GPU: the same cases on the SIMT shim

Needs nvcc (of CUDA 12.8 or newer) and PyTorch with CUDA; with --host g++ and any PyTorch. Nothing of Tenon's own build.
--family NAME (repeatable) limits it, --seconds bounds the timing, --no-time leaves it out. The exit status is 0 when all
checks passed. The results file holds GPU, driver, commit, date, limits, every check and every time.

Each family runs in a process of its own, so that one that faults or hangs spoils nothing else.
"""

import argparse
import concurrent.futures
import ctypes
import datetime
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KERNELS = Path(__file__).resolve().parent.parent
ROOT = KERNELS.parent.parent
sys.path.insert(0, str(KERNELS))

from gpu import case as case_module  # noqa: E402

CHECK_SEEDS = (1, 2)
ROUNDS = 7
QUICK_TIMES = 3


def families(wanted):
    found = sorted(p.name.removesuffix("_gpu.py") for p in KERNELS.glob("*/*_gpu.py"))
    unknown = set(wanted or ()) - set(found)
    if unknown:
        sys.exit(f"no such family: {', '.join(sorted(unknown))}; there are: {', '.join(found)}")
    return wanted or found


def folder_of(family):
    return next(KERNELS.glob(f"*/{family}_gpu.py")).parent


# ---- Building -------------------------------------------------------------------------------------------------------


def run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"failed: {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def build(work, names, host, compute_capability):
    """The launchers with an executor as one library, and a fatbin for each family (on the host: in the library)."""
    folders = sorted({folder_of(n) for n in names})
    launchers = [s for f in folders for s in sorted(f.glob("*.cpp")) if not s.stem.endswith("_test")]
    flags = ["-std=c++20", "-fPIC", "-w", f"-I{KERNELS}"]
    jobs = []
    if host:
        flags += ["-O1", "-g"]
        sources = launchers + [KERNELS / "simt/simt.cpp", KERNELS / "gpu/host_executor.cpp"]
        sources += [s for f in folders for s in sorted(f.glob("*.cu"))]
    else:
        nvcc = find_nvcc()
        flags += ["-O2"]
        sources = launchers
        # Both on Hopper, as the build packs them: that the driver prefers 90a is one of the things to see.
        architectures = ["90", "90a"] if compute_capability == 90 else [str(compute_capability)]
        targets = [f"-gencode=arch=compute_{a},code=sm_{a}" for a in architectures]
        for f in folders:
            all_of_it = work / f"{f.name}.cu"
            all_of_it.write_text("".join(f'#include "{s}"\n' for s in sorted(f.glob("*.cu"))))
            jobs.append([nvcc, "-std=c++17", "-O3", "--fatbin", f"-I{KERNELS}", "-o", work / f"{f.name}.fatbin",
                         *targets, all_of_it])
    objects = []
    if not host:  # nvcc knows where cuda.h is
        objects.append(work / "driver.o")
        jobs.append([nvcc, "-std=c++17", "-O2", "-Xcompiler=-fPIC", f"-I{KERNELS}", "-c", KERNELS / "gpu/driver.cpp",
                     "-o", objects[-1]])
    for i, source in enumerate(sources):
        objects.append(work / f"{i}.o")
        jobs.append(["g++", *flags, "-xc++", "-c", source, "-o", objects[-1]])
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(run, jobs))
    run(["g++", "-shared", *objects, "-o", work / "libtenon_gpu_check.so", "-ldl"])


def find_nvcc():
    for folder in (os.environ.get("CUDA_HOME", "/usr/local/cuda") + "/bin", *os.environ["PATH"].split(":")):
        if os.access(f"{folder}/nvcc", os.X_OK):
            return f"{folder}/nvcc"
    sys.exit("no nvcc in CUDA_HOME, /usr/local/cuda or PATH")


# ---- One family, in a process of its own ----------------------------------------------------------------------------


class Runner:
    def __init__(self, work, family, host):
        import torch

        self.torch, self.host, self.family = torch, host, family
        self.folder = folder_of(family)
        self.library = ctypes.CDLL(str(work / "libtenon_gpu_check.so"))
        self.message = ctypes.create_string_buffer(512)
        torch.set_default_device("cpu" if host else "cuda")
        device_type = case_module.struct_of("common/plan.h", "tenon_cuda_device")
        if host:
            self.device = device_type(90, 132, 232448, 60 << 20)
        else:
            torch.zeros(1)  # makes the context current, which the driver API uses
            d = torch.cuda.get_device_properties(0)
            self.device = device_type(10 * d.major + d.minor, d.multi_processor_count,
                                      d.shared_memory_per_block_optin, d.L2_cache_size)
            self.image = (work / f"{self.folder.name}.fatbin").read_bytes()
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
            self._check(self.library.tenon_gpu_execute(self.folder.name.encode(), plan, ctypes.c_void_p(stream),
                                                       self.message, ctypes.c_int64(512)))
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
        """The peers' names with a function for each problem."""
        # Compiled code is kept by function, not by case: without this the next case's shapes would get kernels for any
        # shape, and from the eighth on none at all.
        self.torch._dynamo.reset()
        for name in problems[0].peers:
            functions = [p.peers[name] for p in problems]
            yield name, [self.torch.compile(f) for f in functions] if name.startswith("compile") else functions

    def warm_peers(self, case):
        """Compiles what the timing will want, into the cache on disk."""
        with self.torch.no_grad():
            for _, (peer,) in self.peers([case.build(self.generator(1))]):
                peer()
        self.synchronize()

    def graph(self, functions):
        """All functions as one CUDA graph."""
        torch = self.torch
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for f in functions:
                f()
        torch.cuda.current_stream().wait_stream(stream)
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        kept = []
        with torch.cuda.graph(graph):
            for f in functions:
                kept.append(f())
        return graph, kept

    def time(self, case, seconds):
        """Median microseconds of a run for Tenon and each peer. The sets of tensors together are past twice the L2
        cache; a graph runs once over all sets; the contestants take turns."""
        torch = self.torch
        l2 = torch.cuda.get_device_properties(0).L2_cache_size
        sets = max(2, min(40, 1 + 2 * l2 // max(case.bytes, 1)))
        problems = [case.build(self.generator(s)) for s in range(sets)]
        contestants = {"tenon": [self.prepare(case, p) for p in problems], **dict(self.peers(problems))}
        graphs, failed = {}, {}
        with torch.no_grad():
            for name, functions in contestants.items():
                try:
                    graphs[name] = (*self.graph(functions), len(functions))
                except Exception as e:  # a peer that cannot be captured is left out, and the results say so
                    if name == "tenon":
                        raise
                    failed[name] = f"{type(e).__name__}: {e}"[:200]
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
        return {name: statistics.median(t) for name, t in times.items()}, failed


def one_family(options):
    """--stage check or time of one family; prints a line of JSON for each case."""
    runner = Runner(Path(options.work), options.family[0], options.host)
    deadline = time.monotonic() + options.seconds
    timed = 0
    for case in runner.cases(options.host):
        timed += case.share is not None
        if options.quick and case.share is not None and timed > QUICK_TIMES:
            continue
        line = {"family": options.family[0], "case": case.name}
        try:
            if options.stage == "check":
                started = time.monotonic()
                line["error_norm"] = runner.check(case)
                line["passed"] = True
                if case.share is not None and not options.host and not options.no_time:
                    try:
                        runner.warm_peers(case)
                    except Exception as e:
                        line["peer_failed"] = f"{type(e).__name__}: {e}"[:300]
                line["seconds"] = round(time.monotonic() - started, 2)
            elif case.share is None:
                continue
            elif time.monotonic() > deadline:
                line["not_timed"] = "the time for this family was used up"
            else:
                us, failed = runner.time(case, 0.1 if options.quick else 0.4)
                line.update(us=us, peer_failed=failed, bytes=case.bytes, flops=case.flops, share_wanted=case.share)
        except Exception as e:
            line.update(passed=False, error=f"{type(e).__name__}: {e}"[:600])
        print(json.dumps(line), flush=True)
        if not options.host:
            runner.torch.cuda.empty_cache()


# ---- All of it ------------------------------------------------------------------------------------------------------


def limits(quick):
    """What this GPU does: bytes read and written by a large copy, and 8192-cubed products of random values."""
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

    a = torch.empty(1 << 32 if not quick else 1 << 31, dtype=torch.uint8).random_(0, 256)
    b = torch.empty_like(a)
    result = {"copy_bytes_per_second": 2 * a.numel() / (median_ms(lambda: b.copy_(a), 20) / 1000)}
    del a, b
    n = 8192
    for dtype, name in ((torch.bfloat16, "bf16"), (torch.float16, "fp16"), (torch.float32, "fp32")):
        x, y = torch.randn(n, n, dtype=dtype), torch.randn(n, n, dtype=dtype)
        result[f"matmul_{name}_flops_per_second"] = 2 * n**3 / (median_ms(lambda: x @ y, 10) / 1000)
    torch.cuda.empty_cache()
    return result


def child(options, family, stage, seconds, timeout):
    command = [sys.executable, __file__, "--stage", stage, "--work", str(options.work), "--family", family,
               "--seconds", str(seconds)]
    command += [f"--{name}" for name in ("host", "quick") if getattr(options, name)]
    command += ["--no-time"] if options.no_time else []
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
        out, ending = done.stdout, f"exit status {done.returncode}\n{done.stderr[-1500:]}" if done.returncode else None
    except subprocess.TimeoutExpired as e:
        out, ending = (e.stdout or b"").decode(), f"stopped after {timeout:.0f} s"
    lines = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    if ending:
        lines.append({"family": family, "case": "(the process)", "passed": False, "error": ending})
    return lines


def header(options):
    commit = subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12"],
                            capture_output=True, text=True).stdout.strip()
    # A copy of the tree without its history names the commit in a file or in the environment.
    commit = commit or os.environ.get("TENON_COMMIT", "unknown")
    result = {"commit": commit, "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
              "quick": options.quick, "python": platform.python_version()}
    import torch

    result["torch"] = torch.__version__
    if options.host:
        return result, None
    if not torch.cuda.is_available():
        sys.exit("PyTorch sees no GPU; --host checks the kernels without one")
    properties = torch.cuda.get_device_properties(0)
    query = subprocess.run(["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"],
                           capture_output=True, text=True).stdout.strip()
    result.update(gpu=properties.name, driver=query, multiprocessors=properties.multi_processor_count,
                  nvcc=run([find_nvcc(), "--version"]).strip().splitlines()[-1])
    return result, 10 * properties.major + properties.minor


def table(result):
    """The results as Markdown, one row for each timed case."""
    lines = []
    limits_ = result["limits"]
    lines.append(f"{result['gpu']}, driver {result['driver']}, commit {result['commit']}, {result['date']}: copy "
                 f"{limits_['copy_bytes_per_second'] / 1e12:.2f} TB/s, bf16 products "
                 f"{limits_['matmul_bf16_flops_per_second'] / 1e12:.0f} TFLOP/s")
    lines += ["", "| family | case | us | of the limit | wanted | PyTorch's time / Tenon's |", "|---|---|---|---|---|---|"]
    for r in result["times"]:
        if "us" not in r:
            lines.append(f"| {r['family']} | {r['case']} | {r.get('not_timed') or r.get('error')} | | | |")
            continue
        us = dict(r["us"])
        tenon = us.pop("tenon")
        peers = ", ".join(f"{n} {t / tenon:.2f}" for n, t in us.items())
        peers += "".join(f", {n} failed" for n in r["peer_failed"])
        lines.append(f"| {r['family']} | {r['case']} | {tenon:.1f} | {r['share']:.0%} | {r['share_wanted']:.0%} | {peers} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--family", action="append")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--host", action="store_true")
    parser.add_argument("--no-time", action="store_true")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--out", type=Path, help="the results file; a table goes beside it with the ending .md")
    parser.add_argument("--stage", choices=("check", "time"), help=argparse.SUPPRESS)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage:
        return one_family(options)

    begun = time.monotonic()
    total = options.seconds or (110 if options.quick else 560)
    names = families(options.family)
    result, compute_capability = header(options)
    with tempfile.TemporaryDirectory() as folder:
        options.work = Path(folder)
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(options.work / "inductor"))
        os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "4")
        build(options.work, names, options.host, compute_capability)
        result["build_seconds"] = round(time.monotonic() - begun, 1)
        if not options.host:
            result["limits"] = limits(options.quick)
        # Checks side by side: they do not measure. A family that hangs is stopped.
        timeout = 600 if options.host else total * 0.5
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count() if options.host else 6) as pool:
            checks = list(pool.map(lambda n: child(options, n, "check", timeout, timeout), names))
        result["checks"] = [line for lines in checks for line in lines]
        result["check_seconds"] = round(time.monotonic() - begun, 1)
        result["times"] = []
        if not options.host and not options.no_time:
            for i, name in enumerate(names):
                left = total - (time.monotonic() - begun)
                share = max(left, 0) / (len(names) - i)
                result["times"] += child(options, name, "time", max(share - 8, 1), share * 2 + 20)
            for r in result["times"]:
                if "us" in r:
                    seconds = r["us"]["tenon"] / 1e6
                    r["share"] = (r["flops"] / seconds / result["limits"]["matmul_bf16_flops_per_second"] if r["flops"]
                                  else r["bytes"] / seconds / result["limits"]["copy_bytes_per_second"])
    result["seconds"] = round(time.monotonic() - begun, 1)

    failed = [c for c in result["checks"] + result["times"] if c.get("passed") is False]
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")
    if result["times"]:
        text = table(result)
        print(text)
        if options.out:
            options.out.with_suffix(".md").write_text(text + "\n")
    for f in failed:
        print(f"FAILED {f['family']}: {f['case']}: {f['error']}")
    passed = sum(c.get("passed") is True for c in result["checks"])
    print(f"{passed} of {len(result['checks'])} checks passed in {result['seconds']} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
