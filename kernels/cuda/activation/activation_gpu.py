"""Cases of the activation kernels for gpu/check.py."""

from gpu.case import Case, Problem, type_code

RELU, GELU, GELU_TANH, SILU, QUICK_GELU = range(5)
NAMES = ["relu", "gelu", "gelu_tanh", "silu", "quick_gelu"]


def cases(torch, quick):
    F = torch.nn.functional
    functions = [F.relu, F.gelu, lambda v: F.gelu(v, approximate="tanh"), F.silu, lambda v: v * torch.sigmoid(1.702 * v)]

    def activation(kind, dtype, rows, columns, bias=False, gated=False, quantize=None, misaligned=False, share=None):
        def build(g):
            def tensor(*shape):
                return torch.randn(*shape[:-1], shape[-1] + misaligned, generator=g).to(dtype)[..., misaligned:]

            # Gate and up as the halves of one tensor: what a merged projection writes.
            x = tensor(rows, columns * (2 if gated else 1))
            gate, up = x[:, :columns], x[:, columns:] if gated else None
            b = tensor(columns) if bias else None
            y = torch.full((rows, columns), 77).to(quantize or dtype)
            scale = 0.02

            def reference():
                v = gate.double() + (b.double() if bias else 0)
                v = functions[kind](v) * (up.double() if gated else 1)
                if quantize is None:
                    return v
                limit = 127 if quantize == torch.int8 else 448
                return (v / scale).clamp(-limit - (quantize == torch.int8), limit)

            def eager():
                v = functions[kind](gate + b if bias else gate)
                v = v * up if gated else v
                if quantize is None:
                    return v
                v = v.float() / scale
                return (v.round().clamp(-128, 127) if quantize == torch.int8 else v.clamp(-448, 448)).to(quantize)

            args = dict(x=x, bias=b, up=up, y=y, kind=kind, type=type_code(dtype), y_type=type_code(y.dtype), rows=rows,
                        columns=columns, x_stride=x.stride(0), up_stride=x.stride(0), y_stride=columns, y_scale=scale)
            return Problem(args, {"y": reference}, {"eager": eager, "compile": eager})

        element = torch.empty((), dtype=dtype).element_size()
        out = 1 if quantize else element
        name = f"{NAMES[kind]} {str(dtype)[6:]} {rows}x{columns}"
        name += (" gated" if gated else "") + (" bias" if bias else "") + (" misaligned" if misaligned else "")
        name += f" to {str(quantize)[6:]}" if quantize else ""
        relative = {torch.float32: 6e-6, torch.float16: 1e-3, torch.bfloat16: 8e-3}[dtype]
        absolute = 1e-6
        if quantize is not None:
            relative, absolute = (2e-3, 0.52) if quantize == torch.int8 else (0.07, 2e-3)
        return Case(name, "tenon_cuda_activation", build, (relative, absolute),
                    bytes=rows * columns * (element * (2 if gated else 1) + out), share=share)

    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        for kind in range(5):
            yield activation(kind, dtype, 7, 1000, bias=True)
        yield activation(SILU, dtype, 5, 333, gated=True)
        yield activation(GELU, dtype, 3, 768, misaligned=True)
        yield activation(GELU, dtype, 3, 1024, bias=True, quantize=torch.int8)
        yield activation(SILU, dtype, 3, 1024, gated=True, quantize=torch.float8_e4m3fn)
    if quick:
        return
    bf16, f16 = torch.bfloat16, torch.float16
    yield activation(GELU, bf16, 32768, 3072, bias=True, share=0.9)
    yield activation(GELU, torch.float32, 16384, 3072, bias=True, share=0.9)
    yield activation(GELU_TANH, f16, 16384, 6400, bias=True, share=0.9)
    yield activation(SILU, bf16, 16384, 14336, gated=True, share=0.9)
    yield activation(GELU_TANH, bf16, 8192, 14336, gated=True, share=0.9)
    yield activation(SILU, bf16, 16384, 14336, gated=True, quantize=torch.float8_e4m3fn, share=0.9)
    yield activation(GELU, bf16, 32768, 3072, bias=True, quantize=torch.int8, share=0.9)
    yield activation(RELU, bf16, 32768, 4096, share=0.9)
    yield activation(SILU, bf16, 16, 14336, gated=True, share=None)
