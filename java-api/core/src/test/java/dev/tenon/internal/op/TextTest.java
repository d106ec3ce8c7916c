package dev.tenon.internal.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import dev.tenon.DataType;
import dev.tenon.ModelFormatException;
import dev.tenon.Shape;
import dev.tenon.ShapeException;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Op;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Operators on text, and those of the machine-learning domain. */
class TextTest {
    private static Tensor text(String... values) {
        return Tensor.ofStrings(values, values.length);
    }

    private static Op ml(String name, int opset, Object... attributes) {
        return Import.version("ai.onnx.ml", name, opset, 1, attributes);
    }

    @Test
    void joins() {
        assertThat(Run.one(new StringConcat(), text("a", "b"), text("x")).toStringArray())
                .containsExactly("ax", "bx");
    }

    @Test
    void normalises() {
        Op op = Import.op("StringNormalizer", "case_change_action", "UPPER", "stopwords", List.of("The"));
        assertThat(Run.one(op, text("the", "cat")).toStringArray()).containsExactly("CAT");
        assertThat(Run.one(op, text("the")).toStringArray()).containsExactly("");
        Op exact = Import.op("StringNormalizer", "is_case_sensitive", 1L, "stopwords", List.of("The"));
        assertThat(Run.one(exact, text("the", "The")).toStringArray()).containsExactly("the");
    }

    @Test
    void splits() {
        List<Tensor> y = Run.all(Import.op("StringSplit", "delimiter", ",", "maxsplit", 1L), text("a,b,c", "d"));
        assertThat(y.get(0).toStringArray()).containsExactly("a", "b,c", "d", "");
        assertThat(y.get(1).toLongArray()).containsExactly(2, 1);
        assertThat(Run.one(Import.op("StringSplit"), text(" a  b ")).toStringArray())
                .containsExactly("a", "b");
    }

    @Test
    void matches() {
        Op op = Import.op("RegexFullMatch", "pattern", "(?P<word>[a-z]+)\\d?");
        assertThat(Run.one(op, text("ab1", "ab12", "")).toLongArray()).containsExactly(1, 0, 0);
        assertThatThrownBy(() -> Import.op("RegexFullMatch", "pattern", "(")).isInstanceOf(ModelFormatException.class);
        assertThatThrownBy(() -> Import.op("RegexFullMatch", "pattern", "(".repeat(60_000)))
                .isInstanceOf(ModelFormatException.class);
    }

    @Test
    void endsMatchesThatBacktrackWithoutEnd() {
        Op op = Import.op("RegexFullMatch", "pattern", ".*.*.*.*.*.*z");
        assertThatThrownBy(() -> Run.one(op, text("a".repeat(2000))))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("too many steps");
    }

    @Test
    void countsNgrams() {
        Object[] attributes = {
            "mode",
            "TF",
            "min_gram_length",
            1L,
            "max_gram_length",
            2L,
            "max_skip_count",
            1L,
            "ngram_counts",
            List.of(0L, 1L),
            "ngram_indexes",
            List.of(1L, 0L),
            "pool_int64s",
            List.of(7L, 7L, 8L)
        };
        // 7 occurs twice; 7 8 once side by side and once with a token between.
        Tensor y = Run.one(Import.op("TfIdfVectorizer", attributes), Run.longs(7, 8, 7, 9, 8));
        assertThat(y.toDoubleArray()).containsExactly(2, 2);
        attributes[9] = List.of(0L, 9L);
        assertThatThrownBy(() -> Import.op("TfIdfVectorizer", attributes)).isInstanceOf(ModelFormatException.class);
    }

    @Test
    void encodesLabels() {
        Op op = ml("LabelEncoder", 4, "keys_strings", List.of("a", "b"), "values_int64s", List.of(5L, 6L));
        assertThat(Run.one(op, text("b", "?", "a")).toLongArray()).containsExactly(6, -1, 5);
        Op floats = ml(
                "LabelEncoder",
                4,
                "keys_floats",
                List.of(Float.NaN, 0f),
                "values_strings",
                List.of("nan", "zero"),
                "default_string",
                "none");
        assertThat(Run.one(floats, Run.floats(Double.NaN, -0.0, 1)).toStringArray())
                .containsExactly("nan", "zero", "none");
        assertThatThrownBy(() -> ml("LabelEncoder", 4, "keys_strings", List.of("a"), "values_int64s", List.of()))
                .isInstanceOf(ModelFormatException.class);
    }

    @Test
    void extractsAndBinarizes() {
        Tensor x = Run.counting(2, 3);
        Op extract = ml("ArrayFeatureExtractor", 1);
        assertThat(Run.one(extract, x, Run.longs(2, 0)).toDoubleArray()).containsExactly(2, 0, 5, 3);
        assertThatThrownBy(() -> Run.one(extract, x, Run.longs(3))).hasMessageContaining("index 3");
        assertThat(Run.one(ml("Binarizer", 1, "threshold", 1f), Run.floats(0, 1, 2))
                        .toDoubleArray())
                .containsExactly(0, 0, 1);
    }

    private static Object[] tree() {
        return new Object[] {
            "tree_roots", List.of(0L),
            "nodes_featureids", List.of(0L, 1L),
            "nodes_modes", Run.of(DataType.UINT8, Shape.of(2), 0, 6),
            "nodes_splits", Run.floats(5, 0),
            "nodes_truenodeids", List.of(1L, 0L),
            "nodes_trueleafs", List.of(0L, 1L),
            "nodes_falsenodeids", List.of(1L, 2L),
            "nodes_falseleafs", List.of(1L, 1L),
            "membership_values", Run.floats(3, 4, Double.NaN),
            "leaf_targetids", List.of(0L, 1L, 0L),
            "leaf_weights", Run.floats(10, 20, 30),
            "n_targets", 2L
        };
    }

    @Test
    void asksTrees() {
        Tensor x = Run.floats(Shape.of(3, 2), 1, 3, 1, 9, 6, 3);
        assertThat(Run.one(ml("TreeEnsemble", 5, tree()), x).toDoubleArray()).containsExactly(10, 0, 30, 0, 0, 20);
    }

    @Test
    void refusesBrokenTrees() {
        Object[] dangling = tree();
        dangling[9] = List.of(7L, 0L);
        assertThatThrownBy(() -> ml("TreeEnsemble", 5, dangling)).isInstanceOf(ModelFormatException.class);
        Object[] cycle = tree();
        cycle[9] = List.of(0L, 0L);
        assertThatThrownBy(() -> Run.one(ml("TreeEnsemble", 5, cycle), Run.counting(1, 2)))
                .hasMessageContaining("cycle");
        assertThatThrownBy(() -> Run.one(ml("TreeEnsemble", 5, tree()), Run.counting(1, 1)))
                .hasMessageContaining("feature");
    }

    @Test
    void invertsTheNormalDistribution() {
        assertThat(Probit.inverseNormal(0.5)).isCloseTo(0, offset(1e-12));
        assertThat(Probit.inverseNormal(0.975)).isCloseTo(1.959963984540054, offset(1e-9));
        assertThat(Probit.inverseNormal(0)).isEqualTo(Double.NEGATIVE_INFINITY);
    }
}
