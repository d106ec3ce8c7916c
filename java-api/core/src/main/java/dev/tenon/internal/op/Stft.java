package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.List;

/**
 * Short-time Fourier transform: the transforms of windowed frames of a signal.
 * Inputs   signal [B, L, 1] real or [B, L, 2] complex (or [B, L]); step: scalar; window [F] or absent; frame length: scalar or
 *          absent.
 * Output   [B, frames, bins, 2]; bins is F / 2 + 1 if one-sided, else F.
 * Rules    step is positive; 1 <= F <= L; one-sided takes real signals only.
 * Source   ONNX STFT-17.
 */
public record Stft(boolean onesided) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("STFT", n -> new Stft(n.flag("onesided", true))));

    @Override
    public String name() {
        return "STFT";
    }

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        SymbolicShape x = in.shape(0);
        in.require(!x.isRanked() || x.rank() == 2 || x.rank() == 3, "the signal has shape " + x + "; expected rank 3");
        Dim batch = x.isRanked() ? x.dim(0) : Dim.unknown();
        long length = x.isRanked() ? x.size(1) : -1;
        long frame = -1;
        if (in.has(3)) {
            frame = in.longs(3).map(l -> l[0]).orElse(-1L);
            in.require(in.longs(3).isEmpty() || frame >= 1, "the frame length is " + frame);
        } else if (in.has(2)) {
            frame = in.shape(2).isRanked() && in.shape(2).rank() == 1
                    ? in.shape(2).size(0)
                    : -1;
        } else {
            frame = length;
        }
        long step = in.longs(1).map(l -> l[0]).orElse(-1L);
        in.require(in.longs(1).isEmpty() || step >= 1, "the step is " + step);
        in.require(frame < 0 || length < 0 || frame <= length, "frames of " + frame + " in a signal of " + length);
        Dim frames = frame > 0 && length >= 0 && step > 0 ? Dim.of((length - frame) / step + 1) : Dim.unknown();
        Dim bins = frame > 0 ? Dim.of(onesided ? frame / 2 + 1 : frame) : Dim.unknown();
        return List.of(new TensorType(in.dtype(0), SymbolicShape.of(batch, frames, bins, Dim.of(2))));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        int rank = x.shape().rank();
        in.require(rank == 2 || rank == 3, "the signal has shape " + x.shape());
        int parts = rank == 2 ? 1 : (int) x.shape().dim(2);
        in.require(parts == 1 || parts == 2 && !onesided, "a one-sided transform takes a real signal");
        int batch = (int) x.shape().dim(0);
        int length = (int) x.shape().dim(1);
        double[] window = in.has(2) ? in.tensor(2).toDoubleArray() : null;
        long frame = in.has(3) ? in.tensor(3).getLong(0) : window != null ? window.length : length;
        long step = in.tensor(1).getLong(0);
        in.require(
                step >= 1 && frame >= 1 && frame <= length, "step " + step + " or frame length " + frame + " is bad");
        in.require(window == null || window.length == frame, "the window has not the frame's length " + frame);
        int n = (int) frame;
        int frames = (int) ((length - n) / step) + 1;
        int bins = onesided ? n / 2 + 1 : n;
        Tensor y = Limits.allocate(in, x.type(), batch, frames, bins, 2);
        double[] v = x.toDoubleArray();
        double[] re = new double[n];
        double[] im = new double[n];
        long to = 0;
        for (int b = 0; b < batch; b++) {
            for (int f = 0; f < frames; f++) {
                Evaluation.checkCancelled();
                for (int k = 0; k < n; k++) {
                    int at = (int) (b * (long) length + f * step + k) * parts;
                    double w = window == null ? 1 : window[k];
                    re[k] = v[at] * w;
                    im[k] = parts == 2 ? v[at + 1] * w : 0;
                }
                Fourier.transform(re, im, false);
                for (int k = 0; k < bins; k++) {
                    y.setDouble(to++, re[k]);
                    y.setDouble(to++, im[k]);
                }
            }
        }
        return List.of(y);
    }
}
