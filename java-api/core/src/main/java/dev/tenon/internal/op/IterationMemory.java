package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.OptionalDatum;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.TensorSequence;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.memory.MemoryScope;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Memory of the iterations of a loop: each has its own scope, which ends as soon as no state lives in it any more, so that a
 * loop takes memory for its states and scanned outputs, not for every intermediate it ever made.
 */
final class IterationMemory implements AutoCloseable {
    private final Evaluation in;
    private final List<MemoryScope> held = new ArrayList<>();

    IterationMemory(Evaluation in) {
        this.in = in;
    }

    void begin() {
        held.add(MemoryScope.confined("loop iteration"));
    }

    private MemoryScope current() {
        return held.getLast();
    }

    Tensor scalar(DataType type, long v) {
        Tensor t = Tensor.allocate(current(), type, Shape.scalar());
        t.setLong(0, v);
        return t;
    }

    /** Element {@code i} of {@code t} along an axis, in the memory of this iteration. */
    Tensor element(Tensor t, int axis, long i) {
        Tensor y = Tensor.allocate(current(), t.type(), Slices.rangeShape(t, axis, 1));
        Slices.copyRange(t, axis, i, y);
        return Slices.withoutAxis(y, axis);
    }

    List<Datum> run(Graph body, List<Datum> arguments) {
        return in.run(body, arguments, current());
    }

    /**
     * Ends the iteration and frees what the state does not use.
     *
     * @return the state; elements of sequences moved out of the iteration
     */
    List<Datum> end(List<Datum> state) {
        List<Datum> kept =
                state.stream().map(d -> d instanceof Tensor ? d : keep(d)).toList();
        held.removeIf(scope -> {
            if (kept.stream().anyMatch(d -> livesIn(d, scope))) {
                return false;
            }
            scope.close();
            return true;
        });
        return kept;
    }

    private static boolean livesIn(Datum d, MemoryScope scope) {
        return d instanceof Tensor t
                && t.type() != DataType.STRING
                && t.segment().scope().equals(scope.arena().scope());
    }

    List<Datum> keepAll(List<Datum> state) {
        return state.stream().map(this::keep).toList();
    }

    /** The value, copied to the memory of the evaluation's results if it lives in an iteration's. */
    Datum keep(Datum d) {
        return switch (d) {
            case Tensor t -> {
                if (held.stream().noneMatch(scope -> livesIn(t, scope))) {
                    yield t;
                }
                Tensor copy = in.allocate(t.type(), t.shape());
                MemorySegment.copy(t.segment(), 0, copy.segment(), 0, copy.byteSize());
                yield copy;
            }
            case TensorSequence s ->
                new TensorSequence(s.items().stream().map(this::keep).toList());
            case OptionalDatum o -> o.value() == null ? o : new OptionalDatum(keep(o.value()));
        };
    }

    @Override
    public void close() {
        held.forEach(MemoryScope::close);
        held.clear();
    }
}
