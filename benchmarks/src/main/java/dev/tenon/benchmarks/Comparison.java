package dev.tenon.benchmarks;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * A Tenon figure beside the peer's, from methods whose names differ in their beginning alone.
 *
 * @param peer null for figures that have no peer
 */
record Comparison(Measured tenon, Measured peer) {
    private static final String TENON = "tenon";
    private static final Map<String, String> PEERS =
            Map.of("onnxRuntime", "ONNX Runtime", "langChain4j", "LangChain4j");

    /** Pairs the figures up, in their order. */
    static List<Comparison> of(List<Measured> figures) {
        Map<String, Measured> peers = new LinkedHashMap<>();
        List<Measured> others = new ArrayList<>();
        for (Measured m : figures) {
            String peer = PEERS.keySet().stream()
                    .filter(p -> method(m).startsWith(p))
                    .findFirst()
                    .orElse(null);
            if (peer == null) {
                others.add(m);
            } else {
                peers.put(key(m, peer), m);
            }
        }
        List<Comparison> pairs = new ArrayList<>();
        for (Measured m : others) {
            pairs.add(new Comparison(m, method(m).startsWith(TENON) ? peers.get(key(m, TENON)) : null));
        }
        return pairs;
    }

    private static String method(Measured m) {
        return m.benchmark().substring(m.benchmark().indexOf('.') + 1);
    }

    private static String key(Measured m, String prefix) {
        String type = m.benchmark().substring(0, m.benchmark().indexOf('.'));
        return type + " " + method(m).substring(prefix.length()) + " " + m.parameters();
    }

    /** How many times faster Tenon is: the median over the rounds of each round's ratio. NaN without a peer. */
    double ratio() {
        return ratio(Measured.Round::score);
    }

    /**
     * The same of the processor time that a call takes, on all cores. Where other programs run, this is the figure to trust;
     * threads that wait busily count against their side.
     */
    double processorRatio() {
        return tenon.throughput() ? ratio(r -> r.score() / r.cores()) : ratio(r -> r.score() * r.cores());
    }

    private double ratio(ToDoubleFunction<Measured.Round> figure) {
        if (peer == null) {
            return Double.NaN;
        }
        int n = Math.min(tenon.rounds().size(), peer.rounds().size());
        double[] ratios = new double[n];
        for (int i = 0; i < n; i++) {
            double t = figure.applyAsDouble(tenon.rounds().get(i));
            double p = figure.applyAsDouble(peer.rounds().get(i));
            ratios[i] = tenon.throughput() ? t / p : p / t;
        }
        return n == 0 ? Double.NaN : Measured.median(ratios);
    }
}
