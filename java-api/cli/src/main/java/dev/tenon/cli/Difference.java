package dev.tenon.cli;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.internal.reference.Agreement;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How far a value is from the one expected.
 *
 * @param maxRelative of elements whose expected value is not zero
 * @param cosine of the angle between both as vectors; 1 if both are zero
 * @param problem what is beyond the tolerance, empty if nothing is
 */
record Difference(double maxAbsolute, double maxRelative, double cosine, String problem) {
    static Difference of(Datum expected, Datum actual, Agreement agreement) {
        String problem = agreement.difference(expected, actual).orElse("");
        if (!(expected instanceof Tensor e)
                || !(actual instanceof Tensor a)
                || !e.shape().equals(a.shape())
                || e.type() == DataType.STRING
                || a.type() == DataType.STRING
                || e.type().isComplex()
                || a.type().isComplex()) {
            return new Difference(Double.NaN, Double.NaN, Double.NaN, problem);
        }
        double absolute = 0;
        double relative = 0;
        double ea = 0;
        double ee = 0;
        double aa = 0;
        for (long i = 0, n = e.size(); i < n; i++) {
            double x = e.getDouble(i);
            double y = a.getDouble(i);
            if (!Double.isFinite(x) || !Double.isFinite(y)) {
                continue;
            }
            double d = Math.abs(x - y);
            absolute = Math.max(absolute, d);
            relative = x == 0 ? relative : Math.max(relative, d / Math.abs(x));
            ea += x * y;
            ee += x * x;
            aa += y * y;
        }
        double norm = Math.sqrt(ee) * Math.sqrt(aa);
        return new Difference(absolute, relative, norm == 0 ? ee == aa ? 1 : 0 : Math.min(1, ea / norm), problem);
    }

    boolean isWithin() {
        return problem.isEmpty();
    }

    Map<String, Object> json(String name) {
        Map<String, Object> m = new LinkedHashMap<>();
        m.put("name", name);
        m.put("max_abs", maxAbsolute);
        m.put("max_rel", maxRelative);
        m.put("cosine", cosine);
        m.put("within", isWithin());
        if (!isWithin()) {
            m.put("problem", problem);
        }
        return m;
    }
}
