package dev.tenon.internal.ir;

/** One dimension of a symbolic shape: a number, or a name for a number not known yet. Equal names mean equal sizes. */
public sealed interface Dim {
    record Known(long size) implements Dim {
        @Override
        public String toString() {
            return Long.toString(size);
        }
    }

    record Symbol(String name) implements Dim {
        @Override
        public String toString() {
            return name;
        }
    }

    static Dim of(long size) {
        return new Known(size);
    }

    static Dim symbol(String name) {
        return new Symbol(name);
    }

    /** A dimension that equals no other one: nothing is known of it. */
    static Dim unknown() {
        return new Symbol("?" + UnknownCounter.NEXT.getAndIncrement());
    }

    default boolean isKnown() {
        return this instanceof Known;
    }

    /** The size, or -1 for a symbol. */
    default long sizeOrMinusOne() {
        return this instanceof Known(long size) ? size : -1;
    }

    default boolean is(long size) {
        return this instanceof Known(long s) && s == size;
    }
}
