"""What a family's <family>_gpu.py yields: a kernel's arguments, what its outputs should be, and what to compare with."""

import ctypes
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Optional

KERNELS = Path(__file__).resolve().parent.parent


@dataclass
class Problem:
    """One set of tensors. args: fields of the argument struct (tensors become addresses, absent fields are 0).
    outputs: field -> function that returns the expected tensor, shaped like args[field]. peers: name -> function that
    does the same work in PyTorch; the one named "compile" goes through torch.compile."""

    args: dict[str, Any]
    outputs: dict[str, Callable[[], Any]]
    peers: dict[str, Callable[[], Any]] = field(default_factory=dict)


@dataclass
class Case:
    """name: unique in the family. struct: "tenon_cuda_norm"; its launcher is tenon_cuda_norm_plan. build makes a
    Problem with fresh random values from a torch.Generator. tolerance: |got - want| <= [1] + [0] * |want|.
    bytes and flops: the least the problem needs. share: of the measured copy bandwidth, or with flops of the measured
    matrix rate, that the kernel should reach; None: checked, not timed."""

    name: str
    struct: str
    build: Callable[[Any], Problem]
    tolerance: tuple[float, float]
    bytes: int = 0
    flops: int = 0
    share: Optional[float] = None


def _read(header: str) -> str:
    text = (KERNELS / header).read_text()
    return re.sub(r"//[^\n]*", "", re.sub(r"/\*.*?\*/", "", text, flags=re.S))


def struct_of(header: str, name: str):
    """The ctypes structure of `typedef struct name {...} name;`, read from a header below kernels/cuda."""
    body = re.search(r"typedef struct %s \{(.*?)\}\s*%s;" % (name, name), _read(header), re.S)
    if body is None:
        raise ValueError(f"{header} defines no struct {name}")
    fields = []
    for declaration in body.group(1).split(";"):
        declaration = " ".join(declaration.split())
        if not declaration:
            continue
        match = re.fullmatch(r"(.*?[\s*])(\w+)((?:\[\w+\])*)", declaration)
        kind, field_name, array = match.groups()
        if "*" in kind:
            c_type = ctypes.c_void_p
        else:
            c_type = {"int64_t": ctypes.c_int64, "double": ctypes.c_double}[kind.strip()]
        for length in reversed(re.findall(r"\[(\w+)\]", array)):
            c_type = c_type * (int(length) if length.isdigit() else constant(header, length))
        fields.append((field_name, c_type))
    return type(name, (ctypes.Structure,), {"_fields_": fields})


def constant(header: str, name: str) -> int:
    """The value of #define NAME n or of an enum's NAME = n."""
    for source in (header, "common/plan.h"):
        match = re.search(r"#define %s (\d+)|\b%s = (-?\d+)" % (name, name), _read(source))
        if match:
            return int(match.group(1) or match.group(2))
    raise ValueError(f"{header} defines no {name}")


def type_code(dtype) -> int:
    """TENON_CUDA_* of a torch.dtype."""
    names = {
        "float32": "F32", "float16": "F16", "bfloat16": "BF16", "float8_e4m3fn": "F8E4M3", "float8_e5m2": "F8E5M2",
        "int8": "I8", "uint8": "U8", "int32": "I32", "int64": "I64", "bool": "BOOL",
    }
    return constant("common/plan.h", "TENON_CUDA_" + names[str(dtype).removeprefix("torch.")])
