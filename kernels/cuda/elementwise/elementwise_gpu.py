"""Cases of generated elementwise kernels for gpu/check.py: the launches of examples.inc."""

import re

from gpu.case import KERNELS, Case, Problem

EXAMPLES = re.findall(r'^EXAMPLE\("([^"]+)"', (KERNELS / "elementwise/examples.inc").read_text(), re.M)


def cases(torch, quick):
    F = torch.nn.functional
    f32, f16, bf16 = torch.float32, torch.float16, torch.bfloat16

    def case(name, build, function, reference, tolerance, elements_bytes, share):
        """build(g) makes the inputs; function is what PyTorch does on their type, reference the same in double with
        every step rounded."""

        def problem(g):
            inputs = build(g)
            y = torch.zeros_like(function(*inputs))
            args = dict(example=EXAMPLES.index(name), y=y, **{f"x{i}": x for i, x in enumerate(inputs)})

            def eager():
                return function(*inputs)

            return Problem(args, {"y": lambda: reference(*inputs)}, {"eager": eager, "compile": eager})

        return Case(name, "tenon_cuda_elementwise", problem, tolerance, bytes=elements_bytes, share=share)

    def add_relu(name, shape, share):
        def build(g):
            return [torch.randn(shape, generator=g) for _ in range(2)]

        n = shape[0] * shape[1]
        return case(name, build, lambda a, b: (a + b).relu(), lambda a, b: (a + b).relu(), (0, 0), 12 * n, share)

    def bias_gelu(name, rows, columns, share):
        def build(g):
            return [torch.randn(s, generator=g).to(bf16) for s in ((rows, columns), (columns,))]

        return case(name, build, lambda x, b: F.gelu(x + b), lambda x, b: F.gelu((x + b).double()), (4.3e-3, 1e-5),
                    4 * rows * columns, share)

    def channel_scale_silu(name, batch, channels, height, width, share):
        def build(g):
            return [torch.randn(s, generator=g).to(f16)
                    for s in ((batch, channels, height, width), (channels, 1, 1), (channels, 1, 1))]

        return case(name, build, lambda x, s, b: F.silu(x * s + b), lambda x, s, b: F.silu((x * s + b).double()),
                    (5.5e-4, 1e-6), 4 * batch * channels * height * width, share)

    def masked_scores(name, batch, heads, s, share):
        def build(g):
            return [torch.rand((batch, 1, 1, s), generator=g) < 0.7, torch.randn((batch, heads, s, s), generator=g),
                    torch.tensor(0.125), torch.tensor(-float("inf"))]

        def function(keep, x, scale, low):
            return torch.where(keep, x * scale, low)

        return case(name, build, function, function, (0, 0), 8 * batch * heads * s * s, share)

    def dequantize(name, rows, columns, share):
        def build(g):
            return [torch.randint(-128, 128, (rows, columns), generator=g).to(torch.int8),
                    torch.randn((rows, 1), generator=g).to(f16)]

        def function(x, scale):
            return x.to(f16) * scale

        return case(name, build, function, function, (0, 0), 3 * rows * columns, share)

    def less(name, rows, columns, share):
        def build(g):
            return [torch.arange(columns).reshape(1, -1), torch.randint(0, columns, (rows, 1), generator=g)]

        def function(positions, lengths):
            return positions < lengths

        return case(name, build, function, function, (0, 0), rows * columns, share)

    yield add_relu("add_relu_f32 small", (3, 4099), None)
    yield bias_gelu("bias_gelu_bf16 small", 37, 136, None)
    yield channel_scale_silu("channel_scale_silu_f16 small", 2, 5, 7, 16, None)
    yield masked_scores("masked_scores_f32 small", 2, 3, 37, None)
    yield dequantize("dequantize_i8_f16 small", 11, 64, None)
    yield less("less_i64 small", 9, 80, None)
    if quick:
        return
    yield bias_gelu("bias_gelu_bf16 large", 32768, 4096, 0.9)
    yield masked_scores("masked_scores_f32 large", 64, 12, 197, 0.9)
    yield add_relu("add_relu_f32 large", (64, 1 << 20), 0.9)
    yield channel_scale_silu("channel_scale_silu_f16 large", 64, 256, 64, 64, 0.9)
    yield dequantize("dequantize_i8_f16 large", 16384, 8192, 0.9)
    yield less("less_i64 large", 4096, 65536, None)
