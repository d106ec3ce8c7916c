package dev.tenon.internal.onnx;

import dev.tenon.ModelFormatException;
import dev.tenon.internal.onnx.OnnxModel.NodeDef;
import dev.tenon.internal.onnx.OnnxModel.OpsetDef;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The operator versions that a model or function imports, by domain. The standard domain is the empty text. */
final class Opsets {
    /** The newest version of the standard domain whose rules are known. */
    static final int NEWEST = 28;

    private final String owner;
    private final Map<String, Integer> versions = new TreeMap<>();

    /** @throws ModelFormatException if versions are out of range or clash. @param owner how messages name what imports them */
    Opsets(String owner, List<OpsetDef> imports) {
        this.owner = owner;
        for (OpsetDef o : imports) {
            String domain = canonical(o.domain());
            if (o.version() < 1 || o.version() > Integer.MAX_VALUE || domain.isEmpty() && o.version() > NEWEST) {
                throw new ModelFormatException(owner + " imports opset " + o.version() + " of domain "
                        + displayName(domain) + "; expected 1 to " + (domain.isEmpty() ? NEWEST : Integer.MAX_VALUE));
            }
            Integer old = versions.put(domain, (int) o.version());
            if (old != null && old != o.version()) {
                throw new ModelFormatException(owner + " imports opsets " + old + " and " + o.version() + " of domain "
                        + displayName(domain) + "; only one may be given");
            }
        }
    }

    /** The version that a node's operator has. */
    int version(NodeDef node) {
        Integer v = versions.get(canonical(node.domain()));
        if (v == null) {
            throw new ModelFormatException(node.describe() + " is of domain " + displayName(node.domain()) + ", but "
                    + owner + " imports no opset of it");
        }
        return v;
    }

    boolean isEmpty() {
        return versions.isEmpty();
    }

    /** By display name of the domain. */
    Map<String, Integer> byDomain() {
        Map<String, Integer> out = new TreeMap<>();
        versions.forEach((d, v) -> out.put(displayName(d), v));
        return out;
    }

    static String canonical(String domain) {
        return domain.equals("ai.onnx") ? "" : domain;
    }

    static String displayName(String domain) {
        return domain.isEmpty() ? "ai.onnx" : domain;
    }

    /** True for the operator that only carries a constant. */
    static boolean isConstant(NodeDef n) {
        return n.opType().equals("Constant") && canonical(n.domain()).isEmpty();
    }
}
