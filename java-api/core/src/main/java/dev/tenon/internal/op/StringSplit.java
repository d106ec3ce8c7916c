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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Splits each text at a delimiter; without one, at runs of white space, ignoring it at both ends.
 * Inputs   x: STRING.
 * Outputs  STRING [x..., most parts], filled up with empty texts; INT64, x's shape: how many parts.
 * Source   ONNX StringSplit-20.
 *
 * @param maxSplit splits made at most, the rest stays whole; -1 for all
 */
public record StringSplit(String delimiter, long maxSplit) implements Op {
    static final List<OpSpec> SPECS = List.of(
            OpSpec.onnx("StringSplit", n -> new StringSplit(n.text("delimiter", ""), n.integer("maxsplit", -1))));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.requireType(0, DataType.STRING);
        SymbolicShape x = in.shape(0);
        TensorType counts = new TensorType(DataType.INT64, x);
        if (!x.isRanked()) {
            return List.of(in.tensor(0), counts);
        }
        List<Dim> dims = new ArrayList<>(x.dims());
        dims.add(Dim.unknown());
        return List.of(new TensorType(DataType.STRING, SymbolicShape.of(dims)), counts);
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        List<List<String>> parts = new ArrayList<>();
        int most = 0;
        for (String s : x.toStringArray()) {
            List<String> p = delimiter.isEmpty() ? words(s) : split(s);
            parts.add(p);
            most = Math.max(most, p.size());
        }
        long[] dims = Arrays.copyOf(x.shape().dims(), x.shape().rank() + 1);
        dims[dims.length - 1] = most;
        Tensor y = Limits.allocate(in, DataType.STRING, dims);
        Tensor counts = Limits.allocate(in, DataType.INT64, x.shape());
        for (int i = 0; i < parts.size(); i++) {
            counts.setLong(i, parts.get(i).size());
            for (int j = 0; j < parts.get(i).size(); j++) {
                y.setString((long) i * most + j, parts.get(i).get(j));
            }
        }
        return List.of(y, counts);
    }

    private boolean mayCut(List<String> parts) {
        return maxSplit < 0 || parts.size() < maxSplit;
    }

    private List<String> split(String s) {
        List<String> parts = new ArrayList<>();
        int from = 0;
        int at = s.isEmpty() ? -1 : s.indexOf(delimiter);
        while (at >= 0 && mayCut(parts)) {
            parts.add(s.substring(from, at));
            from = at + delimiter.length();
            at = s.indexOf(delimiter, from);
        }
        if (!s.isEmpty()) {
            parts.add(s.substring(from));
        }
        return parts;
    }

    private List<String> words(String s) {
        List<String> parts = new ArrayList<>();
        String rest = s.strip();
        while (!rest.isEmpty()) {
            int end = 0;
            while (end < rest.length() && !Character.isWhitespace(rest.charAt(end))) {
                end++;
            }
            if (end == rest.length() || !mayCut(parts)) {
                parts.add(rest);
                break;
            }
            parts.add(rest.substring(0, end));
            rest = rest.substring(end).stripLeading();
        }
        return parts;
    }
}
