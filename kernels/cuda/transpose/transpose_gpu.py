"""Cases of the transpose kernels for gpu/check.py."""

from math import prod

from gpu.case import Case, Problem


def cases(torch, quick):
    def transpose(dtype, shape, perm, padded=0, misaligned=0, share=None):
        def build(g):
            # padded: x is the first part of a wider innermost axis.
            wide = [*shape[:-1], shape[-1] + padded]
            flat = torch.randint(-100, 100, (prod(wide) + misaligned,), generator=g).to(dtype)
            x = flat[misaligned:].view(wide)[..., :shape[-1]]
            moved = x.permute(perm)
            y = torch.full(moved.shape, 77).to(dtype)
            args = dict(x=x, y=y, element_bytes=x.element_size(), rank=len(perm), dims=list(moved.shape),
                        x_strides=list(moved.stride()))
            copy = lambda: moved.clone(memory_format=torch.contiguous_format)
            return Problem(args, dict(y=copy), {"eager": copy})

        name = f"{str(dtype)[6:]} {'x'.join(map(str, shape))} by {''.join(map(str, perm))}"
        name += (" padded" if padded else "") + (" misaligned" if misaligned else "")
        return Case(name, "tenon_cuda_transpose", build, (0, 0),
                    bytes=2 * prod(shape) * torch.empty((), dtype=dtype).element_size(), share=share)

    for dtype in (torch.int8, torch.bfloat16, torch.float32, torch.int64):
        yield transpose(dtype, (2, 9, 3, 16), (0, 2, 1, 3))
        yield transpose(dtype, (136, 200), (1, 0))
        yield transpose(dtype, (136, 200), (1, 0), misaligned=1)
        yield transpose(dtype, (2, 3, 17, 19), (0, 2, 3, 1))
        yield transpose(dtype, (2, 7, 7, 64), (0, 3, 1, 2))
        yield transpose(dtype, (2, 10, 14, 14), (0, 2, 3, 1))
        yield transpose(dtype, (3, 5, 2, 7, 4), (4, 2, 0, 3, 1))
        yield transpose(dtype, (2, 9, 3, 16), (0, 2, 1, 3), padded=16)
    if quick:
        return
    bf16, f32 = torch.bfloat16, torch.float32
    yield transpose(bf16, (16, 2048, 32, 128), (0, 2, 1, 3), share=0.9)  # heads of Llama 8B
    yield transpose(bf16, (16, 2048, 32, 128), (0, 2, 1, 3), padded=128, share=0.9)
    yield transpose(bf16, (64, 512, 12, 64), (0, 2, 1, 3), share=0.9)  # BERT base
    yield transpose(bf16, (64, 512, 12, 64), (0, 2, 3, 1), share=0.9)  # keys, transposed
    yield transpose(bf16, (16384, 8192), (1, 0), share=0.9)
    yield transpose(f32, (8192, 8192), (1, 0), share=0.9)
    yield transpose(torch.int8, (16384, 16384), (1, 0), share=0.9)
    yield transpose(torch.int64, (4096, 8192), (1, 0), share=0.9)
    yield transpose(bf16, (64, 256, 56, 56), (0, 2, 3, 1), share=0.9)  # NCHW to NHWC
    yield transpose(bf16, (64, 56, 56, 256), (0, 3, 1, 2), share=0.9)
    yield transpose(f32, (64, 256, 56, 56), (0, 2, 3, 1), share=0.9)
    yield transpose(bf16, (256, 1024, 14, 14), (0, 2, 3, 1), share=0.8)
    yield transpose(bf16, (256, 2048, 7, 7), (0, 2, 3, 1), share=0.6)
    yield transpose(f32, (256, 3, 224, 224), (0, 2, 3, 1), share=0.6)  # images
    yield transpose(f32, (256, 224, 224, 3), (0, 3, 1, 2), share=0.6)
    yield transpose(bf16, (8191, 8193), (1, 0), share=0.6)
