package dev.tenon.internal.ffi;

import static dev.tenon.internal.ffi.StructShape.struct;

/**
 * The structs of tenon.h, field by field under their C names. A test compares each with the header's text and with the
 * sizes the library was compiled with.
 */
public final class TenonStructs {
    public static final StructShape CPU_INFO = struct("cpu_info")
            .longs(
                    "struct_size",
                    "best_isa",
                    "selected_isa",
                    "affinity_threads",
                    "l2_bytes",
                    "l3_bytes",
                    "has_vnni",
                    "has_bf16",
                    "has_amx")
            .build();

    public static final StructShape ENGINE_OPTIONS = struct("engine_options")
            .longs("struct_size", "threads", "exact", "math_mode", "serial_below_ns")
            .build();

    public static final StructShape PACKED = struct("packed")
            .longs("key")
            .addresses("layout")
            .longs("layout_bytes")
            .addresses("data")
            .longs("data_bytes")
            .build();

    public static final StructShape VALUE_DESC = struct("value_desc")
            .longs("struct_size", "dtype", "rank")
            .longArray("dims", TenonConstants.MAX_RANK)
            .longs("role", "index")
            .build();

    public static final StructShape POST_OP = struct("post_op")
            .longs("kind", "function", "value")
            .doubles("alpha", "beta")
            .build();

    public static final StructShape CONV_PARAMS = struct("conv_params")
            .longs("struct_size", "src", "weights", "bias", "dst", "groups")
            .longArray("strides", TenonConstants.MAX_SPATIAL)
            .longArray("dilations", TenonConstants.MAX_SPATIAL)
            .longArray("pads_begin", TenonConstants.MAX_SPATIAL)
            .longArray("pads_end", TenonConstants.MAX_SPATIAL)
            .longs("post_op_count")
            .nested("post_ops", POST_OP, TenonConstants.MAX_POST_OPS)
            .build();

    public static final StructShape MATMUL_PARAMS = struct("matmul_params")
            .longs("struct_size", "a", "b", "bias", "dst", "transpose_a", "transpose_b")
            .doubles("alpha", "beta")
            .longs("post_op_count")
            .nested("post_ops", POST_OP, TenonConstants.MAX_POST_OPS)
            .build();

    public static final StructShape POOL_PARAMS = struct("pool_params")
            .longs("struct_size", "src", "dst", "kind")
            .longArray("kernel", TenonConstants.MAX_SPATIAL)
            .longArray("strides", TenonConstants.MAX_SPATIAL)
            .longArray("dilations", TenonConstants.MAX_SPATIAL)
            .longArray("pads_begin", TenonConstants.MAX_SPATIAL)
            .longArray("pads_end", TenonConstants.MAX_SPATIAL)
            .build();

    public static final StructShape SOFTMAX_PARAMS = struct("softmax_params")
            .longs("struct_size", "src", "dst", "axis", "log")
            .build();

    public static final StructShape LAYER_NORM_PARAMS = struct("layer_norm_params")
            .longs(
                    "struct_size",
                    "src",
                    "residual",
                    "scale",
                    "bias",
                    "dst",
                    "sum_out",
                    "mean_out",
                    "inv_std_out",
                    "axis")
            .doubles("epsilon")
            .build();

    public static final StructShape GROUP_NORM_PARAMS = struct("group_norm_params")
            .longs("struct_size", "src", "scale", "bias", "dst", "groups")
            .doubles("epsilon")
            .longs("post_op_count")
            .nested("post_ops", POST_OP, TenonConstants.MAX_POST_OPS)
            .build();

    public static final StructShape LRN_PARAMS = struct("lrn_params")
            .longs("struct_size", "src", "dst", "size")
            .doubles("alpha", "beta", "bias")
            .build();

    public static final StructShape ELEMENTWISE_OP = struct("elementwise_op")
            .longs("function", "dtype")
            .longArray("operands", 3)
            .doubles("alpha", "beta")
            .build();

    public static final StructShape ELEMENTWISE_PARAMS = struct("elementwise_params")
            .longs("struct_size", "input_count")
            .addresses("inputs")
            .longs("op_count")
            .addresses("ops")
            .longs("output_count")
            .addresses("outputs")
            .addresses("output_operands")
            .build();

    public static final StructShape REDUCE_PARAMS = struct("reduce_params")
            .longs("struct_size", "src", "dst", "kind", "axes", "select_last")
            .build();

    public static final StructShape GATHER_PARAMS = struct("gather_params")
            .longs("struct_size", "data", "indices", "dst", "kind", "axis", "batch_dims")
            .build();

    public static final StructShape TRANSPOSE_PARAMS = struct("transpose_params")
            .longs("struct_size", "src", "dst")
            .longArray("perm", TenonConstants.MAX_RANK)
            .build();

    public static final StructShape SLICE_PARAMS = struct("slice_params")
            .longs("struct_size", "src", "dst")
            .longArray("starts", TenonConstants.MAX_RANK)
            .longArray("steps", TenonConstants.MAX_RANK)
            .build();

    public static final StructShape PAD_PARAMS = struct("pad_params")
            .longs("struct_size", "src", "dst")
            .longArray("pads_begin", TenonConstants.MAX_RANK)
            .longArray("pads_end", TenonConstants.MAX_RANK)
            .longs("mode")
            .doubles("value")
            .build();

    public static final StructShape CONCAT_PARAMS = struct("concat_params")
            .longs("struct_size", "input_count")
            .addresses("inputs")
            .longs("dst", "axis")
            .build();

    public static final StructShape UNARY_PARAMS =
            struct("unary_params").longs("struct_size", "src", "dst").build();

    public static final StructShape RESIZE_PARAMS = struct("resize_params")
            .longs("struct_size", "src", "dst")
            .longArray("taps", TenonConstants.MAX_RANK)
            .addressArray("indices", TenonConstants.MAX_RANK)
            .addressArray("weights", TenonConstants.MAX_RANK)
            .build();

    public static final StructShape ATTENTION_PARAMS = struct("attention_params")
            .longs(
                    "struct_size",
                    "q",
                    "k",
                    "v",
                    "mask",
                    "dst",
                    "batch",
                    "heads",
                    "kv_heads",
                    "q_length",
                    "kv_length",
                    "head_size",
                    "value_head_size",
                    "q_offset")
            .longArray("q_strides", 3)
            .longs("k_offset")
            .longArray("k_strides", 3)
            .longs("v_offset")
            .longArray("v_strides", 3)
            .longArray("dst_strides", 3)
            .longArray("mask_strides", 4)
            .doubles("scale", "softcap")
            .longs("causal", "causal_offset")
            .build();

    public static final StructShape RECURRENT_PARAMS = struct("recurrent_params")
            .longs(
                    "struct_size",
                    "gates",
                    "weights",
                    "bias",
                    "lengths",
                    "initial_h",
                    "initial_c",
                    "peepholes",
                    "dst",
                    "last_h",
                    "last_c",
                    "cell",
                    "reverse")
            .build();

    public static final StructShape BUFFER = struct("buffer")
            .longs("bytes", "alignment", "first_step", "last_step", "value")
            .build();

    public static final StructShape STEP_INFO = struct("step_info")
            .longs("node", "flops", "bytes_read", "bytes_written", "threads")
            .addresses("kind")
            .addresses("name")
            .addresses("implementation")
            .addresses("layouts")
            .build();

    private TenonStructs() {}
}
