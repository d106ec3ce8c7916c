package dev.tenon.cuda.internal.elementwise;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;

/** Multipliers and shifts for the kernels' division by sizes. */
class DivisorTest {
    @Property
    void narrowDivisorsDivide(@ForAll @IntRange(min = 1) int divisor, @ForAll @IntRange(min = 0) int n) {
        checkDivisor(divisor, n, 32);
    }

    @Property
    void wideDivisorsDivide(@ForAll @LongRange(min = 1) long divisor, @ForAll @LongRange(min = 0) long n) {
        checkDivisor(divisor, n, 64);
    }

    @net.jqwik.api.Example
    void divisorsDivideAtTheirEdges() {
        for (int bits : new int[] {32, 64}) {
            long max = bits == 32 ? Integer.MAX_VALUE : Long.MAX_VALUE;
            for (long d : new long[] {1, 2, 3, 5, 7, 641, 65536, 65537, max / 3, max / 2, max / 2 + 1, max - 1, max}) {
                for (long n :
                        new long[] {0, 1, d - 1, d, Math.min(max, d + (max - d) / 2), max - max % d, max - 1, max}) {
                    checkDivisor(d, n, bits);
                    checkDivisor(d, Math.max(0, max - max % d - 1), bits);
                }
            }
        }
    }

    /** What Divisor::quotient computes, with as many bits as it has. */
    private static void checkDivisor(long divisor, long n, int bits) {
        long[] d = ElementwiseKernel.divisor(divisor, bits);
        BigInteger mask = BigInteger.ONE.shiftLeft(bits).subtract(BigInteger.ONE);
        BigInteger multiplier = BigInteger.valueOf(d[1]).and(mask);
        BigInteger high = multiplier.multiply(BigInteger.valueOf(n)).shiftRight(bits);
        BigInteger sum = high.add(BigInteger.valueOf(n)).and(mask);
        assertThat(sum.shiftRight((int) d[2])).isEqualTo(BigInteger.valueOf(n / divisor));
    }
}
