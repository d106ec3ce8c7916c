package dev.tenon.spi;

import dev.tenon.internal.memory.MemoryScope;
import java.util.List;

/** A compiled graph: immutable, shared by any number of instances. Thread-safe. */
public interface Executable extends AutoCloseable {
    /** Bytes of working memory that each instance takes. */
    long arenaBytes();

    /** What will run, in order. */
    List<StepInfo> steps();

    /** Threads that a run keeps busy. */
    int threads();

    /** A place to run: working memory and bound inputs and outputs. */
    Instance newInstance(MemoryScope memory);

    @Override
    void close();

    /** One run at a time. */
    interface Instance extends AutoCloseable {
        /** Sets the memory of graph input {@code index}; dense, row-major, alive during runs. */
        void bindInput(int index, java.lang.foreign.MemorySegment memory);

        /** Sets the memory of graph output {@code index}; dense, row-major, alive during runs. */
        void bindOutput(int index, java.lang.foreign.MemorySegment memory);

        /** Lowers the flag that {@link #cancel} raises. */
        void arm();

        /** Runs all steps. Allocates nothing. @throws dev.tenon.CancelledException if the flag was raised */
        void run();

        /** Runs all steps and stores each one's wall time. @param nanos one entry a step */
        void runProfiled(long[] nanos);

        /** Asks a run in progress to stop before its next step. Any thread. */
        void cancel();

        @Override
        void close();
    }
}
