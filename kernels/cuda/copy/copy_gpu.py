"""Cases of the copy kernels for gpu/check.py."""

from math import prod

from gpu.case import Case, Problem

SLICE, CONSTANT, REFLECT, EDGE, WRAP = range(5)
MODES = {CONSTANT: "constant", REFLECT: "reflect", EDGE: "replicate", WRAP: "circular"}


def cases(torch, quick):
    F = torch.nn.functional

    def bytes_of(dtype):
        return torch.empty((), dtype=dtype).element_size()

    def name_of(dtype, shape):
        return f"{str(dtype)[6:]} {'x'.join(map(str, shape))}"

    def slice_(dtype, shape, starts, steps, dims, share=None):
        def build(g):
            x = torch.randint(-100, 100, shape, generator=g).to(dtype)
            y = torch.full(dims, 77).to(dtype)
            args = dict(x=x, y=y, element_bytes=x.element_size(), mode=SLICE, rank=len(shape), x_dims=shape,
                        starts=starts, steps=steps, dims=dims)

            def reference():
                part = x
                for axis, (start, step, n) in enumerate(zip(starts, steps, dims)):
                    part = part.index_select(axis, start + step * torch.arange(n))
                return part

            peers = {}
            if min(steps) > 0:
                view = x[tuple(slice(s, s + t * n, t) for s, t, n in zip(starts, steps, dims))]
                peers["eager"] = lambda: view.clone(memory_format=torch.contiguous_format)
            return Problem(args, dict(y=reference), peers)

        return Case(f"slice {name_of(dtype, shape)} from {starts} by {steps} to {dims}", "tenon_cuda_copy", build,
                    (0, 0), bytes=2 * prod(dims) * bytes_of(dtype), share=share)

    def pad(dtype, shape, before, after, mode=CONSTANT, share=None):
        dims = [d + b + a for d, b, a in zip(shape, before, after)]

        def build(g):
            x = torch.randint(-100, 100, shape, generator=g).to(dtype)
            y = torch.full(dims, 77).to(dtype)
            # The bits of the element 0; other values are tested on the host.
            args = dict(x=x, y=y, element_bytes=x.element_size(), mode=mode, value_bits=0, rank=len(shape), x_dims=shape,
                        starts=[-b for b in before], steps=[1] * len(shape), dims=dims)
            # F.pad wants the innermost axis first, and mirrors only the last three.
            amounts = [n for b, a in zip(before[::-1], after[::-1]) for n in (b, a)]
            while amounts[-2:] == [0, 0]:
                amounts = amounts[:-2]
            eager = lambda: F.pad(x, amounts, mode=MODES[mode])
            return Problem(args, dict(y=lambda: F.pad(x.double(), amounts, mode=MODES[mode])), {"eager": eager})

        moved = prod(min(d, d + b) for d, b in zip(shape, before)) + prod(dims)
        return Case(f"pad {MODES[mode]} {name_of(dtype, shape)} by {before} {after}", "tenon_cuda_copy", build, (0, 0),
                    bytes=moved * bytes_of(dtype), share=share)

    def concat(dtype, outer, sizes, inner, share=None):
        def build(g):
            parts = [torch.randint(-100, 100, (outer, n, inner), generator=g).to(dtype) for n in sizes]
            whole = torch.full((outer, sum(sizes), inner), 77).to(dtype)
            args = dict(whole=whole, parts=parts, sizes=sizes, count=len(sizes), outer=outer, inner=inner,
                        element_bytes=whole.element_size())
            cat = lambda: torch.cat(parts, 1)
            return Problem(args, dict(whole=cat), {"eager": cat})

        shown = sizes if len(sizes) < 6 else f"{len(sizes)} parts"
        return Case(f"concat {str(dtype)[6:]} {outer}x{shown}x{inner}", "tenon_cuda_concat", build, (0, 0),
                    bytes=2 * outer * sum(sizes) * inner * bytes_of(dtype), share=share)

    for dtype in (torch.int8, torch.bfloat16, torch.float32, torch.int64):
        yield slice_(dtype, [5, 7, 64], [1, 2, 0], [1, 1, 1], [3, 4, 64])
        yield slice_(dtype, [5, 7, 64], [4, 0, 3], [-1, 2, 1], [5, 4, 17])
        yield pad(dtype, [2, 3, 9, 17], [0, 0, 1, 1], [0, 0, 1, 1])
        yield concat(dtype, 3, [5, 1, 8], 16)
        yield concat(dtype, 3, [5, 1, 8], 7)
        yield concat(dtype, 2, [n % 5 for n in range(70)], 3)
    for mode in (REFLECT, EDGE, WRAP):
        yield pad(torch.float32, [2, 3, 9, 17], [0, 0, 1, 2], [0, 0, 3, 1], mode)
        yield pad(torch.float32, [2, 3, 9, 16], [0, 0, 2, 0], [0, 0, 3, 0], mode)
    if quick:
        return
    bf16, f32 = torch.bfloat16, torch.float32
    yield slice_(bf16, [8192, 12288], [0, 4096], [1, 1], [8192, 4096], share=0.9)  # one of q, k, v
    yield slice_(bf16, [64, 513, 4096], [0, 1, 0], [1, 1, 1], [64, 512, 4096], share=0.9)
    yield slice_(f32, [8192, 8192], [0, 0], [1, 2], [8192, 4096], share=0.45)  # reads every sector
    yield slice_(f32, [8192, 8192], [8191, 8191], [-1, -1], [8192, 8192], share=0.7)
    yield slice_(bf16, [8192, 8193], [0, 1], [1, 1], [8192, 8192], share=0.45)
    yield pad(bf16, [64, 256, 56, 56], [0, 0, 1, 1], [0, 0, 1, 1], share=0.4)
    yield pad(f32, [64, 256, 56, 56], [0, 0, 1, 1], [0, 0, 1, 1], share=0.7)
    yield pad(bf16, [64, 56, 56, 256], [0, 1, 1, 0], [0, 1, 1, 0], share=0.9)
    yield pad(f32, [16, 64, 256, 256], [0, 0, 3, 3], [0, 0, 3, 3], REFLECT, share=0.7)
    yield concat(bf16, 512, [2047, 1], 128, share=0.9)  # a key cache that grows
    yield concat(bf16, 16384, [4096, 4096], 1, share=0.9)
    yield concat(bf16, 64, [256, 128, 64, 32], 3136, share=0.9)
    yield concat(f32, 65536, [128] * 26, 1, share=0.9)  # embeddings side by side
    yield concat(bf16, 65536, [127, 129, 255], 1, share=0.45)
