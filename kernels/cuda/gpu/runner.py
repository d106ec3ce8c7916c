"""The cases of a family, checked and timed in a child process of check.py, which it tells what came of each as lines of
JSON."""

import ctypes
import gc
import importlib.util
import json
import os
import statistics
import time
from pathlib import Path

from gpu import case as case_module
from gpu.build import folder_of
from gpu.case import KERNELS

CHECK_SEEDS = (1, 2)
ROUNDS = 7
QUICK_TIMES = 3
CONTEXT_LOST = 3  # exit status of a child whose case is told, but which can't go on


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


def teller():
    """A function that tells the parent process something; what libraries print goes elsewhere from now on."""
    told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return lambda **line: print(json.dumps(line), file=told, flush=True)


def run_cases(options):
    """--stage check or time of the given families, from the case --first on. Tells each case before it begins, and what
    came of it."""
    tell = teller()
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
            line = run_case(runner, case, options, time.monotonic() > family_end, [family, case.name] in skip)
            tell(result=line)
            if not options.host:
                tidy_up(runner, case, line.get("passed") and not options.no_time, tell)
    tell(end=True)


def run_case(runner, case, options, late, skip):
    """The line of results of a case."""
    line = {"family": runner.family, "case": case.name}
    try:
        if options.stage == "check" and late:
            line.update(passed=False, error="not run: the time was used up")
        elif options.stage == "check":
            started = time.monotonic()
            line["error_norm"] = patiently(runner.torch, lambda: runner.check(case))
            line["passed"] = True
            line["seconds"] = round(time.monotonic() - started, 2)
        elif skip:
            line["not_timed"] = "it did not get through its check"
        elif late:
            line["not_timed"] = "the time for this family was used up"
        else:
            line.update(runner.time(case, 0.1 if options.quick else 0.25), bytes=case.bytes, flops=case.flops,
                        share_wanted=case.share)
    except Exception as e:
        line.update(passed=False, error=f"{type(e).__name__}: {e}"[:600])
    return line


def tidy_up(runner, case, warm, tell):
    """After a case on the GPU: compiles what its timing will want if `warm`, frees memory, and ends this process when
    nothing in it can be trusted any more."""
    torch = runner.torch
    try:
        if warm and case.share is not None:
            for message in patiently(torch, lambda: runner.warm_peers(case)):
                tell(note=f"{runner.family}: {case.name}: a peer failed: {message}")
    except Exception as e:
        tell(note=f"{runner.family}: {case.name}: no peers: {type(e).__name__}: {e}"[:600])
    try:
        gc.collect()
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
    except Exception:
        runner.capturing = True
    if runner.capturing:  # after a fault or a failed capture
        os._exit(CONTEXT_LOST)


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


def limits(options):
    """--stage limits. What this GPU does: bytes read and written by a large copy, and 8192-cubed products of random
    values."""
    tell = teller()
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
    tell(result=result)
    tell(end=True)
