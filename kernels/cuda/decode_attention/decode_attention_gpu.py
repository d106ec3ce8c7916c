"""Cases of the decode attention kernels for gpu/check.py."""

import math

from gpu.case import Case, Problem, type_code


def cases(torch, quick):
    F = torch.nn.functional

    def decode(dtype, batch, length, heads, kv_heads, size, rows=1, page=0, cache=None, ragged=False, window=0,
               share=None, compiled=False):
        cache = cache or dtype
        group = heads // kv_heads

        def build(g):
            q = (3 * torch.randn(batch, rows, heads, size, generator=g)).to(dtype)
            k, v = (torch.randn(batch, length, kv_heads, size, generator=g).to(cache) for _ in range(2))
            lengths = torch.full((batch,), length, dtype=torch.int32)
            if ragged:
                lengths = torch.randint(0, length + 1, (batch,), generator=g, dtype=torch.int32)
            o, lse = torch.full_like(q, 77), torch.full((batch, rows, heads), 77.0)
            scales = torch.rand(2, kv_heads, generator=g) + 0.5 if cache != dtype else None
            args = dict(
                q=q, k=k, v=v, o=o, lse=lse, lengths=lengths, type=type_code(dtype), cache_type=type_code(cache),
                batch=batch, rows=rows, heads=heads, kv_heads=kv_heads, head_size=size, max_length=length,
                window=window, scale=1 / math.sqrt(size))
            if scales is not None:
                args.update(k_scale=scales[0], v_scale=scales[1])
            if page:
                pages = -(-length // page)
                order = torch.randperm(batch * pages, generator=g)
                table = order.reshape(batch, pages).to(torch.int32)

                def paged(x):  # as bytes: not all of this is there for 8-bit floats
                    raw = F.pad(x.view(torch.uint8), (0, 0, 0, 0, 0, pages * page - length), value=77)
                    raw = raw.reshape(batch * pages, page, kv_heads, -1)
                    out = torch.empty_like(raw)
                    out[order] = raw
                    return out.view(x.dtype)

                args.update(k=paged(k), v=paged(v), block_table=table, page_size=page, table_stride=pages)
            for name, t in (("q", q), ("o", o)):
                args.update({name + "_batch_stride": t.stride(0), name + "_row_stride": t.stride(1),
                             name + "_head_stride": t.stride(2)})
            for name in "kv":
                args.update({name + "_page_stride": args[name].stride(0), name + "_token_stride": args[name].stride(1),
                             name + "_head_stride": args[name].stride(2)})

            # What row i of a sequence of n keys sees: keys up to n - rows + i, `window` of them.
            last = lengths.long()[:, None] - rows + torch.arange(rows)
            key = torch.arange(length)
            seen = key <= last[..., None]
            if window:
                seen &= key > last[..., None] - window
            plain = not (ragged or window or rows > 1)

            def logits():
                s = torch.einsum("brhgd,blhd->bhgrl", q.double().view(batch, rows, kv_heads, group, size), k.double())
                s *= args["scale"]
                if scales is not None:
                    s *= scales[0].double().view(1, -1, 1, 1, 1)
                return s.masked_fill(~seen[:, None, None], -math.inf)

            def reference():
                x = torch.einsum("bhgrl,blhd->brhgd", logits().softmax(-1).nan_to_num(), v.double())
                if scales is not None:
                    x = x * scales[1].double().view(1, 1, -1, 1, 1)
                return x.reshape(q.shape)

            def reference_lse():
                return logits().logsumexp(-1).permute(0, 3, 1, 2).reshape(lse.shape)

            mask = None if plain else seen[:, None]
            qt, kt, vt = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)

            def sdpa():
                return F.scaled_dot_product_attention(qt, kt, vt, attn_mask=mask, enable_gqa=group > 1)

            def products():  # the query heads of a KV head as rows of one product
                s = q.view(batch, rows, kv_heads, group, size).permute(0, 2, 3, 1, 4).reshape(
                    batch, kv_heads, group * rows, size) @ kt.transpose(2, 3) * args["scale"]
                return s.float().softmax(-1).to(dtype) @ vt

            peers = {}
            if share is not None and cache == dtype and not page:
                peers["sdpa"] = sdpa
                if plain:  # the compiler needs seconds for each shape
                    peers["compile" if compiled else "products"] = products
            return Problem(args, dict(o=reference, lse=reference_lse), peers)

        name = f"{str(dtype)[6:]} batch {batch} length {length} heads {heads}/{kv_heads} size {size}"
        name += f" rows {rows}" if rows > 1 else ""
        name += (f" page {page}" if page else "") + (f" window {window}" if window else "")
        name += (" f8e4m3 cache" if cache != dtype else "") + (" ragged" if ragged else "")
        tolerance = {torch.float32: (1e-5, 2e-5), torch.float16: (2e-3, 1e-3), torch.bfloat16: (8e-3, 6e-3)}[dtype]
        element = torch.empty((), dtype=cache).element_size()
        out = torch.empty((), dtype=dtype).element_size()
        moved = 2 * batch * length * kv_heads * size * element + 2 * batch * rows * heads * size * out
        return Case(name, "tenon_cuda_decode_attention", build, tolerance, bytes=moved, share=share)

    f32, f16, bf16, f8 = torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn
    for dtype in (f32, f16, bf16):
        yield decode(dtype, 3, 150, 4, 2, 64, ragged=True)
        yield decode(dtype, 2, 77, 7, 1, 80, rows=3, page=16)
    yield decode(bf16, 1, 300, 8, 1, 128, page=32)
    yield decode(bf16, 2, 90, 2, 1, 256, rows=2, window=40)
    yield decode(f16, 2, 90, 3, 1, 33)
    yield decode(bf16, 2, 130, 16, 1, 128, cache=f8)
    yield decode(f16, 2, 70, 4, 2, 64, cache=f8, page=8)
    if quick:
        return
    # Llama 8B: 32 query heads on 8 KV heads; Llama 70B: 64 on 8.
    yield decode(bf16, 1, 8192, 32, 8, 128, share=0.6)
    yield decode(bf16, 1, 32768, 32, 8, 128, share=0.8, compiled=True)
    yield decode(bf16, 1, 131072, 32, 8, 128, share=0.8)
    yield decode(bf16, 16, 4096, 32, 8, 128, share=0.8, compiled=True)
    yield decode(bf16, 64, 1024, 32, 8, 128, share=0.8, compiled=True)
    yield decode(bf16, 64, 1024, 32, 8, 128, page=16, share=0.8)
    yield decode(bf16, 64, 1000, 32, 8, 128, page=1, share=0.8)
    yield decode(bf16, 1, 32768, 64, 8, 128, share=0.8)
    yield decode(bf16, 16, 8192, 64, 8, 128, share=0.8)
    yield decode(bf16, 16, 8192, 64, 8, 128, rows=2, share=0.8)
    yield decode(bf16, 16, 8192, 64, 8, 128, rows=4, share=0.7)
    yield decode(bf16, 16, 8192, 64, 8, 128, cache=f8, share=0.8)
    # GPT-2 small; a head size of 256 (Gemma); 80 (Phi-2); fp32.
    yield decode(f16, 64, 1024, 12, 12, 64, share=0.8)
    yield decode(bf16, 8, 8192, 16, 8, 256, share=0.8)
    yield decode(f16, 16, 2048, 32, 32, 80, share=0.7)
    yield decode(f32, 16, 1024, 12, 12, 64, share=0.8)
