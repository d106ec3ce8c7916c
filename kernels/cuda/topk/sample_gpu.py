"""Cases of the sampling kernels for gpu/check.py."""

from gpu.case import Case, Problem, type_code


def cases(torch, quick):
    mask = 0xFFFFFFFF

    def philox(counter, key):
        c, (k0, k1) = list(counter), key
        for _ in range(10):
            a, b = c[0] * 0xD2511F53, c[2] * 0xCD9E8D57
            c = [(b >> 32) & mask ^ c[1] ^ k0, b & mask, (a >> 32) & mask ^ c[3] ^ k1, a & mask]
            k0, k1 = (k0 + 0x9E3779B9) & mask, (k1 + 0xBB67AE85) & mask
        return torch.stack(c, -1)

    def reference(x, seeds, offsets, temperature, top_k, top_p, min_p):
        rows, n = x.shape
        if temperature == 0:
            return x.argmax(-1)
        logits = x.double() * float(torch.tensor(1 / temperature, dtype=torch.float32))
        if 0 < top_k < n:
            logits = torch.where(logits >= logits.topk(top_k).values[:, -1:], logits, -torch.inf)
        p = logits.softmax(-1)
        keep = p > 0
        if top_p < 1:
            ordered, order = p.sort(-1, descending=True)
            keep &= torch.empty_like(keep).scatter_(-1, order, ordered.cumsum(-1) - ordered < top_p)
        keep &= p >= min_p * p.amax(-1, keepdim=True)
        groups = torch.arange(-(-n // 4)).expand(rows, -1)
        low, high = ((v[:, None] & mask).expand_as(groups) for v in (offsets, offsets >> 32))
        key = (seeds[:, None] & mask, (seeds[:, None] >> 32) & mask)
        words = philox((groups, torch.zeros_like(groups), low, high), key).reshape(rows, -1)[:, :n]
        race = logits - (-torch.log1p(-(words.double() + 0.5) / 2**32)).log()
        return torch.where(keep, race, -torch.inf).argmax(-1)

    def sample(dtype, rows, n, temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, spread=3.0, share=None):
        def build(g):
            x = (torch.randn(rows, n, generator=g) * spread).to(dtype)
            seeds = torch.randint(-(2**62), 2**62, (rows,), generator=g)
            offsets = torch.randint(0, 2**62, (rows,), generator=g)
            tokens = torch.full((rows,), -1, dtype=torch.int64)

            def eager():
                if temperature == 0:
                    return x.argmax(-1)
                logits = x.float() / temperature
                if top_k:
                    logits, index = logits.topk(top_k)
                elif top_p < 1:
                    logits, index = logits.sort(-1, descending=True)
                p = logits.softmax(-1)
                if top_p < 1:
                    p = torch.where(p.cumsum(-1) - p < top_p, p, 0)
                if min_p:
                    p = torch.where(p >= min_p * p.amax(-1, keepdim=True), p, 0)
                # What torch.multinomial does, without its look at the probabilities on the host.
                drawn = (p / torch.empty_like(p).exponential_()).argmax(-1, keepdim=True)
                return index.gather(-1, drawn) if top_k or top_p < 1 else drawn

            args = dict(
                x=x, tokens=tokens, seeds=seeds, offsets=offsets, workspace=torch.full((1 << 25,), 85, dtype=torch.uint8),
                type=type_code(dtype), token_type=type_code(torch.int64), rows=rows, n=n, x_stride=n, top_k=top_k,
                temperature=temperature, top_p=top_p, min_p=min_p)
            return Problem(args, {"tokens": lambda: reference(x, seeds, offsets, temperature, top_k, top_p, min_p)},
                           {"eager": eager, "compile": eager})

        name = f"{str(dtype)[6:]} {rows}x{n} temperature {temperature} top_k {top_k} top_p {top_p} min_p {min_p}"
        name += f" spread {spread}"
        return Case(name, "tenon_cuda_sample", build, (0.0, 0.0),
                    bytes=rows * n * torch.empty((), dtype=dtype).element_size(), share=share)

    f32, bf16 = torch.float32, torch.bfloat16
    yield sample(f32, 9, 100)
    yield sample(f32, 2, 20001, 0.8)
    yield sample(f32, 2, 20001, 0.0)
    yield sample(f32, 3, 3000, 0.7, 50, 0.9)
    yield sample(f32, 3, 3000, 1.0, 0, 0.9, spread=4.0)
    yield sample(f32, 2, 3000, 1.2, 0, 0.9, spread=1.0)
    yield sample(f32, 3, 3000, 1.0, 0, 1.0, 0.1)
    if quick:
        return
    for rows in (1, 256):
        yield sample(f32, rows, 128256, 0.0, share=0.8 if rows == 256 else None)
        yield sample(f32, rows, 128256, 0.8, share=0.5 if rows == 256 else None)
        yield sample(f32, rows, 128256, 0.8, 50, 0.95, share=0.4 if rows == 256 else None)
        yield sample(f32, rows, 128256, 0.8, 0, 0.95, spread=6.0)
        yield sample(f32, rows, 128256, 1.0, 0, 0.95, spread=1.0)
    yield sample(f32, 256, 32000, 0.8, 40)
    yield sample(bf16, 64, 151936, 0.9)
