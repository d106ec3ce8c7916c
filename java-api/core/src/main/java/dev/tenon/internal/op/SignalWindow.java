package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A cosine window of N elements:  y[i] = a0 - a1 cos(2 pi i / D) + a2 cos(4 pi i / D), D = N if periodic, else N - 1.
 * Inputs   N: INT32 or INT64 scalar.    Output y [N] of {@code dtype}.
 * Rules    N is not negative.
 * Source   ONNX HannWindow-17, HammingWindow-17, BlackmanWindow-17.
 */
public record SignalWindow(Kind kind, boolean periodic, DataType dtype) implements Op {
    /** Coefficients of the cosines. */
    public enum Kind {
        HANN("HannWindow", 0.5, 0.5, 0),
        HAMMING("HammingWindow", 25.0 / 46, 21.0 / 46, 0),
        BLACKMAN("BlackmanWindow", 0.42, 0.5, 0.08);

        final String onnxName;
        final double a0;
        final double a1;
        final double a2;

        Kind(String onnxName, double a0, double a1, double a2) {
            this.onnxName = onnxName;
            this.a0 = a0;
            this.a1 = a1;
            this.a2 = a2;
        }
    }

    static final List<OpSpec> SPECS = Arrays.stream(Kind.values())
            .map(k -> OpSpec.onnx(
                    k.onnxName,
                    n -> new SignalWindow(k, n.flag("periodic", true), n.dtype("output_datatype", DataType.FLOAT32))))
            .toList();

    @Override
    public String name() {
        return kind.onnxName;
    }

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(dtype.isFloat() || dtype.isInteger(), "a window of " + dtype + " is not supported");
        Optional<List<Dim>> size = in.dims(0);
        Dim n = size.isPresent() && size.get().size() == 1 ? size.get().getFirst() : Dim.unknown();
        in.require(!n.isKnown() || n.sizeOrMinusOne() >= 0, "the size is " + n);
        return List.of(new TensorType(dtype, SymbolicShape.of(n)));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        long n = in.tensor(0).getLong(0);
        Tensor y = Limits.allocate(in, dtype, n);
        double step = 2 * Math.PI / (periodic ? n : n - 1);
        for (long i = 0; i < n; i++) {
            double v = kind.a0 - kind.a1 * Math.cos(step * i) + kind.a2 * Math.cos(2 * step * i);
            y.setDouble(i, n == 1 && !periodic ? 1 : v);
        }
        return List.of(y);
    }
}
