package dev.tenon.spi;

import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Value;
import java.util.Set;

/**
 * A device that runs parts of graphs. One backend belongs to one engine and holds what the engine's programs share, such as
 * packed weights. Thread-safe.
 */
public interface Backend extends AutoCloseable {
    /** The device's name as {@link dev.tenon.Device} prints it. */
    String name();

    /** The nodes of a graph with concrete tensor types that this backend has an implementation for. */
    Set<Node> supported(Graph graph, ConstantKeys constants);

    /**
     * Makes a program of a graph in which every node is supported.
     *
     * @param constants stable numbers of constants of the engine, which all programs share; others stay alive as long as the program
     */
    Executable compile(Graph graph, ConstantKeys constants);

    /** Numbers of the constants that belong to the engine. */
    @FunctionalInterface
    interface ConstantKeys {
        /** The number of an engine's constant, or -1 for a constant of this program alone. */
        long key(Value constant);
    }

    @Override
    void close();
}
