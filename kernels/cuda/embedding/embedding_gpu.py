"""Cases of the embedding kernels for gpu/check.py."""

from gpu.case import Case, Problem, type_code

LAYER, RMS, PLAIN = 0, 1, 2


def cases(torch, quick):
    F = torch.nn.functional

    def embedding(kind, dtype, batch, sequence, columns, word_rows, bert=False, ids_type=torch.int64, share=None):
        rows = batch * sequence

        def build(g):
            def table(n):
                return torch.randn(n, columns, generator=g).to(dtype)

            words, positions, types = table(word_rows), table(512), table(2)
            scale, bias = table(1)[0], table(1)[0]
            ids = torch.randint(0, word_rows, (batch, sequence), generator=g).to(ids_type)
            type_ids = torch.randint(0, 2, (batch, sequence), generator=g).to(ids_type)
            y = torch.full((batch, sequence, columns), 77).to(dtype)

            def total(w, q, t):
                s = F.embedding(ids, w)
                return s + q[:sequence] + F.embedding(type_ids, t) if bert else s

            def normed(s, w, b):
                if kind == PLAIN:
                    return s
                return F.layer_norm(s, (columns,), w, b, 1e-5) if kind == LAYER else F.rms_norm(s, (columns,), w, 1e-5)

            def reference():
                s = total(words.float(), positions.float(), types.float()).to(dtype)
                return normed(s.double(), scale.double(), bias.double())

            def eager():
                return normed(total(words, positions, types), scale, bias)

            args = dict(words=words, positions=positions if bert else None, types=types if bert else None, ids=ids,
                        type_ids=type_ids if bert else None, scale=None if kind == PLAIN else scale,
                        bias=bias if kind == LAYER else None, y=y, kind=kind, type=type_code(dtype),
                        ids_type=type_code(ids_type), rows=rows, columns=columns, word_rows=word_rows, position_rows=512,
                        type_rows=2, words_stride=columns, positions_stride=columns, types_stride=columns,
                        y_stride=columns, sequence=sequence, epsilon=1e-5)
            return Problem(args, {"y": reference}, {"eager": eager, "compile": eager})

        element = torch.empty((), dtype=dtype).element_size()
        name = f"{['layer', 'rms', 'plain'][kind]}{' bert' if bert else ''} {str(dtype)[6:]} {batch}x{sequence}x{columns}"
        name += f" of {word_rows}" + (" int32" if ids_type == torch.int32 else "")
        relative = {torch.float32: 1e-5, torch.float16: 1e-3, torch.bfloat16: 8e-3}[dtype]
        # Rows that come again are read once: the chance that a row of the table is used.
        used = word_rows * (1 - (1 - 1 / word_rows) ** rows)
        return Case(name, "tenon_cuda_embedding", build, (0, 0) if kind == PLAIN and not bert else (relative, 2e-5),
                    bytes=int((rows + used) * columns * element), share=share)

    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        yield embedding(LAYER, dtype, 2, 5, 768, 50, bert=True)
        yield embedding(RMS, dtype, 2, 3, 1001, 50, ids_type=torch.int32)
        yield embedding(PLAIN, dtype, 3, 3, 2000, 20)
    if quick:
        return
    bf16 = torch.bfloat16
    yield embedding(LAYER, bf16, 128, 512, 768, 30522, bert=True, share=0.8)
    yield embedding(PLAIN, bf16, 8, 2048, 4096, 128256, share=0.85)
    yield embedding(LAYER, torch.float32, 64, 512, 768, 30522, bert=True, share=0.8)
    yield embedding(PLAIN, bf16, 1, 16, 4096, 128256)
