package dev.tenon.benchmarks.models;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.tenon.DataType;
import dev.tenon.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * ONNX Runtime Java at its best: one session with all optimisations, from which any number of threads call; each call has
 * direct buffers for its inputs and, like a Tenon session, output tensors that are made once.
 */
public final class OnnxRuntimePeer implements AutoCloseable {
    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;

    /** @param threads threads inside one operator; operators run one after the other, which is the default */
    public OnnxRuntimePeer(Path file, int threads) {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(threads);
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
            session = environment.createSession(file.toString(), options);
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A caller's own tensors. The output tensors get the shapes of a first run. */
    public Call call(Map<String, Tensor> arguments) {
        try {
            return new Call(arguments);
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        try {
            session.close();
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The tensors of one caller. */
    public final class Call implements AutoCloseable {
        private final Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
        private final Map<String, OnnxTensor> outputs = new LinkedHashMap<>();
        private final Map<String, ByteBuffer> results = new LinkedHashMap<>();
        private final ByteBuffer first;

        private Call(Map<String, Tensor> arguments) throws OrtException {
            for (Map.Entry<String, Tensor> a : arguments.entrySet()) {
                Tensor t = a.getValue();
                ByteBuffer bytes = t.segment().asByteBuffer();
                inputs.put(a.getKey(), tensor(bytes, t.type(), t.shape().dims()));
            }
            try (OrtSession.Result r = session.run(inputs)) {
                for (var e : r) {
                    long[] shape = ((TensorInfo) e.getValue().getInfo()).getShape();
                    long elements = Arrays.stream(shape).reduce(1, Math::multiplyExact);
                    ByteBuffer b = ByteBuffer.allocateDirect(Math.toIntExact(Float.BYTES * elements));
                    results.put(e.getKey(), b);
                    outputs.put(e.getKey(), tensor(b, DataType.FLOAT32, shape));
                }
            }
            first = results.values().iterator().next().order(ByteOrder.nativeOrder());
        }

        private OnnxTensor tensor(ByteBuffer buffer, DataType type, long[] shape) throws OrtException {
            ByteBuffer bytes = buffer.order(ByteOrder.nativeOrder());
            return switch (type) {
                case FLOAT32 -> OnnxTensor.createTensor(environment, bytes.asFloatBuffer(), shape);
                case INT64 -> OnnxTensor.createTensor(environment, bytes.asLongBuffer(), shape);
                default -> throw new IllegalArgumentException("no benchmark has inputs of " + type);
            };
        }

        /** Runs once; gives the first element of the first output. */
        public float run() {
            try {
                session.run(inputs, outputs).close();
                return first.getFloat(0);
            } catch (OrtException e) {
                throw new IllegalStateException(e);
            }
        }

        /** Runs once; gives all elements of every output, by name. */
        public Map<String, float[]> outputs() {
            run();
            Map<String, float[]> out = new LinkedHashMap<>();
            results.forEach((name, b) -> {
                float[] values = new float[b.capacity() / Float.BYTES];
                b.order(ByteOrder.nativeOrder()).asFloatBuffer().get(values);
                out.put(name, values);
            });
            return out;
        }

        @Override
        public void close() {
            inputs.values().forEach(OnnxTensor::close);
            outputs.values().forEach(OnnxTensor::close);
        }
    }
}
