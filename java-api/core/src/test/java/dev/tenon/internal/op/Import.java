package dev.tenon.internal.op;

import dev.tenon.internal.ir.Op;
import dev.tenon.internal.memory.MemoryScope;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;

/** Makes operators from attributes, as a model would. */
final class Import {
    private static final MemoryScope SCOPE = MemoryScope.shared("operator imports");

    private Import() {}

    /** @param attributes names and values in turn */
    static Op version(String domain, String name, int opset, int inputs, Object... attributes) {
        Map<String, Object> map = new HashMap<>();
        for (int i = 0; i < attributes.length; i += 2) {
            map.put((String) attributes[i], attributes[i + 1]);
        }
        OnnxNode node = new OnnxNode(name, "n", opset, Collections.nCopies(inputs, true), 1, map, SCOPE);
        return OpSet.find(domain, name, opset).orElseThrow().importer().create(node);
    }

    static Op op(String name, Object... attributes) {
        return version("", name, 22, 1, attributes);
    }
}
