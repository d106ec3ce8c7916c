package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.TensorType;
import java.util.ArrayList;
import java.util.List;

/** Collects one tensor an iteration and stacks them along a new axis: scanned outputs of loops. */
final class Stack {
    private final List<Tensor> items = new ArrayList<>();

    void add(Evaluation in, Datum item) {
        in.require(item instanceof Tensor, "a scanned output is not a tensor");
        Tensor t = (Tensor) item;
        if (!items.isEmpty()) {
            Tensor first = items.getFirst();
            in.require(
                    first.type() == t.type() && first.shape().equals(t.shape()),
                    "a scanned output is first " + first + ", then " + t);
        }
        items.add(t);
        Limits.check(in, t.type(), saturatingProduct(t.size(), items.size()));
    }

    private static long saturatingProduct(long a, long b) {
        return Math.multiplyHigh(a, b) != 0 || a * b < 0 ? Long.MAX_VALUE : a * b;
    }

    /** @param declared the type if there were no iterations; unknown dimensions count as 0 */
    Tensor join(Evaluation in, TensorType declared, int axis, boolean reversed) {
        List<Long> dims = new ArrayList<>();
        if (items.isEmpty()) {
            if (declared.shape().isRanked()) {
                declared.shape().dims().forEach(d -> dims.add(Math.max(0, d.sizeOrMinusOne())));
            }
        } else {
            for (long d : items.getFirst().shape().dims()) {
                dims.add(d);
            }
        }
        in.require(axis >= -dims.size() - 1 && axis <= dims.size(), "scan output axis " + axis + " does not exist");
        int at = axis < 0 ? axis + dims.size() + 1 : axis;
        dims.add(at, (long) items.size());
        long[] out = dims.stream().mapToLong(Long::longValue).toArray();
        Tensor y = Limits.allocate(
                in, items.isEmpty() ? declared.dtype() : items.getFirst().type(), out);
        long inner = y.shape().product(at + 1, out.length);
        long outer = y.shape().product(0, at);
        for (int i = 0; i < items.size(); i++) {
            Tensor t = items.get(reversed ? items.size() - 1 - i : i);
            for (long o = 0; o < outer; o++) {
                Slices.copy(t, o * inner, y, (o * items.size() + i) * inner, inner);
            }
        }
        return y;
    }
}
