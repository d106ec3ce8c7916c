package dev.tenon.spi;

/**
 * One step of a compiled graph, for people and profiles.
 *
 * @param kind the kind of step, such as {@code conv}
 * @param name the model's name of what it computes
 * @param implementation what computes it, such as {@code brgconv:avx512_core}
 * @param layouts of sources and destinations
 * @param flops multiplications and additions, counted separately
 * @param bytesRead bytes that it must read at least
 * @param bytesWritten bytes that it writes
 * @param threads threads it runs on
 */
public record StepInfo(
        String kind,
        String name,
        String implementation,
        String layouts,
        long flops,
        long bytesRead,
        long bytesWritten,
        int threads) {}
