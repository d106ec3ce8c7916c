"""Cases of the attention kernels for gpu/check.py."""

from gpu.case import Case, Problem, type_code

NONE, OFFSET, END = 0, 1, 2


def cases(torch, quick):
    F = torch.nn.functional
    f32, f16, bf16 = torch.float32, torch.float16, torch.bfloat16
    # Rounding of the result and of the weights; sum_j weight_j |v_j| is about 0.8.
    tolerances = {f32: (1e-5, 2e-5), f16: (2e-3, 6e-4), bf16: (1.6e-2, 5e-3)}

    def sdpa_with(backend, *args, **options):
        from torch.nn.attention import SDPBackend, sdpa_kernel

        def call():
            with sdpa_kernel(getattr(SDPBackend, backend)):
                return F.scaled_dot_product_attention(*args, **options)

        return call

    def attention(dtype, batch, heads, kv_heads, queries, keys, size, value_size=None, causal=NONE, window=0, softcap=0.0,
                  lengths=False, mask=None, rows_first=False, misaligned=0, share=None, memory_bound=False):
        value_size = value_size or size

        def build(g):
            def tensor(h, s, d):
                shape = (batch, s, h, d + misaligned) if rows_first else (batch, h, s, d + misaligned)
                t = torch.randn(*shape, generator=g).to(dtype)[..., misaligned:]
                return t.transpose(1, 2) if rows_first else t

            q, k, v = tensor(heads, queries, size), tensor(kv_heads, keys, size), tensor(kv_heads, keys, value_size)
            o = tensor(heads, queries, value_size).fill_(77)
            lse = torch.full((batch, heads, queries), 77.0)
            scale = size**-0.5
            length = torch.randint(0, keys + 1, (batch,), generator=g).to(torch.int32) if lengths else None
            if lengths and share is None:  # what lies beyond a length does not matter
                for b in range(batch):
                    k[b, :, int(length[b]):] = v[b, :, int(length[b]):] = float("nan")
            m = None
            if mask == torch.bool:
                m = torch.rand(batch, 1, queries, keys, generator=g) < 0.8
            elif mask is not None:
                m = torch.randn(batch, 1, queries, keys, generator=g).to(mask)
            offset = keys - queries if causal == OFFSET else 0

            def reference():
                """(o, lse) in float64, or float32 where that would take long, a head at a time."""
                wide = torch.float64 if batch * heads * queries * keys < 1 << 24 else f32
                i, j = torch.arange(queries)[:, None], torch.arange(keys)[None, :]
                result, logs = torch.empty(batch, heads, queries, value_size, dtype=wide), torch.empty_like(lse, dtype=wide)
                for b in range(batch):
                    valid = keys if length is None else int(length[b])
                    seen = j < valid
                    if causal:
                        last = i + (offset if causal == OFFSET else valid - queries)
                        seen = seen & (j <= last)
                        if window:
                            seen = seen & (j > last - window)
                    for h in range(heads):
                        kv = h // (heads // kv_heads)
                        s = q[b, h].to(wide) @ k[b, kv].to(wide).T * scale
                        if softcap:
                            s = softcap * (s / softcap).tanh()
                        if mask == torch.bool:
                            s = s.masked_fill(~m[b, 0], float("-inf"))
                        elif mask is not None:
                            s = s + m[b, 0].to(wide)
                        s = s.masked_fill(~seen, float("-inf"))
                        logs[b, h] = s.logsumexp(-1)
                        result[b, h] = s.softmax(-1).nan_to_num(0.0)[:, :valid] @ v[b, kv, :valid].to(wide)
                return result, logs

            known = []

            def known_reference(i):
                if not known:
                    known.extend(reference())
                return known[i]

            args = dict(
                q=q, k=k, v=v, o=o, lse=lse, mask=m, kv_lengths=length, type=type_code(dtype),
                mask_type=type_code(mask) if mask is not None else 0, batch=batch, heads=heads, kv_heads=kv_heads,
                queries=queries, keys=keys, head_size=size, value_size=value_size, causal=causal, causal_offset=offset,
                window=window, scale=scale, softcap=softcap)
            for name, t in dict(q=q, k=k, v=v, o=o).items():
                for axis, what in enumerate(("batch", "head", "row")):
                    args[f"{name}_{what}_stride"] = t.stride(axis)
            if m is not None:
                args.update(mask_batch_stride=m.stride(0), mask_head_stride=0, mask_row_stride=m.stride(2))

            options = dict(scale=scale) if heads == kv_heads else dict(scale=scale, enable_gqa=True)
            peers = {}
            if share is not None and lengths:
                visible = (torch.arange(keys)[None, :] < length.to(torch.int64)[:, None])[:, None, None, :]
                peers["sdpa"] = lambda: F.scaled_dot_product_attention(q, k, v, attn_mask=visible, **options)
            elif share is not None:
                options["is_causal"] = causal != NONE
                peers["sdpa"] = lambda: F.scaled_dot_product_attention(q, k, v, **options)
                if dtype != f32:
                    peers["flash"] = sdpa_with("FLASH_ATTENTION", q, k, v, **options)
                    peers["cudnn"] = sdpa_with("CUDNN_ATTENTION", q, k, v, **options)
            return Problem(args, {"lse": lambda: known_reference(1), "o": lambda: known_reference(0)}, peers)

        heads_name = f"{heads}" if heads == kv_heads else f"{heads}/{kv_heads}"
        size_name = f"{size}" if size == value_size else f"{size}+{value_size}"
        name = f"{str(dtype)[6:]} {batch}x{heads_name} {queries}x{keys} head {size_name}"
        name += ["", " causal", " causal to the end"][causal] + (f" window {window}" if window else "")
        name += (" softcap" if softcap else "") + (" lengths" if lengths else "")
        name += (f" mask {str(mask)[6:]}" if mask is not None else "") + (" rows first" if rows_first else "")
        name += f" misaligned {misaligned}" if misaligned else ""
        element = torch.empty((), dtype=dtype).element_size()
        flops = 2 * batch * heads * queries * keys * (size + value_size) // (2 if causal else 1)
        return Case(name, "tenon_cuda_attention", build, tolerances[dtype],
                    bytes=batch * (size + value_size) * (heads * queries + kv_heads * keys) * element,
                    flops=0 if memory_bound else flops, share=share)

    for dtype in (f32, f16, bf16):
        yield attention(dtype, 2, 3, 3, 70, 70, 64)
        yield attention(dtype, 1, 4, 2, 130, 130, 128, causal=OFFSET, rows_first=True)
        yield attention(dtype, 3, 2, 1, 20, 150, 80, causal=END, lengths=True)
        yield attention(dtype, 1, 2, 2, 50, 90, 96, causal=OFFSET, window=40, softcap=20.0)
        yield attention(dtype, 2, 2, 2, 33, 65, 256, mask=dtype)
        yield attention(dtype, 2, 2, 2, 33, 65, 64, mask=torch.bool, misaligned=1)
        yield attention(dtype, 1, 2, 2, 40, 40, 192, value_size=128, causal=OFFSET)
        # With 64 queries and more, without mask and softcap, Hopper's kernels run: faults that these tell apart are in
        # docs/gpu.md.
        yield attention(dtype, 1, 2, 2, 64, 400, 64)
        yield attention(dtype, 1, 2, 2, 64, 128, 128)
        yield attention(dtype, 1, 2, 2, 70, 400, 128)
        yield attention(dtype, 1, 2, 2, 64, 80, 256)
        yield attention(dtype, 1, 2, 2, 70, 250, 256)
        yield attention(dtype, 1, 2, 2, 70, 90, 192, value_size=128)
        yield attention(dtype, 3, 2, 1, 70, 300, 64, lengths=True)
        yield attention(dtype, 3, 2, 2, 70, 300, 128, causal=END, lengths=True)
        yield attention(dtype, 2, 2, 2, 140, 170, 256, causal=END, lengths=True, window=60)
    if quick:
        return
    for dtype in (f32, f16, bf16):
        yield attention(dtype, 2, 8, 2, 1000, 1000, 128, causal=OFFSET)
        yield attention(dtype, 3, 4, 4, 777, 1333, 64, lengths=True, mask=f32)
        yield attention(dtype, 1, 4, 4, 515, 515, 256)
    # Llama 8B prefill, BERT, long sequences.
    yield attention(bf16, 1, 32, 8, 8192, 8192, 128, causal=OFFSET, rows_first=True, share=0.7)
    yield attention(bf16, 1, 16, 16, 16384, 16384, 64, share=0.7)
    yield attention(f16, 8, 16, 16, 512, 512, 64, rows_first=True, share=0.5)
    yield attention(bf16, 1, 16, 16, 16384, 16384, 128, share=0.7)
    yield attention(bf16, 1, 16, 16, 16384, 16384, 128, causal=OFFSET, share=0.7)
    yield attention(bf16, 1, 32, 8, 2048, 2048, 128, causal=OFFSET, rows_first=True, share=0.5)
    yield attention(bf16, 1, 32, 8, 512, 512, 128, causal=OFFSET, rows_first=True, share=0.15)
    yield attention(bf16, 1, 16, 8, 4096, 4096, 256, causal=OFFSET, share=0.5)
    for batch, share_128, share_512 in ((1, 0.05, 0.05), (8, 0.3, 0.3), (32, 0.6, 0.5)):
        yield attention(f16, batch, 12, 12, 128, 128, 64, rows_first=True, share=share_128, memory_bound=True)
        yield attention(f16, batch, 12, 12, 512, 512, 64, rows_first=True, share=share_512)
    yield attention(f16, 32, 12, 12, 128, 128, 64, rows_first=True, lengths=True, share=0.3, memory_bound=True)
    yield attention(f32, 8, 12, 12, 512, 512, 64, rows_first=True, share=0.03)
