"""Cases of the rotary embedding kernels for gpu/check.py."""

from gpu.case import Case, Problem, type_code


def cases(torch, quick):
    def rotary(dtype, batch, sequence, q_heads, k_heads, size, part=None, interleaved=False, transposed=False,
               in_place=False, table=torch.float32, positions=False, share=None):
        part = part or size
        longest = max(2 * sequence, 64)

        def build(g):
            def tensor(heads):
                # [B, S, H, D] in memory; transposed: [B, H, S, D].
                shape = (batch, heads, sequence, size) if transposed else (batch, sequence, heads, size)
                t = torch.randn(*shape, generator=g).to(dtype)
                return t.transpose(1, 2) if transposed else t

            q, k = tensor(q_heads), tensor(k_heads)
            angle = torch.outer(torch.arange(longest).double(), 1e4 ** (-torch.arange(0, part, 2).double() / part))
            cos, sin = angle.cos().to(table), angle.sin().to(table)
            p = torch.randint(0, longest, (batch, sequence), generator=g) if positions else None
            before = [q.clone(), k.clone()]
            out = [q, k] if in_place else [torch.full_like(q, 77), torch.full_like(k, 77)]

            def rotate(x, c, s):
                rows = p if positions else torch.arange(sequence)[None]
                c, s = c[rows][:, :, None], s[rows][:, :, None]
                r, rest = x[..., :part], x[..., part:]
                a, b = (r[..., 0::2], r[..., 1::2]) if interleaved else r.chunk(2, -1)
                low, high = a * c - b * s, b * c + a * s
                r = torch.stack((low, high), -1).flatten(-2) if interleaved else torch.cat((low, high), -1)
                return torch.cat((r.to(x.dtype), rest), -1)

            def eager():
                return rotate(q, cos, sin), rotate(k, cos, sin)

            args = dict(q=q, k=k, q_out=out[0], k_out=out[1], cos=cos, sin=sin, positions=p, type=type_code(dtype),
                        table_type=type_code(table), positions_type=type_code(torch.int64), interleaved=int(interleaved),
                        batch=batch, sequence=sequence, q_heads=q_heads, k_heads=k_heads, head_size=size, rotary=part,
                        max_position=longest, table_stride=part // 2)
            for name, t in (("q", q), ("k", k), ("q_out", out[0]), ("k_out", out[1])):
                for i, dimension in enumerate(("batch", "sequence", "head")):
                    args[f"{name}_{dimension}_stride"] = t.stride(i)
            outputs = {"q_out": lambda: rotate(before[0].double(), cos.double(), sin.double()),
                       "k_out": lambda: rotate(before[1].double(), cos.double(), sin.double())}
            return Problem(args, outputs, {"eager": eager, "compile": eager})

        element = torch.empty((), dtype=dtype).element_size()
        name = f"{'interleaved' if interleaved else 'half'} {str(dtype)[6:]} {batch}x{sequence}x{q_heads}/{k_heads}x{size}"
        name += (f" part {part}" if part != size else "") + (" bhsd" if transposed else "")
        name += (" in place" if in_place else "") + (" positions" if positions else "")
        name += " table of its type" if table == dtype != torch.float32 else ""
        relative, absolute = {torch.float32: (1e-6, 1e-6), torch.float16: (1e-3, 1e-5), torch.bfloat16: (8e-3, 1e-5)}[dtype]
        return Case(name, "tenon_cuda_rotary", build, (relative, absolute),
                    bytes=2 * batch * sequence * (q_heads + k_heads) * (part if in_place else size) * element, share=share)

    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        yield rotary(dtype, 2, 3, 5, 2, 64, positions=True)
        yield rotary(dtype, 2, 3, 4, 4, 96, part=32, interleaved=True, table=dtype)
        yield rotary(dtype, 1, 4, 3, 1, 80, part=20, transposed=True)
    bf16 = torch.bfloat16
    yield rotary(bf16, 2, 3, 4, 2, 64, in_place=True)
    if quick:
        return
    yield rotary(bf16, 8, 4096, 32, 8, 128, share=0.9)
    yield rotary(bf16, 8, 4096, 32, 8, 128, transposed=True, positions=True, share=0.9)
    yield rotary(torch.float16, 8, 2048, 16, 16, 256, part=64, interleaved=True, share=0.85)
    yield rotary(bf16, 8, 4096, 32, 8, 128, in_place=True, share=0.9)
    yield rotary(torch.float32, 4, 4096, 32, 8, 128, share=0.9)
    yield rotary(bf16, 32, 1, 32, 8, 128, positions=True)
