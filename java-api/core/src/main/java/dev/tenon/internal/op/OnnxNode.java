package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.ModelFormatException;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.memory.MemoryScope;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What an operator's import rule sees of an ONNX node: its attributes, checked for type, and the opset it was written for.
 *
 * <p>Rules bring every version to the newest form. Where an old version has an attribute for what is an input today, the
 * rule adds it as one with {@link #constantInput}.
 */
public final class OnnxNode {
    private final String opType;
    private final String nodeName;
    private final int opset;
    private final List<Boolean> inputs;
    private final int outputs;
    private final Map<String, Object> attributes;
    private final MemoryScope constants;
    private final Map<Integer, Tensor> constantInputs = new TreeMap<>();

    /**
     * @param inputs for each input whether it is given
     * @param attributes values are Long, Float, String, Tensor, Graph, Double-free lists of these (List of Long, Float,
     *     String, Tensor, Graph)
     * @param constants memory for constants that the rule adds
     */
    public OnnxNode(
            String opType,
            String nodeName,
            int opset,
            List<Boolean> inputs,
            int outputs,
            Map<String, Object> attributes,
            MemoryScope constants) {
        this.opType = opType;
        this.nodeName = nodeName;
        this.opset = opset;
        this.inputs = inputs;
        this.outputs = outputs;
        this.attributes = attributes;
        this.constants = constants;
    }

    /** The version of the operator's domain that the model imports. */
    public int opset() {
        return opset;
    }

    public String opType() {
        return opType;
    }

    public int inputCount() {
        return inputs.size();
    }

    public int outputCount() {
        return outputs;
    }

    public boolean hasInput(int i) {
        return i < inputs.size() && inputs.get(i);
    }

    public boolean has(String attribute) {
        return attributes.containsKey(attribute);
    }

    public long integer(String name, long otherwise) {
        return has(name) ? require(name, Long.class) : otherwise;
    }

    /** The attribute as an int. @throws ModelFormatException if it does not fit */
    public int int32(String name, long otherwise) {
        long v = integer(name, otherwise);
        if (v != (int) v) {
            throw error("attribute '" + name + "' is " + v + ", which is out of range");
        }
        return (int) v;
    }

    public boolean flag(String name, boolean otherwise) {
        return integer(name, otherwise ? 1 : 0) != 0;
    }

    public float real(String name, float otherwise) {
        return has(name) ? require(name, Float.class) : otherwise;
    }

    public String text(String name, String otherwise) {
        return has(name) ? require(name, String.class) : otherwise;
    }

    /** A list of integers; empty if the attribute is absent. */
    public List<Long> integers(String name) {
        return list(name, Long.class);
    }

    public List<Float> reals(String name) {
        return list(name, Float.class);
    }

    public List<String> texts(String name) {
        return list(name, String.class);
    }

    public Optional<Tensor> tensor(String name) {
        return has(name) ? Optional.of(require(name, Tensor.class)) : Optional.empty();
    }

    /** A body, closed over what it captures: its formal inputs are its own, then every value captured by this node's bodies. */
    public Graph graph(String name) {
        return require(name, Graph.class);
    }

    public long requireInteger(String name) {
        return require(name, Long.class);
    }

    public String requireText(String name) {
        return require(name, String.class);
    }

    public float requireReal(String name) {
        return require(name, Float.class);
    }

    /** An element type given by its code. */
    public DataType dtype(String name, DataType otherwise) {
        return has(name) ? DataType.ofCode(require(name, Long.class)) : otherwise;
    }

    /** Any attribute as it was read, for rules that accept several types. */
    public Optional<Object> raw(String name) {
        return Optional.ofNullable(attributes.get(name));
    }

    /** Makes input {@code index} this constant vector of INT64, for what older versions give as an attribute. */
    public void constantInput(int index, List<Long> values) {
        Tensor t = Tensor.allocate(constants, DataType.INT64, dev.tenon.Shape.of(values.size()));
        for (int i = 0; i < values.size(); i++) {
            t.setLong(i, values.get(i));
        }
        constantInputs.put(index, t);
    }

    /** Makes input {@code index} this constant scalar. */
    public void constantScalar(int index, DataType type, double value) {
        Tensor t = Tensor.allocate(constants, type, dev.tenon.Shape.scalar());
        t.setDouble(0, value);
        constantInputs.put(index, t);
    }

    /** The constants added as inputs, by input index. */
    public Map<Integer, Tensor> constantInputs() {
        return constantInputs;
    }

    /** An exception that names the node. */
    public ModelFormatException error(String message) {
        return new ModelFormatException("node " + opType + (nodeName.isEmpty() ? "" : " '" + nodeName + "'")
                + " (opset " + opset + "): " + message);
    }

    private <T> T require(String name, Class<T> type) {
        Object v = attributes.get(name);
        if (v == null) {
            throw error("required attribute '" + name + "' is missing");
        }
        if (!type.isInstance(v)) {
            throw error("attribute '" + name + "' is a " + v.getClass().getSimpleName() + "; expected a "
                    + type.getSimpleName());
        }
        return type.cast(v);
    }

    private <T> List<T> list(String name, Class<T> element) {
        Object v = attributes.get(name);
        if (v == null) {
            return List.of();
        }
        if (!(v instanceof List<?> l) || !l.stream().allMatch(element::isInstance)) {
            throw error("attribute '" + name + "' is not a list of " + element.getSimpleName());
        }
        return l.stream().map(element::cast).toList();
    }
}
