package dev.tenon.internal.op;

/** Discrete Fourier transforms of any length on arrays: radix 2 for powers of two, Bluestein's chirp method for the rest. */
final class Fourier {
    private Fourier() {}

    /** Transforms in place: X[k] = sum over n of x[n] exp(-2 pi i k n / N), or exp(+...) / N if {@code inverse}. */
    static void transform(double[] re, double[] im, boolean inverse) {
        int n = re.length;
        if (n > 1) {
            if (Integer.bitCount(n) == 1) {
                radix2(re, im, inverse);
            } else {
                bluestein(re, im, inverse);
            }
        }
        if (inverse) {
            for (int i = 0; i < n; i++) {
                re[i] /= n;
                im[i] /= n;
            }
        }
    }

    private static void radix2(double[] re, double[] im, boolean inverse) {
        int n = re.length;
        for (int i = 1, j = 0; i < n; i++) {
            int bit = n >> 1;
            for (; (j & bit) != 0; bit >>= 1) {
                j ^= bit;
            }
            j ^= bit;
            if (i < j) {
                double r = re[i];
                re[i] = re[j];
                re[j] = r;
                double m = im[i];
                im[i] = im[j];
                im[j] = m;
            }
        }
        for (int length = 2; length <= n && length > 0; length <<= 1) {
            int half = length / 2;
            for (int k = 0; k < half; k++) {
                double angle = (inverse ? 2 : -2) * Math.PI * k / length;
                double c = Math.cos(angle);
                double s = Math.sin(angle);
                for (int a = k; a < n; a += length) {
                    int b = a + half;
                    double r = re[b] * c - im[b] * s;
                    double m = re[b] * s + im[b] * c;
                    re[b] = re[a] - r;
                    im[b] = im[a] - m;
                    re[a] += r;
                    im[a] += m;
                }
            }
        }
    }

    /** k n = (k^2 + n^2 - (k - n)^2) / 2 turns the transform into a convolution with a chirp. */
    private static void bluestein(double[] re, double[] im, boolean inverse) {
        int n = re.length;
        int size = Integer.highestOneBit(Math.multiplyExact(n, 4) - 1);
        double[] c = new double[n];
        double[] s = new double[n];
        double[] ar = new double[size];
        double[] ai = new double[size];
        double[] br = new double[size];
        double[] bi = new double[size];
        for (int k = 0; k < n; k++) {
            double angle = Math.PI * ((long) k * k % (2L * n)) / n * (inverse ? -1 : 1);
            c[k] = Math.cos(angle);
            s[k] = Math.sin(angle);
            ar[k] = re[k] * c[k] + im[k] * s[k];
            ai[k] = im[k] * c[k] - re[k] * s[k];
            br[k] = c[k];
            bi[k] = s[k];
            if (k > 0) {
                br[size - k] = c[k];
                bi[size - k] = s[k];
            }
        }
        radix2(ar, ai, false);
        radix2(br, bi, false);
        for (int i = 0; i < size; i++) {
            double r = ar[i] * br[i] - ai[i] * bi[i];
            ai[i] = ar[i] * bi[i] + ai[i] * br[i];
            ar[i] = r;
        }
        radix2(ar, ai, true);
        for (int k = 0; k < n; k++) {
            double r = ar[k] / size;
            double m = ai[k] / size;
            re[k] = r * c[k] + m * s[k];
            im[k] = m * c[k] - r * s[k];
        }
    }
}
