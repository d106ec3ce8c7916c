"""Cases of the softmax kernels for gpu/check.py."""

from gpu.case import Case, Problem, type_code


def cases(torch, quick):
    F = torch.nn.functional

    def softmax(dtype, shape, axis=-1, log=False, out=None, share=None):
        out = out or dtype
        axis %= len(shape)

        def build(g):
            x = (torch.randn(*shape, generator=g) * 3).to(dtype)
            y = torch.full(shape, 77, dtype=out)
            function = F.log_softmax if log else F.softmax

            def eager():
                return function(x, axis, dtype=out if out != dtype else None)

            args = dict(
                x=x, y=y, workspace=torch.full((1 << 20,), 85, dtype=torch.uint8), kind=int(log), type=type_code(dtype),
                y_type=type_code(out), outer=torch.Size(shape[:axis]).numel(), axis=shape[axis],
                inner=torch.Size(shape[axis + 1:]).numel(), scale=1.0)
            return Problem(args, {"y": lambda: function(x.double(), axis)}, {"eager": eager, "compile": eager})

        def size(t):
            return torch.empty((), dtype=t).element_size()

        name = f"{'log ' if log else ''}{str(dtype)[6:]} {'x'.join(map(str, shape))}"
        name += (f" axis {axis}" if axis != len(shape) - 1 else "") + (f" to {str(out)[6:]}" if out != dtype else "")
        relative = {torch.float32: 2e-5, torch.float16: 1e-3, torch.bfloat16: 8e-3}[out]
        return Case(name, "tenon_cuda_softmax", build, (relative, 1e-6),
                    bytes=torch.Size(shape).numel() * (size(dtype) + size(out)), share=share)

    f32, f16, bf16 = torch.float32, torch.float16, torch.bfloat16
    for dtype in (f32, f16, bf16):
        yield softmax(dtype, (70, 10))
        yield softmax(dtype, (9, 333), log=True)
        yield softmax(dtype, (5, 3001))
        yield softmax(dtype, (2, 50257), log=True)
        yield softmax(dtype, (2, 21, 77), axis=1)
        yield softmax(dtype, (2, 19, 16, 8), axis=1, log=True)
    yield softmax(bf16, (3, 4099), log=True, out=f32)
    if quick:
        return
    yield softmax(bf16, (12 * 32 * 128, 128), share=0.9)  # attention scores of BERT
    yield softmax(bf16, (12 * 8 * 512, 512), share=0.9)
    yield softmax(f16, (16 * 2048, 2048), share=0.9)
    yield softmax(f32, (16 * 1024, 1024), share=0.9)
    yield softmax(f32, (1 << 20, 64), share=0.9)
    yield softmax(bf16, (16384, 4096), share=0.9)
    yield softmax(bf16, (8192, 8192), share=0.9)
    yield softmax(bf16, (2048, 32000), share=0.85)
    yield softmax(f32, (1024, 50257), log=True, share=0.8)
    yield softmax(bf16, (1024, 128256), log=True, out=f32, share=0.8)
    yield softmax(bf16, (8, 128256), share=None)
    yield softmax(f32, (8, 128256), share=None)
    yield softmax(f16, (8, 21, 512, 512), axis=1, share=0.8)  # classes of pixels
    yield softmax(f32, (64, 1000, 49), axis=1, share=None)
