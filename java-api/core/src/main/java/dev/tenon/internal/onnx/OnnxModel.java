package dev.tenon.internal.onnx;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The messages of an ONNX file as records: what the bytes say, unchecked beyond their form. Tensor data stay in the file. */
record OnnxModel(
        long irVersion,
        String producerName,
        String producerVersion,
        String domain,
        long modelVersion,
        String doc,
        GraphDef graph,
        List<OpsetDef> opsets,
        Map<String, String> metadata,
        List<FunctionDef> functions) {

    record OpsetDef(String domain, long version) {}

    record GraphDef(
            String name,
            List<NodeDef> nodes,
            List<TensorDef> initializers,
            List<SparseDef> sparseInitializers,
            List<ValueDef> inputs,
            List<ValueDef> outputs,
            List<ValueDef> values,
            String doc,
            WireReader at) {}

    record NodeDef(
            String name,
            String opType,
            String domain,
            String overload,
            List<String> inputs,
            List<String> outputs,
            List<AttributeDef> attributes) {

        /** How messages name the node: by its own name or its first output. */
        String label() {
            return name.isEmpty()
                    ? outputs.stream().filter(o -> !o.isEmpty()).findFirst().orElse("")
                    : name;
        }

        String describe() {
            return "node " + opType + " '" + label() + "'";
        }
    }

    /**
     * A named value of a node.
     *
     * @param type the declared code of {@code AttributeProto.AttributeType}; 0 if there is none
     * @param reference the calling node's attribute that gives the value, in a function body; empty otherwise
     * @param value Long, Float, String, TensorDef, SparseDef, GraphDef, TypeDef, or a list of these; null if none is given
     */
    record AttributeDef(
            String name,
            int type,
            String reference,
            @Nullable Object value,
            WireReader at) {}

    record FunctionDef(
            String domain,
            String name,
            String overload,
            List<String> inputs,
            List<String> outputs,
            List<String> attributes,
            List<AttributeDef> defaults,
            List<NodeDef> nodes,
            List<OpsetDef> opsets,
            List<ValueDef> values) {

        String id() {
            return domain + "::" + name + (overload.isEmpty() ? "" : ":" + overload);
        }
    }

    record ValueDef(String name, @Nullable TypeDef type, String doc) {}

    sealed interface TypeDef {
        /** @param dims null if there is no shape */
        record TensorDef(long elementType, @Nullable List<DimDef> dims, boolean sparse) implements TypeDef {}

        record SequenceDef(TypeDef element) implements TypeDef {}

        record OptionalDef(TypeDef element) implements TypeDef {}

        /** A kind that tensors, sequences and optionals do not cover: map or opaque. */
        record OtherDef(String kind) implements TypeDef {}
    }

    /** A dimension: a name if there is one, else a size, else nothing is known ({@code size} is -1). */
    record DimDef(long size, String name) {}

    /**
     * A tensor whose data are still in the file.
     *
     * @param raw the {@code raw_data} field, null if there is none
     * @param typed how many numbers (or texts) each typed data field holds
     * @param external the {@code external_data} entries, null if the data are in this file
     * @param at the message, for a second pass over typed data
     */
    record TensorDef(
            String name,
            long[] dims,
            long elementType,
            @Nullable MemorySegment raw,
            Map<Integer, Long> typed,
            @Nullable List<Map.Entry<String, String>> external,
            boolean segmented,
            WireReader at) {}

    record SparseDef(TensorDef values, TensorDef indices, long[] dims, WireReader at) {}
}
