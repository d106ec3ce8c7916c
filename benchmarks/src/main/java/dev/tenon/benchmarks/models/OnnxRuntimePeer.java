package dev.tenon.benchmarks.models;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.tenon.DataType;
import dev.tenon.Tensor;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** ONNX Runtime Java as its users run it: one session, direct buffers for inputs, outputs closed after each run. */
public final class OnnxRuntimePeer implements AutoCloseable {
    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;
    private final Map<String, OnnxTensor> inputs = new LinkedHashMap<>();

    /** @param threads threads inside one operator; operators run one after the other, which is the default */
    public OnnxRuntimePeer(Path file, int threads, Map<String, Tensor> arguments) {
        try {
            OrtSession.SessionOptions options = new OrtSession.SessionOptions();
            options.setIntraOpNumThreads(threads);
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
            session = environment.createSession(file.toString(), options);
            for (Map.Entry<String, Tensor> a : arguments.entrySet()) {
                inputs.put(a.getKey(), tensor(a.getValue()));
            }
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        }
    }

    private OnnxTensor tensor(Tensor t) throws OrtException {
        var bytes = t.segment().asByteBuffer().order(ByteOrder.nativeOrder());
        long[] shape = t.shape().dims();
        return t.type() == DataType.FLOAT32
                ? OnnxTensor.createTensor(environment, bytes.asFloatBuffer(), shape)
                : OnnxTensor.createTensor(environment, bytes.asLongBuffer(), shape);
    }

    /** Runs once; gives the first element of the first output. */
    public float run() {
        try (OrtSession.Result r = session.run(inputs)) {
            return ((OnnxTensor) r.get(0)).getFloatBuffer().get(0);
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        }
    }

    /** All elements of every output, by name. */
    public Map<String, float[]> outputs() {
        try (OrtSession.Result r = session.run(inputs)) {
            Map<String, float[]> out = new LinkedHashMap<>();
            for (var e : r) {
                var buffer = ((OnnxTensor) e.getValue()).getFloatBuffer();
                float[] values = new float[buffer.remaining()];
                buffer.get(values);
                out.put(e.getKey(), values);
            }
            return out;
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        try {
            inputs.values().forEach(OnnxTensor::close);
            session.close();
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        }
    }
}
