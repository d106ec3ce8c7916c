"""Cases of the reduction kernels for gpu/check.py."""

from gpu.case import Case, Problem, constant, type_code


def cases(torch, quick):
    functions = {
        "SUM": lambda x, d: x.sum(d), "MEAN": lambda x, d: x.mean(d), "MAX": lambda x, d: x.amax(d),
        "MIN": lambda x, d: x.amin(d), "PROD": lambda x, d: x.prod(d), "L1": lambda x, d: x.abs().sum(d),
        "L2": lambda x, d: torch.linalg.vector_norm(x, 2, d), "SUM_SQUARE": lambda x, d: x.square().sum(d),
        "LOG_SUM": lambda x, d: x.sum(d).log(), "LOG_SUM_EXP": lambda x, d: x.logsumexp(d),
        "ARG_MAX": lambda x, d: x.argmax(d), "ARG_MIN": lambda x, d: x.argmin(d),
    }

    def reduce(kind, dtype, shape, axis=-1, share=None):
        axis %= len(shape)
        kept = shape[:axis] + shape[axis + 1:]
        function = functions[kind]
        arg = kind.startswith("ARG")

        def build(g):
            if dtype.is_floating_point:
                x = torch.randn(*shape, generator=g)
                if kind == "PROD":
                    x = torch.exp2(x * 0.05)
                if kind == "LOG_SUM":
                    x = x.abs()
                if arg:  # no equal elements: PyTorch may choose any of them
                    n = shape[axis]
                    x = torch.stack([torch.randperm(n, generator=g) for _ in range(torch.Size(kept).numel())])
                    x = x.reshape(*kept, n).movedim(-1, axis).contiguous() - n // 2
                x = x.to(dtype)
            else:
                x = torch.randint(-1000, 1000, shape, generator=g, dtype=dtype)
            y = torch.full(kept, 77, dtype=torch.int64 if arg else dtype)
            args = dict(
                x=x, y=y, workspace=torch.full((1 << 22,), 85, dtype=torch.uint8),
                kind=constant("reduce/reduce.h", "TENON_CUDA_REDUCE_" + kind), type=type_code(dtype),
                y_type=type_code(y.dtype), outer=torch.Size(shape[:axis]).numel(), axis=shape[axis],
                inner=torch.Size(shape[axis + 1:]).numel())
            wide = torch.float64 if dtype.is_floating_point else torch.int64
            return Problem(args, {"y": lambda: function(x.to(wide), axis)},
                           {"eager": lambda: function(x, axis), "compile": lambda: function(x, axis)})

        name = f"{kind.lower()} {str(dtype)[6:]} {'x'.join(map(str, shape))}"
        name += f" axis {axis}" if axis != len(shape) - 1 else ""
        relative = {torch.float16: 1e-3, torch.bfloat16: 8e-3}.get(dtype, 2e-5)
        return Case(name, "tenon_cuda_reduce", build, (0.0, 0.0) if arg else (relative, 1e-3 if "SUM" == kind else 1e-5),
                    bytes=torch.Size(shape).numel() * torch.empty((), dtype=dtype).element_size(), share=share)

    f32, f16, bf16 = torch.float32, torch.float16, torch.bfloat16
    for kind in functions:
        arg = kind.startswith("ARG")
        yield reduce(kind, f32, (19, 333))
        yield reduce(kind, f16 if arg else bf16, (5, 100 if arg else 1500))
        yield reduce(kind, f32, (3, 70, 33), axis=1)
    yield reduce("SUM", f32, (1, 600001))
    yield reduce("ARG_MAX", f32, (1, 600001))
    yield reduce("MAX", bf16, (1, 2000, 64), axis=1)
    for dtype in (torch.int32, torch.int64):
        yield reduce("SUM", dtype, (5, 1000))
        yield reduce("MIN", dtype, (3, 100, 7), axis=1)
    if quick:
        return
    yield reduce("SUM", bf16, (65536, 1024), share=0.9)
    yield reduce("MEAN", f32, (16384, 4096), share=0.9)
    yield reduce("MAX", f16, (8192, 8192), share=0.9)
    yield reduce("SUM", f32, (1, 1 << 27), share=0.9)
    yield reduce("LOG_SUM_EXP", bf16, (2048, 32000), share=0.85)
    yield reduce("L2", f32, (128, 1 << 20), share=0.9)
    yield reduce("ARG_MAX", f32, (512, 128256), share=0.85)
    yield reduce("ARG_MAX", f32, (8, 128256), share=None)
    yield reduce("MEAN", f32, (64, 49, 2048), axis=1, share=None)
    yield reduce("SUM", f32, (65536, 2048), axis=0, share=0.85)
    yield reduce("SUM", bf16, (65536, 4096), axis=0, share=0.85)
    yield reduce("MAX", f32, (32, 256, 112 * 112), axis=1, share=0.85)
    yield reduce("SUM", torch.int64, (16384, 2048), share=None)
