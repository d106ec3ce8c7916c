"""Cases of the top-k kernels for gpu/check.py."""

from gpu.case import Case, Problem, type_code


def cases(torch, quick):
    def topk(dtype, rows, n, k, largest=True, share=None):
        def build(g):
            # No equal elements: PyTorch may choose any of them.
            x = torch.stack([torch.randperm(n, generator=g) for _ in range(min(rows, 16))])
            x = (x.repeat(-(-rows // 16), 1)[:rows] - n // 2).to(dtype)
            if dtype == torch.float32:
                x = x / 7
            values = torch.full((rows, k), 77, dtype=dtype)
            indices = torch.full((rows, k), -1, dtype=torch.int64)

            def want():
                return torch.topk(x, k, largest=largest)

            args = dict(
                x=x, values=values, indices=indices, workspace=torch.full((1 << 26,), 85, dtype=torch.uint8),
                type=type_code(dtype), largest=int(largest), rows=rows, n=n, k=k, x_stride=n)
            return Problem(args, {"values": lambda: want()[0], "indices": lambda: want()[1]},
                           {"eager": want, "compile": want})

        name = f"{str(dtype)[6:]} {rows}x{n} k {k}{'' if largest else ' smallest'}"
        return Case(name, "tenon_cuda_topk", build, (0.0, 0.0),
                    bytes=rows * (n * torch.empty((), dtype=dtype).element_size() + 12 * k), share=share)

    f32, f16, bf16 = torch.float32, torch.float16, torch.bfloat16
    yield topk(f32, 9, 64, 8)
    yield topk(bf16, 9, 200, 2, largest=False)
    yield topk(f16, 3, 1000, 50)
    yield topk(f32, 2, 20001, 64)
    yield topk(f32, 2, 20001, 1024, largest=False)
    yield topk(f32, 2, 20001, 20001)
    yield topk(f16, 3, 1900, 1500)
    yield topk(f32, 2, 9000, 1500, largest=False)
    if quick:
        return
    yield topk(f32, 8192, 64, 6)  # experts of a token
    yield topk(bf16, 8192, 256, 8)
    yield topk(f32, 1, 128256, 50)
    yield topk(f32, 256, 128256, 50, share=0.4)
    yield topk(f32, 32, 256000, 1024)
    yield topk(f32, 4096, 8192, 100, share=0.4)
    yield topk(f32, 1, 100000, 100000)  # boxes by score
    yield topk(f32, 80, 8400, 8400)  # of each class
    yield topk(f32, 1, 100000, 5000)
