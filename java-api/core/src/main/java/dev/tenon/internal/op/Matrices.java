package dev.tenon.internal.op;

/** Matrix products on arrays, for reference implementations. */
final class Matrices {
    private Matrices() {}

    /**
     * Adds A B to y [m, n], row-major, at offset {@code yAt}.
     *
     * @param transA whether a holds [k, m] instead of [m, k]
     * @param transB whether b holds [n, k] instead of [k, n]
     */
    static void multiply(
            double[] a,
            int aAt,
            boolean transA,
            double[] b,
            int bAt,
            boolean transB,
            double[] y,
            int yAt,
            int m,
            int k,
            int n) {
        for (int r = 0; r < m; r++) {
            int row = yAt + r * n;
            if (transB) {
                for (int c = 0; c < n; c++) {
                    double sum = 0;
                    for (int t = 0; t < k; t++) {
                        sum += a[aAt + (transA ? t * m + r : r * k + t)] * b[bAt + c * k + t];
                    }
                    y[row + c] += sum;
                }
            } else {
                for (int t = 0; t < k; t++) {
                    double f = a[aAt + (transA ? t * m + r : r * k + t)];
                    int from = bAt + t * n;
                    for (int c = 0; c < n; c++) {
                        y[row + c] += f * b[from + c];
                    }
                }
            }
        }
    }
}
