"""Cases of the weight-only products for gpu/check.py."""

from gpu.case import Case, Problem, constant, type_code


def cases(torch, quick):
    def product(dtype, m, n, k, group=128, bits=4, signed=False, zero=False, bias=False, share=None):
        weight_type = constant("common/plan.h", f"TENON_CUDA_{'I' if signed else 'U'}{bits}")
        groups = -(-k // group)
        stride = groups * group * bits // 8

        def build(g):
            def integers(rows, columns):  # unsigned, a byte each
                return torch.randint(0, 1 << bits, (rows, columns), generator=g, dtype=torch.uint8)

            def pack(t):
                if bits == 8:
                    return t
                t = torch.nn.functional.pad(t, (0, t.shape[1] % 2))
                return t[:, ::2] | t[:, 1::2] << 4

            def values(t):  # the numbers that the bits mean
                t = t.to(torch.int16)
                return torch.where(t >= 1 << (bits - 1), t - (1 << bits), t) if signed else t

            x = torch.randn(m, k, generator=g).to(dtype)
            w, z = integers(n, groups * group), integers(n, groups)
            scale = (torch.rand(n, groups, generator=g) * 0.02 + 0.001).to(dtype)
            b = torch.randn(n, generator=g).to(dtype) if bias else None
            y = torch.full((m, n), 77, dtype=dtype)
            packed, packed_zero = pack(w), pack(z) if zero else None
            default = 0 if signed else 1 << (bits - 1)

            def dequantized(to):
                minus = values(z).to(to)[:, :, None] if zero else default
                w3 = (values(w).to(to).view(n, groups, group) - minus) * scale.to(to)[:, :, None]
                return w3.view(n, -1)[:, :k]

            def reference():
                out = torch.empty(m, n, dtype=torch.float64)
                for i in range(0, n, 4096):  # a part at a time: double weights are 16 times these
                    minus = values(z[i:i + 4096]).double()[:, :, None] if zero else default
                    part = values(w[i:i + 4096]).double().view(-1, groups, group) - minus
                    part = (part * scale[i:i + 4096].double()[:, :, None]).view(-1, groups * group)[:, :k]
                    out[:, i:i + 4096] = x.double() @ part.T
                return out + b.double() if bias else out

            peers = {}
            if share is not None:
                dense = dequantized(dtype).contiguous()
                peers["16-bit matmul"] = lambda: torch.nn.functional.linear(x, dense, b)
                if not signed and not zero and bits == 4:

                    def from_packed():
                        v = torch.stack((packed & 15, packed >> 4), -1).view(n, groups, group).to(dtype) - default
                        return x @ (v * scale[:, :, None]).view(n, k).T

                    peers["compile"] = from_packed
                peers.update(own(x, w, scale, dtype))

            args = dict(
                x=x, weight=packed, scale=scale, zero=packed_zero, bias=b, y=y, type=type_code(dtype),
                weight_type=weight_type, m=m, n=n, k=k, group=group, x_stride=k, y_stride=n,
                weight_stride_bytes=stride)
            return Problem(args, {"y": reference}, peers)

        def own(x, w, scale, dtype):
            """PyTorch's kernels for such weights; the call raises where this build has none for this GPU."""
            if dtype != torch.bfloat16 or x.device.type != "cuda":
                return {}
            if bits == 4 and not signed and not zero:
                high_first = w[:, ::2] << 4 | w[:, 1::2]
                pairs = torch.stack((scale, torch.zeros_like(scale)), -1).transpose(0, 1).contiguous()
                layout = []

                def int4pack():
                    if not layout:  # the first call is not timed
                        layout.append(torch._convert_weight_to_int4pack(high_first, 8))
                    return torch._weight_int4pack_mm(x, layout[0], group, pairs)

                return {"int4pack": int4pack}
            if bits == 8 and signed and groups == 1:
                w8, s = w.view(torch.int8), scale.view(-1)
                return {"int8pack": lambda: torch._weight_int8pack_mm(x, w8, s)}
            return {}

        kind = f"{'i' if signed else 'u'}{bits}"
        name = f"{str(dtype)[6:]} {kind} {m}x{n}x{k} group {group if groups > 1 else 'row'}"
        name += (" zero" if zero else "") + (" bias" if bias else "")
        element = torch.empty((), dtype=dtype).element_size()
        relative = {torch.float32: 1e-5, torch.float16: 1e-3, torch.bfloat16: 8e-3}[dtype]
        return Case(name, "tenon_cuda_weight_only_gemm", build, (relative, 2e-4),
                    bytes=n * (stride + groups * element + (groups * bits + 7) // 8 * zero) + (m * k + m * n) * element,
                    share=share)

    f32, f16, bf16 = torch.float32, torch.float16, torch.bfloat16
    for dtype in (f16, bf16):
        yield product(dtype, 1, 100, 1160, 32, zero=True, bias=True)
        yield product(dtype, 2, 40, 2048, 128, signed=True)
        yield product(dtype, 4, 35, 1496, 64, bits=8, zero=True)
        yield product(dtype, 3, 64, 1024, 1024, bits=8, signed=True, bias=True)
        yield product(dtype, 9, 48 if quick else 3000, 1056, 32, zero=True)
        yield product(dtype, 20, 96 if quick else 6000, 640, 64, bits=8, signed=True, zero=True)
        yield product(dtype, 64, 96 if quick else 12000, 512, 32, zero=True)
        yield product(dtype, 100, 96 if quick else 12000, 264, 128, bits=8)
        yield product(dtype, 5, 33, 77, 16, bits=8, zero=True)
    yield product(f32, 3, 50, 333, 32, signed=True, zero=True)
    yield product(f32, 1, 50, 256, 256, bits=8, signed=True)
    yield product(f32, 5, 50, 1160, 32, zero=True, bias=True)
    if quick:
        return
    # Llama 3 8B and 70B: attention output, down, gate and up, vocabulary. Small ones are launch latency.
    yield product(bf16, 1, 14336, 4096, share=0.6)
    yield product(bf16, 1, 28672, 8192, share=0.8)
    yield product(bf16, 8, 28672, 8192, share=0.7)
    yield product(bf16, 1, 4096, 4096, share=0.35)
    yield product(bf16, 1, 4096, 14336, share=0.6)
    yield product(bf16, 1, 128256, 4096, share=0.8)
    yield product(f16, 1, 28672, 8192, 32, zero=True, share=0.75)
    yield product(f16, 4, 28672, 8192, 32, share=0.75)
    yield product(bf16, 1, 28672, 8192, 8192, bits=8, signed=True, share=0.8)
    yield product(bf16, 16, 28672, 8192, share=0.6)
    yield product(bf16, 32, 28672, 8192, share=0.5)
    yield product(bf16, 64, 28672, 8192, share=0.3)
    yield product(bf16, 64, 28672, 8192, 8192, bits=8, signed=True, share=0.5)
    yield product(f32, 1, 28672, 8192, share=0.3)
