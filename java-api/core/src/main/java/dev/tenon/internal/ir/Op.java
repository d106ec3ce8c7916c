package dev.tenon.internal.ir;

import dev.tenon.Datum;
import java.util.List;
import java.util.Optional;

/**
 * An operator with its attributes. Implementations are records, so equality gives common subexpressions and stable dumps;
 * components are numbers, strings, enums, lists, optionals, nested records and (for control flow) {@link Graph}s.
 */
public interface Op {
    /** The name in dumps and messages, by default the record's simple name. */
    default String name() {
        return getClass().getSimpleName();
    }

    OpTrait trait();

    /**
     * The output types for these inputs. As much as can be known: unknown ranks stay unranked, unknown dimensions symbols.
     *
     * @throws dev.tenon.ShapeException naming the rule that the inputs break
     */
    List<ValueType> infer(Inference in);

    /**
     * The outputs for these inputs: slow, plain, readable. It is the oracle of kernel tests, folds constants, and runs where
     * no kernel does. Outputs live in memory of {@link Evaluation#allocate}; an output may also be an input itself.
     */
    List<Datum> evaluate(Evaluation in);

    /**
     * The output's elements where it is a small integer vector (or scalar) that describes a shape, with symbols for what is
     * not known; empty if nothing is known. Only operators that shape computations pass through implement it.
     */
    default Optional<List<Dim>> inferDims(Inference in) {
        return Optional.empty();
    }

    /** False for operators whose result differs from run to run: they are never folded or merged. */
    default boolean isDeterministic() {
        return true;
    }
}
