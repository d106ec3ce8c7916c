package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.List;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Whether each text as a whole matches a regular expression.
 * Inputs   x: STRING.    Output BOOL, x's shape.
 * Rules    the expression is valid; matching ends within a budget of steps, since some expressions backtrack without end.
 * Source   ONNX RegexFullMatch-20 (RE2 syntax, of which java.util.regex reads all but rare forms).
 */
public record RegexFullMatch(String pattern) implements Op {
    private static final int MAX_PATTERN = 1 << 16;
    private static final long STEPS = 10_000_000;
    private static final long STEPS_PER_CHARACTER = 1000;

    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("RegexFullMatch", n -> {
        String pattern = n.text("pattern", "");
        if (pattern.length() > MAX_PATTERN) {
            throw n.error("the pattern has " + pattern.length() + " characters; the limit is " + MAX_PATTERN);
        }
        try {
            compile(pattern);
        } catch (PatternSyntaxException | StackOverflowError e) {
            throw n.error("the pattern is not valid: " + e.getMessage());
        }
        return new RegexFullMatch(pattern);
    }));

    /** RE2 writes named groups as (?P<name>...). */
    private static Pattern compile(String pattern) {
        return Pattern.compile(pattern.replace("(?P<", "(?<"));
    }

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.requireType(0, DataType.STRING);
        return List.of(new TensorType(DataType.BOOL, in.shape(0)));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Tensor y = Limits.allocate(in, DataType.BOOL, x.shape());
        Pattern compiled = compile(pattern);
        for (long i = 0, n = x.size(); i < n; i++) {
            String s = x.getString(i);
            try {
                Budgeted text = new Budgeted(s, new long[] {STEPS + STEPS_PER_CHARACTER * s.length()});
                y.setBoolean(i, compiled.matcher(text).matches());
            } catch (OutOfSteps | StackOverflowError e) {
                throw in.error("matching a text of " + s.length() + " characters takes too many steps");
            }
        }
        return List.of(y);
    }

    /** Thrown when a match reads more characters than its budget. */
    private static final class OutOfSteps extends RuntimeException {
        private static final long serialVersionUID = 1L;

        OutOfSteps() {
            super(null, null, false, false);
        }
    }

    /** A text that may be read only so often: what bounds a backtracking match. */
    private record Budgeted(CharSequence text, long[] left) implements CharSequence {
        @Override
        public int length() {
            return text.length();
        }

        @Override
        public char charAt(int i) {
            if (--left[0] < 0) {
                throw new OutOfSteps();
            }
            return text.charAt(i);
        }

        @Override
        public CharSequence subSequence(int from, int to) {
            return new Budgeted(text.subSequence(from, to), left);
        }

        @Override
        public String toString() {
            return text.toString();
        }
    }
}
