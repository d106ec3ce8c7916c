package dev.tenon.internal.ir;

import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads the components of an operator record: its attributes, and among them the graphs that it runs. */
public final class Subgraphs {
    private Subgraphs() {}

    /** The components by name, in the order of declaration; empty for an operator that is no record. */
    static Map<String, Object> components(Op op) {
        Map<String, Object> out = new LinkedHashMap<>();
        if (op instanceof Record r) {
            for (RecordComponent c : r.getClass().getRecordComponents()) {
                try {
                    c.getAccessor().setAccessible(true);
                    out.put(c.getName(), c.getAccessor().invoke(r));
                } catch (ReflectiveOperationException e) {
                    throw new IllegalStateException("component " + c.getName() + " of " + op.name(), e);
                }
            }
        }
        return out;
    }

    public static List<Graph> of(Op op) {
        List<Graph> out = new ArrayList<>();
        for (Object c : components(op).values()) {
            if (c instanceof Graph g) {
                out.add(g);
            }
        }
        return out;
    }
}
