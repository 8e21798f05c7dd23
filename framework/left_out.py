"""What PyTorch has and the framework leaves out: one sentence for each family of names."""

from __future__ import annotations

#: Parts of a name, and what a name with such a part belongs to; the first that fits is told.
_FAMILIES = (
    (("sparse", "coalesce", "crow_indices", "ccol_indices", "col_indices", "row_indices", "to_dense", "dense_dim",
      "smm", "spmm", "hspmm", "dsmm", "hsmm", "sspaddmm", "saddmm"), "sparse tensors are left out"),
    (("quantize", "q_scale", "q_zero", "q_per_channel", "qscheme", "int_repr", "qint", "quint"),
     "quantized tensors are left out"),
    (("nested", "padded_tensor"), "nested tensors are left out"),
    (("mkldnn", "onednn"), "there is no oneDNN backend"),
    (("cudnn", "miopen"), "cuDNN is not called by name"),
    (("xpu", "ipu", "maia", "mtia", "vulkan", "hpu", "mps", "xla"), "devices are the CPU and CUDA ones alone"),
    (("autocast", "GradScaler"), "automatic mixed precision is not part of the top level"),
    (("Script",), "programs are never compiled"),
    (("onnx",), "models are not exported"),
    (("Storage", "storage"), "memory has no object of its own; tensors share it by views"),
    (("rename", "align_to", "align_as", "refine_names"), "named tensors are left out"),
    (("Sym", "sym_"), "shapes are never symbolic"),
)  # fmt: skip


def refusal(owner: str, name: str) -> str:
    """Why `owner` has no `name`, for an AttributeError; empty for a name that PyTorch has not either."""
    if name.startswith("_"):
        return ""
    for parts, reason in _FAMILIES:
        if any(part in name for part in parts):
            return f"{owner} has no '{name}': {reason}"
    return ""
