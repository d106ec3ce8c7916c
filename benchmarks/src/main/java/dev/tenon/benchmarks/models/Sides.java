package dev.tenon.benchmarks.models;

import dev.tenon.Engine;
import dev.tenon.Session;
import dev.tenon.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Map;

/** The two sides of a comparison with one caller each, for benchmark states to hold. */
public final class Sides {
    private Sides() {}

    /** A Tenon engine and a session with its inputs bound, checked against ONNX Runtime. */
    public static final class Tenon implements AutoCloseable {
        private final Engine engine;
        private final Session session;
        private final MemorySegment first;

        public Tenon(Path file, int threads, Map<String, Tensor> inputs) {
            engine = Engine.builder(file).threads(threads).build();
            session = engine.newSession();
            inputs.forEach(session::bind);
            Agreement.check(engine, session, file, threads, inputs);
            // Outputs stay where they are from run to run: looked up once, as a program that cares would do.
            first = session.output(engine.outputs().getFirst().name()).segment();
        }

        /** Runs once; gives the first element of the first output. */
        public float run() {
            session.run();
            return first.get(ValueLayout.JAVA_FLOAT, 0);
        }

        @Override
        public void close() {
            engine.close();
        }
    }

    /** ONNX Runtime with one caller. */
    public static final class Peer implements AutoCloseable {
        private final OnnxRuntimePeer peer;
        private final OnnxRuntimePeer.Call call;

        public Peer(Path file, int threads, Map<String, Tensor> inputs) {
            peer = new OnnxRuntimePeer(file, threads);
            call = peer.call(inputs);
        }

        public float run() {
            return call.run();
        }

        @Override
        public void close() {
            call.close();
            peer.close();
        }
    }
}
