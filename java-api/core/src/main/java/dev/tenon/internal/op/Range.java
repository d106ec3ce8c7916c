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
import java.util.List;
import java.util.Optional;

/**
 * Numbers from start in steps of delta, up to but without limit:  y[i] = start + i delta.
 * Inputs   start, limit, delta: scalars of one numeric type.    Output y: vector of max(0, ceil((limit - start) / delta)).
 * Rules    delta is not 0; the numbers are finite.
 * Source   ONNX Range-27.
 */
public record Range() implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("Range", n -> new Range()));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        DataType type = in.dtype(0);
        in.require(type.isFloat() || type.isInteger(), "not defined for element type " + type);
        in.require(in.dtype(1) == type && in.dtype(2) == type, "element types differ");
        Dim n = Dim.unknown();
        if (in.constant(0).isPresent()
                && in.constant(1).isPresent()
                && in.constant(2).isPresent()) {
            n = Dim.of(count(
                    in,
                    in.constant(0).get(),
                    in.constant(1).get(),
                    in.constant(2).get()));
        } else if (type.isInteger()) {
            Optional<List<Dim>> start = in.dims(0);
            Optional<List<Dim>> limit = in.dims(1);
            boolean fromZero = start.isPresent()
                    && start.get().size() == 1
                    && start.get().getFirst().is(0);
            boolean byOne = in.longs(2).filter(d -> d.length == 1 && d[0] == 1).isPresent();
            if (fromZero && byOne && limit.isPresent() && limit.get().size() == 1) {
                n = limit.get().getFirst();
            }
        }
        return List.of(new TensorType(type, SymbolicShape.of(n)));
    }

    private static long count(Inference in, Tensor start, Tensor limit, Tensor delta) {
        in.require(
                start.size() == 1 && limit.size() == 1 && delta.size() == 1, "start, limit and delta must be scalars");
        long n = count(start, limit, delta);
        in.require(n >= 0, "no such range: delta is 0 or a number is not finite");
        return n;
    }

    /** The number of elements; -1 if there is none. */
    private static long count(Tensor start, Tensor limit, Tensor delta) {
        if (start.type().isInteger()) {
            long a = start.getLong(0);
            long b = limit.getLong(0);
            long d = delta.getLong(0);
            if (d == 0) {
                return -1;
            }
            if (d > 0 ? a >= b : a <= b) {
                return 0;
            }
            // The span of two longs may take 64 bits, so it is counted unsigned.
            long span = d > 0 ? b - a : a - b;
            long step = d > 0 ? d : -d;
            long n = Long.divideUnsigned(span - 1, step) + 1;
            return n < 0 ? Long.MAX_VALUE : n;
        }
        double n = Math.ceil((limit.getDouble(0) - start.getDouble(0)) / delta.getDouble(0));
        return Double.isNaN(n) || Double.isInfinite(n) ? -1 : (long) Math.max(0, n);
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor start = in.tensor(0);
        Tensor delta = in.tensor(2);
        in.require(
                start.size() == 1 && in.tensor(1).size() == 1 && delta.size() == 1,
                "start, limit and delta must be scalars");
        long n = count(start, in.tensor(1), delta);
        in.require(n >= 0, "no such range: delta is 0 or a number is not finite");
        Tensor y = Limits.allocate(in, start.type(), n);
        for (long i = 0; i < n; i++) {
            if (start.type().isInteger()) {
                y.setLong(i, start.getLong(0) + i * delta.getLong(0));
            } else {
                y.setDouble(i, start.getDouble(0) + i * delta.getDouble(0));
            }
        }
        return List.of(y);
    }
}
