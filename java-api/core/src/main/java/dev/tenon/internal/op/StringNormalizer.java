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
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Drops stop words and changes case.
 * Inputs   x: STRING [C] or [1, C].
 * Output   STRING [K] or [1, K]: what is left; one empty text if nothing is.
 * Source   ONNX StringNormalizer-10.
 *
 * @param locale a language tag for changes of case; empty for the root locale
 */
public record StringNormalizer(CaseChange change, boolean caseSensitive, List<String> stopWords, String locale)
        implements Op {
    /** What happens to letters. */
    public enum CaseChange {
        NONE,
        LOWER,
        UPPER
    }

    static final List<OpSpec> SPECS = List.of(OpSpec.onnx(
            "StringNormalizer",
            n -> new StringNormalizer(
                    switch (n.text("case_change_action", "NONE")) {
                        case "NONE" -> CaseChange.NONE;
                        case "LOWER" -> CaseChange.LOWER;
                        case "UPPER" -> CaseChange.UPPER;
                        default ->
                            throw n.error("case_change_action '" + n.text("case_change_action", "") + "' is not known");
                    },
                    n.flag("is_case_sensitive", false),
                    n.texts("stopwords"),
                    n.text("locale", ""))));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.requireType(0, DataType.STRING);
        SymbolicShape x = in.shape(0);
        if (!x.isRanked()) {
            return List.of(in.tensor(0));
        }
        in.require(
                x.rank() == 1 || x.rank() == 2 && (x.size(0) < 0 || x.size(0) == 1),
                "x has shape " + x + "; expected [C]");
        return List.of(new TensorType(
                DataType.STRING, x.withDim(-1, stopWords.isEmpty() && x.size(-1) != 0 ? x.dim(-1) : Dim.unknown())));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        int rank = x.shape().rank();
        in.require(rank == 1 || rank == 2 && x.shape().dim(0) == 1, "x has shape " + x.shape() + "; expected [C]");
        Locale l = locale.isEmpty() ? Locale.ROOT : Locale.forLanguageTag(locale.replace('_', '-'));
        Set<String> dropped = new HashSet<>();
        stopWords.forEach(w -> dropped.add(caseSensitive ? w : w.toLowerCase(l)));
        List<String> kept = new ArrayList<>();
        for (String s : x.toStringArray()) {
            if (!dropped.contains(caseSensitive ? s : s.toLowerCase(l))) {
                kept.add(
                        switch (change) {
                            case NONE -> s;
                            case LOWER -> s.toLowerCase(l);
                            case UPPER -> s.toUpperCase(l);
                        });
            }
        }
        if (kept.isEmpty()) {
            kept.add("");
        }
        String[] out = kept.toArray(String[]::new);
        return List.of(rank == 1 ? Tensor.ofStrings(out, out.length) : Tensor.ofStrings(out, 1, out.length));
    }
}
