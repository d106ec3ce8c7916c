"""Cases of the norm kernels for gpu/check.py."""

from gpu.case import Case, Problem, type_code

LAYER, RMS = 0, 1


def cases(torch, quick):
    F = torch.nn.functional

    def norm(kind, dtype, rows, columns, residual=False, quantize=None, misaligned=False, share=None):
        def build(g):
            def tensor(*shape):
                t = torch.randn(*shape[:-1], shape[-1] + misaligned, generator=g).to(dtype)
                return t[..., misaligned:]

            x, r, scale, bias = tensor(rows, columns), tensor(rows, columns), tensor(columns), tensor(columns)
            y = torch.full((rows, columns), 77).to(quantize or dtype)
            row_scale = torch.full((rows,), float("nan"))
            s = (x.float() + r.float()).to(dtype) if residual else x
            total = torch.full_like(y, 77) if residual else None

            def reference():
                v = s.double()
                if kind == LAYER:
                    return F.layer_norm(v, (columns,), scale.double(), bias.double(), 1e-5)
                return v * (v.square().mean(-1, keepdim=True) + 1e-5).rsqrt() * scale.double()

            def eager():
                v = x + r if residual else x
                if kind == LAYER:
                    n = F.layer_norm(v, (columns,), scale, bias, 1e-5)
                else:
                    n = F.rms_norm(v, (columns,), scale, 1e-5)
                if quantize is None:
                    return n, v
                q = n.abs().amax(-1, keepdim=True).float() / 127
                return (n / q).round().clamp(-128, 127).to(torch.int8), q, v

            args = dict(
                x=x, residual=r if residual else None, scale=scale, bias=bias if kind == LAYER else None, y=y,
                sum=total, row_scale=row_scale if quantize else None, kind=kind, type=type_code(dtype),
                y_type=type_code(y.dtype), rows=rows, columns=columns, x_stride=x.stride(0),
                residual_stride=r.stride(0), y_stride=columns, sum_stride=columns, epsilon=1e-5)
            outputs = {}
            if residual:
                outputs["sum"] = lambda: s
            if quantize:
                outputs["row_scale"] = lambda: reference().abs().amax(-1) / 127
                # Within a rounding of the exact quotient.
                outputs["y"] = lambda: reference() / (reference().abs().amax(-1, keepdim=True) / 127)
            else:
                outputs["y"] = reference
            return Problem(args, outputs, {"eager": eager, "compile": eager})

        element = torch.empty((), dtype=dtype).element_size()
        out = 1 if quantize else element
        name = f"{'layer' if kind == LAYER else 'rms'} {str(dtype)[6:]} {rows}x{columns}"
        name += (" +residual" if residual else "") + (" int8" if quantize else "") + (" misaligned" if misaligned else "")
        relative = {torch.float32: 1e-5, torch.float16: 1e-3, torch.bfloat16: 8e-3}[dtype]
        return Case(name, "tenon_cuda_norm", build, (relative, 0.502 if quantize else 2e-5),
                    bytes=rows * columns * (element * (3 if residual else 1) + out), share=share)

    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        yield norm(LAYER, dtype, 7, 1000)
        yield norm(RMS, dtype, 5, 333, residual=True)
        yield norm(LAYER, dtype, 3, 768, misaligned=True)
        yield norm(RMS, dtype, 2, 17000, residual=True)
        yield norm(RMS, dtype, 9, 4096, quantize=torch.int8)
        yield norm(RMS, dtype, 77, 128)
    if quick:
        return
    bf16 = torch.bfloat16
    yield norm(LAYER, bf16, 32768, 768, share=0.9)
    yield norm(LAYER, bf16, 32768, 768, residual=True, share=0.9)
    yield norm(LAYER, torch.float32, 16384, 1024, share=0.9)
    yield norm(RMS, bf16, 16384, 4096, share=0.9)
    yield norm(RMS, bf16, 16384, 4096, residual=True, share=0.9)
    yield norm(RMS, bf16, 16384, 4096, residual=True, quantize=torch.int8, share=0.9)
    yield norm(RMS, bf16, 8192, 8192, share=0.9)
    yield norm(LAYER, bf16, 4096, 12288, share=0.9)
    yield norm(RMS, bf16, 524288, 128, share=0.9)  # of the heads of q or k
    yield norm(LAYER, torch.float32, 131072, 96, share=0.9)
    yield norm(RMS, bf16, 16, 4096, residual=True, share=None)
