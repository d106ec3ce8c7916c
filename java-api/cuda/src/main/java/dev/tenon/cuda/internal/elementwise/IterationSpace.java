package dev.tenon.cuda.internal.elementwise;

import dev.tenon.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * The elements of a result and where its inputs lie in them, with as few dimensions as tell the same: those of size 1 are
 * gone, and neighbours along which the same inputs broadcast are one.
 */
final class IterationSpace {
    /** How the elements of one input are found. */
    enum Access {
        /** The input has one element. */
        ONE,
        /** The input has the result's shape: both count alike. */
        DENSE,
        /** The input lacks some dimensions of the result. */
        BROADCAST
    }

    private final long elements;
    private final long[] sizes;
    private final List<boolean[]> present;

    private IterationSpace(long elements, long[] sizes, List<boolean[]> present) {
        this.elements = elements;
        this.sizes = sizes;
        this.present = present;
    }

    /** @param inputs shapes that broadcast to {@code result} */
    static IterationSpace of(Shape result, List<Shape> inputs) {
        List<Long> sizes = new ArrayList<>();
        List<List<Boolean>> columns = new ArrayList<>();
        for (int d = 0; d < result.rank(); d++) {
            long size = result.dim(d);
            if (size == 1) {
                continue;
            }
            int fromEnd = result.rank() - d;
            List<Boolean> column = inputs.stream()
                    .map(s -> s.rank() >= fromEnd && s.dim(-fromEnd) != 1)
                    .toList();
            if (!columns.isEmpty() && columns.getLast().equals(column)) {
                sizes.set(sizes.size() - 1, Math.multiplyExact(sizes.getLast(), size));
            } else {
                sizes.add(size);
                columns.add(column);
            }
        }
        List<boolean[]> present = new ArrayList<>();
        for (int i = 0; i < inputs.size(); i++) {
            boolean[] has = new boolean[sizes.size()];
            for (int d = 0; d < has.length; d++) {
                has[d] = columns.get(d).get(i);
            }
            present.add(has);
        }
        return new IterationSpace(
                result.elements(), sizes.stream().mapToLong(Long::longValue).toArray(), present);
    }

    /** Elements of the result. */
    long elements() {
        return elements;
    }

    int rank() {
        return sizes.length;
    }

    long size(int dim) {
        return sizes[dim];
    }

    /** True if {@code input} has dimension {@code dim}, false if it broadcasts along it. */
    boolean has(int input, int dim) {
        return present.get(input)[dim];
    }

    Access access(int input) {
        int count = 0;
        for (boolean has : present.get(input)) {
            count += has ? 1 : 0;
        }
        return count == 0 ? Access.ONE : count == rank() ? Access.DENSE : Access.BROADCAST;
    }
}
