package dev.tenon.internal.op;

import java.util.Arrays;

/** What Softmax makes of a row. */
public enum SoftmaxKind {
    /** exp(x - max) / sum. */
    SOFTMAX("Softmax"),
    /** x - max - log(sum of exp(x - max)). */
    LOG("LogSoftmax"),
    /** 1 at the first largest element, else 0. */
    HARD("Hardmax");

    final String onnxName;

    SoftmaxKind(String onnxName) {
        this.onnxName = onnxName;
    }

    void apply(double[] row) {
        double max = Double.NEGATIVE_INFINITY;
        int at = 0;
        for (int i = 0; i < row.length; i++) {
            if (row[i] > max) {
                max = row[i];
                at = i;
            }
        }
        if (this == HARD) {
            Arrays.fill(row, 0);
            if (row.length > 0) {
                row[at] = 1;
            }
            return;
        }
        double sum = 0;
        for (double v : row) {
            sum += Math.exp(v - max);
        }
        for (int i = 0; i < row.length; i++) {
            row[i] = this == LOG ? row[i] - max - Math.log(sum) : Math.exp(row[i] - max) / sum;
        }
    }
}
