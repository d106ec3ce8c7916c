package dev.tenon.internal.onnx;

import dev.tenon.internal.onnx.OnnxModel.AttributeDef;
import dev.tenon.internal.onnx.OnnxModel.DimDef;
import dev.tenon.internal.onnx.OnnxModel.FunctionDef;
import dev.tenon.internal.onnx.OnnxModel.GraphDef;
import dev.tenon.internal.onnx.OnnxModel.NodeDef;
import dev.tenon.internal.onnx.OnnxModel.OpsetDef;
import dev.tenon.internal.onnx.OnnxModel.SparseDef;
import dev.tenon.internal.onnx.OnnxModel.TensorDef;
import dev.tenon.internal.onnx.OnnxModel.TypeDef;
import dev.tenon.internal.onnx.OnnxModel.ValueDef;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Decodes the messages of {@code onnx.proto}: one method a message, one line a field. Unknown fields are skipped. */
final class OnnxReader {
    private OnnxReader() {}

    static OnnxModel model(WireReader r) {
        long irVersion = 0;
        String producer = "";
        String producerVersion = "";
        String domain = "";
        long modelVersion = 0;
        String doc = "";
        GraphDef graph = null;
        List<OpsetDef> opsets = new ArrayList<>();
        Map<String, String> metadata = new LinkedHashMap<>();
        List<FunctionDef> functions = new ArrayList<>();
        while (r.next()) {
            switch (r.field()) {
                case 1 -> irVersion = r.int64("ir_version");
                case 2 -> producer = r.note("producer_name");
                case 3 -> producerVersion = r.note("producer_version");
                case 4 -> domain = r.note("domain");
                case 5 -> modelVersion = r.int64("model_version");
                case 6 -> doc = r.note("doc_string");
                case 7 -> {
                    if (graph != null) {
                        throw r.errorHere("the model has more than one graph");
                    }
                    graph = graph(r.message("graph"));
                }
                case 8 -> opsets.add(opset(r.message("opset_import", opsets.size())));
                case 14 -> {
                    Map.Entry<String, String> e = entry(r.message("metadata_props", metadata.size()));
                    metadata.put(e.getKey(), e.getValue());
                }
                case 25 -> functions.add(function(r.message("functions", functions.size())));
                default -> r.skip();
            }
        }
        if (graph == null) {
            throw r.errorHere("there is no graph; this is not an ONNX model, or it is cut off");
        }
        return new OnnxModel(
                irVersion, producer, producerVersion, domain, modelVersion, doc, graph, opsets, metadata, functions);
    }

    private static OpsetDef opset(WireReader r) {
        String domain = "";
        long version = 0;
        while (r.next()) {
            switch (r.field()) {
                case 1 -> domain = r.text("domain");
                case 2 -> version = r.int64("version");
                default -> r.skip();
            }
        }
        return new OpsetDef(domain, version);
    }

    private static Map.Entry<String, String> entry(WireReader r) {
        String key = "";
        String value = "";
        while (r.next()) {
            switch (r.field()) {
                case 1 -> key = r.note("key");
                case 2 -> value = r.note("value");
                default -> r.skip();
            }
        }
        return Map.entry(key, value);
    }

    static GraphDef graph(WireReader r) {
        String name = "";
        String doc = "";
        List<NodeDef> nodes = new ArrayList<>();
        List<TensorDef> initializers = new ArrayList<>();
        List<SparseDef> sparse = new ArrayList<>();
        List<ValueDef> inputs = new ArrayList<>();
        List<ValueDef> outputs = new ArrayList<>();
        List<ValueDef> values = new ArrayList<>();
        while (r.next()) {
            switch (r.field()) {
                case 1 -> nodes.add(node(r.message("node", nodes.size())));
                case 2 -> name = r.note("name");
                case 5 -> initializers.add(tensor(r.message("initializer", initializers.size())));
                case 10 -> doc = r.note("doc_string");
                case 11 -> inputs.add(value(r.message("input", inputs.size())));
                case 12 -> outputs.add(value(r.message("output", outputs.size())));
                case 13 -> values.add(value(r.message("value_info", values.size())));
                case 15 -> sparse.add(sparse(r.message("sparse_initializer", sparse.size())));
                default -> r.skip();
            }
        }
        return new GraphDef(name, nodes, initializers, sparse, inputs, outputs, values, doc, r);
    }

    private static NodeDef node(WireReader r) {
        String name = "";
        String opType = "";
        String domain = "";
        String overload = "";
        List<String> inputs = new ArrayList<>();
        List<String> outputs = new ArrayList<>();
        List<AttributeDef> attributes = new ArrayList<>();
        while (r.next()) {
            switch (r.field()) {
                case 1 -> inputs.add(r.text("input"));
                case 2 -> outputs.add(r.text("output"));
                case 3 -> name = r.text("name");
                case 4 -> opType = r.text("op_type");
                case 5 -> attributes.add(attribute(r.message("attribute", attributes.size())));
                case 7 -> domain = r.text("domain");
                case 8 -> overload = r.text("overload");
                default -> r.skip();
            }
        }
        return new NodeDef(name, opType, domain, overload, inputs, outputs, attributes);
    }

    private static FunctionDef function(WireReader r) {
        String name = "";
        String domain = "";
        String overload = "";
        List<String> inputs = new ArrayList<>();
        List<String> outputs = new ArrayList<>();
        List<String> attributes = new ArrayList<>();
        List<AttributeDef> defaults = new ArrayList<>();
        List<NodeDef> nodes = new ArrayList<>();
        List<OpsetDef> opsets = new ArrayList<>();
        List<ValueDef> values = new ArrayList<>();
        while (r.next()) {
            switch (r.field()) {
                case 1 -> name = r.text("name");
                case 4 -> inputs.add(r.text("input"));
                case 5 -> outputs.add(r.text("output"));
                case 6 -> attributes.add(r.text("attribute"));
                case 7 -> nodes.add(node(r.message("node", nodes.size())));
                case 9 -> opsets.add(opset(r.message("opset_import", opsets.size())));
                case 10 -> domain = r.text("domain");
                case 11 -> defaults.add(attribute(r.message("attribute_proto", defaults.size())));
                case 12 -> values.add(value(r.message("value_info", values.size())));
                case 13 -> overload = r.text("overload");
                default -> r.skip();
            }
        }
        return new FunctionDef(domain, name, overload, inputs, outputs, attributes, defaults, nodes, opsets, values);
    }

    /** One attribute. The field that holds the value must agree with the declared type. */
    private static AttributeDef attribute(WireReader r) {
        String name = "";
        int type = 0;
        String reference = "";
        Map<AttributeKind, Object> found = new TreeMap<>();
        Numbers.Longs longs = new Numbers.Longs();
        Numbers.Floats floats = new Numbers.Floats();
        while (r.next()) {
            switch (r.field()) {
                case 1 -> name = r.text("name");
                case 2 -> found.put(AttributeKind.FLOAT, r.float32("f"));
                case 3 -> found.put(AttributeKind.INT, r.int64("i"));
                case 4 -> found.put(AttributeKind.STRING, r.text("s"));
                case 5 -> found.put(AttributeKind.TENSOR, tensor(r.message("t")));
                case 6 -> found.put(AttributeKind.GRAPH, graph(r.message("g")));
                case 7 -> r.float32s("floats", floats);
                case 8 -> r.int64s("ints", longs);
                case 9 -> AttributeKind.STRINGS.add(found, r.text("strings"));
                case 10 -> AttributeKind.TENSORS.add(found, tensor(r.message("tensors")));
                case 11 -> AttributeKind.GRAPHS.add(found, graph(r.message("graphs")));
                case 14 -> found.put(AttributeKind.TYPE, type(r.message("tp")));
                case 15 -> AttributeKind.TYPES.add(found, type(r.message("type_protos")));
                case 20 -> type = (int) r.int64("type");
                case 21 -> reference = r.text("ref_attr_name");
                case 22 -> found.put(AttributeKind.SPARSE, sparse(r.message("sparse_tensor")));
                case 23 -> AttributeKind.SPARSES.add(found, sparse(r.message("sparse_tensors")));
                default -> r.skip();
            }
        }
        if (floats.size() > 0) {
            found.put(AttributeKind.FLOATS, Numbers.list(floats.toArray()));
        }
        if (longs.size() > 0) {
            found.put(AttributeKind.INTS, Numbers.list(longs.toArray()));
        }
        return new AttributeDef(name, type, reference, AttributeKind.value(r, name, type, reference, found), r);
    }

    static TensorDef tensor(WireReader r) {
        WireReader at = r.rewound();
        String name = "";
        Numbers.Longs dims = new Numbers.Longs();
        long elementType = 0;
        java.lang.foreign.MemorySegment raw = null;
        Map<Integer, Long> typed = new TreeMap<>();
        List<Map.Entry<String, String>> external = new ArrayList<>();
        boolean isExternal = false;
        boolean segmented = false;
        while (r.next()) {
            int f = r.field();
            switch (f) {
                case 1 -> r.int64s("dims", dims);
                case 2 -> elementType = r.int64("data_type");
                case 3 -> {
                    segmented = true;
                    r.skip();
                }
                case 4 -> typed.merge(f, r.fixed("float_data", 4).byteSize() / 4, Long::sum);
                case 5 -> typed.merge(f, r.countVarints("int32_data"), Long::sum);
                case 6 -> {
                    r.bytes("string_data");
                    typed.merge(f, 1L, Long::sum);
                }
                case 7 -> typed.merge(f, r.countVarints("int64_data"), Long::sum);
                case 8 -> name = r.text("name");
                case 9 -> raw = r.bytes("raw_data");
                case 10 -> typed.merge(f, r.fixed("double_data", 8).byteSize() / 8, Long::sum);
                case 11 -> typed.merge(f, r.countVarints("uint64_data"), Long::sum);
                case 13 -> external.add(entry(r.message("external_data", external.size())));
                case 14 -> isExternal = r.int64("data_location") == 1;
                default -> r.skip();
            }
            if (dims.size() > dev.tenon.Shape.MAX_RANK) {
                throw r.errorHere("tensor '" + name + "' has more than " + dev.tenon.Shape.MAX_RANK + " dimensions");
            }
        }
        typed.values().removeIf(n -> n == 0);
        return new TensorDef(
                name, dims.toArray(), elementType, raw, typed, isExternal ? external : null, segmented, at);
    }

    static SparseDef sparse(WireReader r) {
        TensorDef values = null;
        TensorDef indices = null;
        Numbers.Longs dims = new Numbers.Longs();
        while (r.next()) {
            switch (r.field()) {
                case 1 -> values = tensor(r.message("values"));
                case 2 -> indices = tensor(r.message("indices"));
                case 3 -> r.int64s("dims", dims);
                default -> r.skip();
            }
        }
        if (values == null || indices == null) {
            throw r.errorHere("a sparse tensor needs values and indices");
        }
        return new SparseDef(values, indices, dims.toArray(), r);
    }

    private static ValueDef value(WireReader r) {
        String name = "";
        TypeDef type = null;
        String doc = "";
        while (r.next()) {
            switch (r.field()) {
                case 1 -> name = r.text("name");
                case 2 -> type = type(r.message("type"));
                case 3 -> doc = r.note("doc_string");
                default -> r.skip();
            }
        }
        return new ValueDef(name, type, doc);
    }

    /** A type; null if the message says none, which old exporters write for "unknown". */
    static @Nullable TypeDef type(WireReader r) {
        TypeDef type = null;
        while (r.next()) {
            switch (r.field()) {
                case 1 -> type = tensorType(r.message("tensor_type"), false);
                case 4 -> type = new TypeDef.SequenceDef(element(r.message("sequence_type")));
                case 5 -> {
                    r.skip();
                    type = new TypeDef.OtherDef("map");
                }
                case 7 -> {
                    r.skip();
                    type = new TypeDef.OtherDef("opaque");
                }
                case 8 -> type = tensorType(r.message("sparse_tensor_type"), true);
                case 9 -> type = new TypeDef.OptionalDef(element(r.message("optional_type")));
                default -> r.skip();
            }
        }
        return type;
    }

    private static TypeDef element(WireReader r) {
        TypeDef type = null;
        while (r.next()) {
            if (r.field() == 1) {
                type = type(r.message("elem_type"));
            } else {
                r.skip();
            }
        }
        if (type == null) {
            throw r.errorHere("the element type is missing");
        }
        return type;
    }

    private static TypeDef tensorType(WireReader r, boolean sparse) {
        long elementType = 0;
        List<DimDef> dims = null;
        while (r.next()) {
            switch (r.field()) {
                case 1 -> elementType = r.int64("elem_type");
                case 2 -> dims = shape(r.message("shape"));
                default -> r.skip();
            }
        }
        return new TypeDef.TensorDef(elementType, dims, sparse);
    }

    private static List<DimDef> shape(WireReader r) {
        List<DimDef> dims = new ArrayList<>();
        while (r.next()) {
            if (r.field() == 1) {
                dims.add(dim(r.message("dim", dims.size())));
            } else {
                r.skip();
            }
        }
        return dims;
    }

    private static DimDef dim(WireReader r) {
        long size = -1;
        String name = "";
        while (r.next()) {
            switch (r.field()) {
                case 1 -> size = r.int64("dim_value");
                case 2 -> name = r.text("dim_param");
                default -> r.skip();
            }
        }
        return new DimDef(size, name);
    }
}
