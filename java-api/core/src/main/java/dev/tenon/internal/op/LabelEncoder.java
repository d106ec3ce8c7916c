package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Replaces each element by the value of its key in a table.
 * Inputs   x: the keys' type.    Output y: the values' type, x's shape; {@code otherwise} where x is no key.
 * Rules    as many keys as values. NaN equals NaN; the last of equal keys counts.
 * Source   ONNX ai.onnx.ml LabelEncoder-4; of version 1 the direction from texts to positions.
 *
 * @param keys as text: integers and floating-point numbers in Java's notation
 */
public record LabelEncoder(DataType from, List<String> keys, DataType to, List<String> values, String otherwise)
        implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.of("ai.onnx.ml", "LabelEncoder", LabelEncoder::read));

    private record Column(DataType type, List<String> items) {}

    private static LabelEncoder read(OnnxNode n) {
        if (n.has("classes_strings")) {
            return readOld(n);
        }
        Column keys = column(n, "keys_");
        Column values = column(n, "values_");
        if (keys.items.size() != values.items.size()) {
            throw n.error("there are " + keys.items.size() + " keys and " + values.items.size() + " values");
        }
        String otherwise = n.tensor("default_tensor").isPresent()
                ? texts(n, n.tensor("default_tensor").get()).getFirst()
                : switch (values.type) {
                    case STRING -> n.text("default_string", "_Unused");
                    case FLOAT32, FLOAT64 -> number(n.real("default_float", -0f));
                    default -> Long.toString(n.integer("default_int64", -1));
                };
        return new LabelEncoder(keys.type, keys.items, values.type, values.items, otherwise);
    }

    /** Version 1 maps texts to their positions in a list. */
    private static LabelEncoder readOld(OnnxNode n) {
        List<String> classes = n.texts("classes_strings");
        List<String> positions =
                IntStream.range(0, classes.size()).mapToObj(Integer::toString).toList();
        return new LabelEncoder(
                DataType.STRING, classes, DataType.INT64, positions, Long.toString(n.integer("default_int64", -1)));
    }

    private static Column column(OnnxNode n, String prefix) {
        if (n.has(prefix + "strings")) {
            return new Column(DataType.STRING, n.texts(prefix + "strings"));
        }
        if (n.has(prefix + "int64s")) {
            return new Column(
                    DataType.INT64,
                    n.integers(prefix + "int64s").stream().map(String::valueOf).toList());
        }
        if (n.has(prefix + "floats")) {
            return new Column(
                    DataType.FLOAT32,
                    n.reals(prefix + "floats").stream()
                            .map(LabelEncoder::number)
                            .toList());
        }
        Tensor t = n.tensor(prefix + "tensor").orElseThrow(() -> n.error("attribute '" + prefix + "*' is missing"));
        return new Column(t.type(), texts(n, t));
    }

    private static List<String> texts(OnnxNode n, Tensor t) {
        if (t.size() > Integer.MAX_VALUE - 8 || t.size() < 1) {
            throw n.error("a table has " + t.size() + " elements");
        }
        List<String> out = new ArrayList<>();
        for (long i = 0; i < t.size(); i++) {
            out.add(text(t, i));
        }
        return out;
    }

    private static String number(double v) {
        return Double.toString(v);
    }

    private static String text(Tensor t, long i) {
        return t.type() == DataType.STRING
                ? t.getString(i)
                : t.type().isFloat() ? number(t.getDouble(i)) : Long.toString(t.getLong(i));
    }

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.requireType(0, from);
        return List.of(new TensorType(to, in.shape(0)));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Tensor y = Limits.allocate(in, to, x.shape());
        Map<String, String> table = new HashMap<>();
        for (int i = 0; i < keys.size(); i++) {
            table.put(canonical(keys.get(i)), values.get(i));
        }
        for (long i = 0, n = x.size(); i < n; i++) {
            String v = table.getOrDefault(canonical(text(x, i)), otherwise);
            if (to == DataType.STRING) {
                y.setString(i, v);
            } else if (to.isFloat()) {
                y.setDouble(i, Double.parseDouble(v));
            } else {
                y.setLong(i, Long.parseLong(v));
            }
        }
        return List.of(y);
    }

    /** Zero has two signs but is one key. */
    private String canonical(String key) {
        return from.isFloat() && key.equals("-0.0") ? "0.0" : key;
    }
}
