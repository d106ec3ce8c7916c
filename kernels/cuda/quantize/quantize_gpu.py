"""Cases of the quantize kernels for gpu/check.py."""

from gpu.case import Case, Problem, type_code

U4, I4 = 21, 22


def cases(torch, quick):
    def groups_of(t, block):
        """[outer, axis, inner] -> the group's value for each element."""
        return lambda v: v.view(1, -1, 1) if block == 0 else v.repeat_interleave(block, 1)[:, :t.shape[1]]

    def quantize(dtype, to, shape, block=0, back=False, share=None):
        """shape [outer, axis, inner]; to: a torch.dtype, I4 or U4. back: dequantize."""
        four = to in (I4, U4)
        outer, axis, inner = shape
        groups = [axis] if block == 0 else [outer, -(-axis // block), inner]
        code = to if four else type_code(to)
        low, high = {U4: (0, 15), I4: (-8, 7), torch.int8: (-128, 127), torch.uint8: (0, 255)}.get(to, (-448, 448))

        def packed(values):
            v = values.to(torch.uint8).flatten() & 15
            v = torch.cat([v, v.new_zeros(v.numel() % 2)])
            return v[0::2] | v[1::2] << 4

        def build(g):
            x = torch.randn(shape, generator=g).to(dtype)
            scale = torch.rand(groups, generator=g) * 0.02 + 0.01
            whole = groups_of(x, block)
            integer = four or not to.is_floating_point
            zero = torch.randint(low // 2, high // 2 + 1, groups, generator=g) if integer else torch.zeros(groups)
            s, z = whole(scale), whole(zero)
            fits = lambda v: v.clamp(low, high)
            values = fits(torch.round(x.float() / s) + z) if integer else fits(x.float() / s)
            args = dict(scale=scale, zero=packed(zero) if four else zero.to(to), scale_type=type_code(torch.float32),
                        outer=outer, axis=axis, inner=inner, block=block)
            if back:
                q = packed(values.long()) if four else values.to(to)
                y = torch.full_like(x, 77)
                args.update(x=q, y=y, x_type=code, y_type=type_code(dtype))
                exact = values if four else q
                reference = lambda: (exact.double() - z.double()) * s.double()
                eager = lambda: ((q.float() - z) * s).to(dtype)
                return Problem(args, dict(y=reference), {} if four else {"compile": eager})
            y = torch.zeros(x.numel() // 2, dtype=torch.uint8) if four else torch.zeros(shape).to(to)
            args.update(x=x, y=y, x_type=type_code(dtype), y_type=code)
            want = lambda: packed(values.long()) if four else values.to(to)
            eager = lambda: (fits(torch.round(x.float() / s) + z) if integer else fits(x.float() / s)).to(to)
            return Problem(args, dict(y=want), {} if four else {"compile": eager})

        element = torch.empty((), dtype=dtype).element_size()
        name = f"{'dequantize' if back else 'quantize'} {str(dtype)[6:]} {'x'.join(map(str, shape))} "
        name += ("int4" if to == I4 else "uint4" if to == U4 else str(to)[6:]) + (f" blocks of {block}" if block else "")
        n = outer * axis * inner
        relative = {torch.float32: 1e-6, torch.float16: 1e-3, torch.bfloat16: 8e-3}[dtype] if back else 0
        return Case(name, "tenon_cuda_quantize", build, (relative, 1e-6 if back else 0),
                    bytes=int(n * (element + (0.5 if four else 1))), share=share)

    def rows(dtype, to, count, columns, share=None):
        def build(g):
            x = torch.randn(count, columns, generator=g).to(dtype)
            y = torch.zeros(count, columns).to(to)
            q = torch.full((count,), float("nan"))
            limit = 127 if to == torch.int8 else 448
            args = dict(x=x, y=y, row_scale=q, type=type_code(dtype), y_type=type_code(to), rows=count, columns=columns,
                        x_stride=columns, y_stride=columns)
            scale = lambda: x.double().abs().amax(-1) / limit

            def eager():
                s = x.float().abs().amax(-1, keepdim=True) / limit
                v = x.float() / s
                return (v.round() if to == torch.int8 else v).to(to), s

            return Problem(args, dict(row_scale=scale, y=lambda: x.double() / scale().unsqueeze(-1)),
                           {"compile": eager})

        element = torch.empty((), dtype=dtype).element_size()
        # Within a rounding of the exact quotient.
        tolerance = (1e-6, 0.502) if to == torch.int8 else (0.063, 2e-3)
        return Case(f"rows {str(dtype)[6:]} {count}x{columns} {str(to)[6:]}", "tenon_cuda_quantize_rows", build,
                    tolerance, bytes=count * columns * (element + 1), share=share)

    def dynamic(dtype, n, share=None):
        def build(g):
            x = (torch.randn(n, generator=g) + 0.5).to(dtype)
            y = torch.zeros(n, dtype=torch.uint8)
            scale, zero = torch.zeros(1), torch.zeros(1, dtype=torch.uint8)

            def reference():
                low, high = x.float().min().clamp(max=0), x.float().max().clamp(min=0)
                s = (high - low) / high.new_full((), 255)  # by a number, CUDA multiplies with the reciprocal
                z = torch.round(-low / s)
                return (torch.round(x.float() / s) + z).clamp(0, 255).to(torch.uint8), s.view(1), z.view(1)

            args = dict(x=x, y=y, scale=scale, zero=zero, type=type_code(dtype), n=n)
            outputs = dict(y=lambda: reference()[0], scale=lambda: reference()[1], zero=lambda: reference()[2])
            return Problem(args, outputs, {"compile": reference})

        element = torch.empty((), dtype=dtype).element_size()
        return Case(f"dynamic {str(dtype)[6:]} {n}", "tenon_cuda_quantize_dynamic", build, (1e-6, 0),
                    bytes=n * (2 * element + 1), share=share)

    f32, f16, bf16, i8 = torch.float32, torch.float16, torch.bfloat16, torch.int8
    for dtype in (f32, f16, bf16):
        for to in (i8, torch.uint8, torch.float8_e4m3fn, I4, U4)[3 * (dtype == f16):]:
            for back in (False, True):
                yield quantize(dtype, to, (1, 1, 1234), back=back)
                yield quantize(dtype, to, (3, 10, 17) if to in (I4, U4) else (3, 9, 17), back=back)
                yield quantize(dtype, to, (4, 96, 1), 32, back=back)
        yield rows(dtype, i8, 5, 1000)
        yield rows(dtype, torch.float8_e4m3fn, 5, 333)
        yield dynamic(dtype, 10007)
    if quick:
        return
    yield quantize(bf16, i8, (1, 1, 1 << 27), share=0.9)
    yield quantize(f32, i8, (1, 1, 1 << 26), share=0.9)
    yield quantize(bf16, torch.float8_e4m3fn, (1, 1, 1 << 27), share=0.9)
    yield quantize(f32, torch.uint8, (64, 256, 3136), share=0.9)  # a scale for each channel
    yield quantize(bf16, i8, (16384, 4096, 1), share=0.8)
    yield quantize(bf16, I4, (16384, 4096, 1), 128, share=0.85)
    yield quantize(bf16, i8, (1, 1, 1 << 27), back=True, share=0.9)
    yield quantize(bf16, torch.float8_e4m3fn, (1, 1, 1 << 27), back=True, share=0.9)
    yield quantize(bf16, I4, (16384, 4096, 1), 128, back=True, share=0.85)
    yield quantize(f32, i8, (4096, 16384, 1), back=True, share=0.8)
    yield rows(bf16, i8, 16384, 4096, share=0.9)
    yield rows(bf16, torch.float8_e4m3fn, 16384, 8192, share=0.9)
    yield rows(bf16, i8, 8192, 28672, share=0.8)
    yield dynamic(f32, 1 << 26, share=0.85)
