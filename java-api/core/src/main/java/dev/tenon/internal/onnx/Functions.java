package dev.tenon.internal.onnx;

import dev.tenon.ModelFormatException;
import dev.tenon.internal.onnx.OnnxModel.FunctionDef;
import dev.tenon.internal.onnx.OnnxModel.NodeDef;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The functions that a model defines. A node whose operator has the name of one is a call of it. */
final class Functions {
    private final Map<String, FunctionDef> byId = new HashMap<>();
    private final Map<FunctionDef, Opsets> opsets = new java.util.IdentityHashMap<>();

    Functions(List<FunctionDef> functions) {
        for (FunctionDef f : functions) {
            if (byId.put(key(f.domain(), f.name(), f.overload()), f) != null) {
                throw new ModelFormatException("function " + f.id() + " is defined twice");
            }
            if (new HashSet<>(f.inputs()).size() != f.inputs().size()) {
                throw new ModelFormatException("function " + f.id() + " has two inputs of one name: " + f.inputs());
            }
            opsets.put(f, new Opsets("function " + f.id(), f.opsets()));
        }
    }

    private static String key(String domain, String name, String overload) {
        return Opsets.canonical(domain) + "::" + name + ":" + overload;
    }

    @Nullable
    FunctionDef find(NodeDef n) {
        return byId.isEmpty() ? null : byId.get(key(n.domain(), n.opType(), n.overload()));
    }

    Opsets opsets(FunctionDef f) {
        return opsets.get(f);
    }
}
