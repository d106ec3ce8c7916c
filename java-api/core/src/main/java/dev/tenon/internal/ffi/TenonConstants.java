package dev.tenon.internal.ffi;

/**
 * The enum constants of tenon.h under their C names without the {@code TENON_} prefix; the header says what each means.
 * A test compares every value with the header.
 */
public final class TenonConstants {
    public static final int ABI_VERSION = 2;
    public static final int MAX_RANK = 8;
    public static final int MAX_SPATIAL = 3;
    public static final int MAX_POST_OPS = 4;
    public static final int NO_VALUE = -1;

    public static final int OK = 0;
    public static final int INVALID_ARGUMENT = 1;
    public static final int UNSUPPORTED = 2;
    public static final int INVALID_STATE = 3;
    public static final int NOT_FOUND = 4;
    public static final int INDEX_OUT_OF_RANGE = 16;
    public static final int DIVISION_BY_ZERO = 17;
    public static final int OUT_OF_MEMORY = 32;
    public static final int CANCELLED = 33;
    public static final int BACKEND_FAILURE = 48;
    public static final int INTERNAL = 49;

    public static final int ISA_SCALAR = 0;
    public static final int ISA_AVX2 = 1;
    public static final int ISA_AVX512 = 2;

    public static final int MEMORY_ZERO = 1;
    public static final int MEMORY_HUGE_PAGES = 2;

    public static final int CONSTANT_MAPPED = 1;

    public static final int ADVISE_DONT_NEED = 0;
    public static final int ADVISE_WILL_NEED = 1;
    public static final int ADVISE_HUGE_PAGES = 2;
    public static final int ADVISE_SEQUENTIAL = 3;

    public static final int MATH_STRICT = 0;
    public static final int MATH_BF16 = 1;

    public static final int F32 = 1;
    public static final int U8 = 2;
    public static final int I8 = 3;
    public static final int U16 = 4;
    public static final int I16 = 5;
    public static final int I32 = 6;
    public static final int I64 = 7;
    public static final int BOOL = 9;
    public static final int F16 = 10;
    public static final int F64 = 11;
    public static final int U32 = 12;
    public static final int U64 = 13;
    public static final int BF16 = 16;

    public static final int ROLE_INPUT = 0;
    public static final int ROLE_OUTPUT = 1;
    public static final int ROLE_TEMP = 2;
    public static final int ROLE_CONSTANT = 3;

    public static final int FN_IDENTITY = 0;
    public static final int FN_ABS = 1;
    public static final int FN_NEG = 2;
    public static final int FN_SIGN = 3;
    public static final int FN_SQRT = 4;
    public static final int FN_RSQRT = 5;
    public static final int FN_RECIPROCAL = 6;
    public static final int FN_EXP = 7;
    public static final int FN_LOG = 8;
    public static final int FN_SIN = 9;
    public static final int FN_COS = 10;
    public static final int FN_TAN = 11;
    public static final int FN_ASIN = 12;
    public static final int FN_ACOS = 13;
    public static final int FN_ATAN = 14;
    public static final int FN_SINH = 15;
    public static final int FN_COSH = 16;
    public static final int FN_TANH = 17;
    public static final int FN_ASINH = 18;
    public static final int FN_ACOSH = 19;
    public static final int FN_ATANH = 20;
    public static final int FN_ERF = 21;
    public static final int FN_FLOOR = 22;
    public static final int FN_CEIL = 23;
    public static final int FN_ROUND = 24;
    public static final int FN_RELU = 25;
    public static final int FN_LEAKY_RELU = 26;
    public static final int FN_ELU = 27;
    public static final int FN_SELU = 28;
    public static final int FN_CELU = 29;
    public static final int FN_SIGMOID = 30;
    public static final int FN_HARD_SIGMOID = 31;
    public static final int FN_HARD_SWISH = 32;
    public static final int FN_SILU = 33;
    public static final int FN_SOFTPLUS = 34;
    public static final int FN_SOFTSIGN = 35;
    public static final int FN_MISH = 36;
    public static final int FN_GELU_ERF = 37;
    public static final int FN_GELU_TANH = 38;
    public static final int FN_THRESHOLDED_RELU = 39;
    public static final int FN_SHRINK = 40;
    public static final int FN_CLIP = 41;
    public static final int FN_LINEAR = 42;
    public static final int FN_NOT = 43;
    public static final int FN_BIT_NOT = 44;
    public static final int FN_IS_NAN = 45;
    public static final int FN_IS_INF = 46;
    public static final int FN_CAST = 47;
    public static final int FN_ADD = 64;
    public static final int FN_SUB = 65;
    public static final int FN_MUL = 66;
    public static final int FN_DIV = 67;
    public static final int FN_MOD = 68;
    public static final int FN_FMOD = 69;
    public static final int FN_MIN = 70;
    public static final int FN_MAX = 71;
    public static final int FN_POW = 72;
    public static final int FN_PRELU = 73;
    public static final int FN_BIT_AND = 74;
    public static final int FN_BIT_OR = 75;
    public static final int FN_BIT_XOR = 76;
    public static final int FN_SHIFT_LEFT = 77;
    public static final int FN_SHIFT_RIGHT = 78;
    public static final int FN_AND = 79;
    public static final int FN_OR = 80;
    public static final int FN_XOR = 81;
    public static final int FN_EQUAL = 82;
    public static final int FN_LESS = 83;
    public static final int FN_LESS_EQUAL = 84;
    public static final int FN_GREATER = 85;
    public static final int FN_GREATER_EQUAL = 86;
    public static final int FN_WHERE = 128;

    public static final int POST_ACTIVATION = 1;
    public static final int POST_ADD = 2;
    public static final int POST_MUL = 3;

    public static final int POOL_MAX = 0;
    public static final int POOL_AVERAGE_INCLUDE_PAD = 1;
    public static final int POOL_AVERAGE_EXCLUDE_PAD = 2;

    public static final int REDUCE_SUM = 0;
    public static final int REDUCE_MEAN = 1;
    public static final int REDUCE_MAX = 2;
    public static final int REDUCE_MIN = 3;
    public static final int REDUCE_PROD = 4;
    public static final int REDUCE_L1 = 5;
    public static final int REDUCE_L2 = 6;
    public static final int REDUCE_SUM_SQUARE = 7;
    public static final int REDUCE_LOG_SUM = 8;
    public static final int REDUCE_LOG_SUM_EXP = 9;
    public static final int REDUCE_ARG_MAX = 16;
    public static final int REDUCE_ARG_MIN = 17;

    public static final int GATHER = 0;
    public static final int GATHER_ELEMENTS = 1;
    public static final int GATHER_ND = 2;

    public static final int PAD_CONSTANT = 0;
    public static final int PAD_REFLECT = 1;
    public static final int PAD_EDGE = 2;
    public static final int PAD_WRAP = 3;

    public static final int CELL_LSTM = 0;
    public static final int CELL_GRU = 1;

    private TenonConstants() {}
}
