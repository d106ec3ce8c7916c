package dev.tenon.cli;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.TensorInfo;
import dev.tenon.internal.memory.MemoryScope;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/** Turns WAV files (PCM of 8 to 32 bits, or floating point) into input tensors with samples from -1 to 1. */
final class WavInput {
    private static final int PCM = 1;
    private static final int FLOAT = 3;
    private static final int EXTENSIBLE = 0xFFFE;

    private WavInput() {}

    /** Sound as samples by channel. */
    record Sound(int rate, float[][] channels) {
        int length() {
            return channels[0].length;
        }

        /** The mean of all channels. */
        float[] mono() {
            if (channels.length == 1) {
                return channels[0];
            }
            float[] out = new float[length()];
            for (int i = 0; i < out.length; i++) {
                double sum = 0;
                for (float[] c : channels) {
                    sum += c[i];
                }
                out[i] = (float) (sum / channels.length);
            }
            return out;
        }
    }

    /** A sound as an input of shape samples, Nxsamples or NxCxsamples. */
    static Tensor read(Path file, TensorInfo input, DataType type, MemoryScope scope) throws IOException {
        Sound s = decode(file);
        List<String> d = input.dims();
        int rank = d == null ? 2 : d.size();
        if (!type.isFloat() || rank < 1 || rank > 3) {
            throw new CliException("a sound does not fit input " + input
                    + "; expected floats of shape samples, Nxsamples or NxCxsamples");
        }
        int channels = 1;
        if (rank == 3) {
            String c = d.get(1);
            channels = Character.isDigit(c.charAt(0)) ? Integer.parseInt(c) : s.channels.length;
        }
        if (channels != 1 && channels != s.channels.length) {
            throw new CliException(
                    file + ": " + s.channels.length + " channels; input " + input + " takes " + channels);
        }
        Shape shape = rank == 1
                ? Shape.of(s.length())
                : rank == 2 ? Shape.of(1, s.length()) : Shape.of(1, channels, s.length());
        if (!input.accepts(shape)) {
            throw new CliException(file + ": " + s.length() + " samples at " + s.rate + " Hz do not fit input " + input
                    + "; cut or pad the file to its length");
        }
        Tensor t = Tensor.allocate(scope, type, shape);
        for (int c = 0; c < channels; c++) {
            float[] samples = channels == 1 ? s.mono() : s.channels[c];
            for (int i = 0; i < samples.length; i++) {
                t.setDouble((long) c * samples.length + i, samples[i]);
            }
        }
        return t;
    }

    static Sound decode(Path file) throws IOException {
        ByteBuffer b;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            if (channel.size() > Integer.MAX_VALUE) {
                throw new CliException(file + ": WAV files over 2 GiB are not read");
            }
            b = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size()).order(ByteOrder.LITTLE_ENDIAN);
        }
        if (b.limit() < 12 || b.getInt(0) != tag("RIFF") || b.getInt(8) != tag("WAVE")) {
            throw new CliException(file + ": not a WAV file");
        }
        Format format = null;
        for (int at = 12; at + 8 <= b.limit(); ) {
            long size = b.getInt(at + 4) & 0xFFFF_FFFFL;
            int start = at + 8;
            // A length that was never filled in (a stream) means: to the end of the file.
            int end = (int) Math.min(b.limit(), start + size);
            if (b.getInt(at) == tag("fmt ") && end - start >= 16) {
                format = Format.read(b, start, end);
            } else if (b.getInt(at) == tag("data") && format != null) {
                return format.samples(file, b, start, end);
            }
            at = (int) Math.min(Integer.MAX_VALUE - 16, end + (size & 1));
        }
        throw new CliException(file + ": a WAV file without " + (format == null ? "a format" : "samples"));
    }

    private static int tag(String text) {
        return text.charAt(0) | text.charAt(1) << 8 | text.charAt(2) << 16 | text.charAt(3) << 24;
    }

    private record Format(int code, int channels, int rate, int bits) {
        static Format read(ByteBuffer b, int start, int end) {
            int code = b.getShort(start) & 0xFFFF;
            if (code == EXTENSIBLE && end - start >= 26) {
                code = b.getShort(start + 24) & 0xFFFF;
            }
            return new Format(code, b.getShort(start + 2) & 0xFFFF, b.getInt(start + 4), b.getShort(start + 14));
        }

        Sound samples(Path file, ByteBuffer b, int start, int end) {
            boolean known = code == PCM && (bits == 8 || bits == 16 || bits == 24 || bits == 32)
                    || code == FLOAT && (bits == 32 || bits == 64);
            if (!known || channels < 1) {
                throw new CliException(file + ": WAV format " + code + " with " + bits + " bits and " + channels
                        + " channels is not supported; expected PCM of 8 to 32 bits or floating point");
            }
            int width = bits / 8;
            int n = (end - start) / (width * channels);
            float[][] out = new float[channels][n];
            for (int i = 0; i < n; i++) {
                for (int c = 0; c < channels; c++) {
                    out[c][i] = sample(b, start + (i * channels + c) * width);
                }
            }
            return new Sound(rate, out);
        }

        private float sample(ByteBuffer b, int at) {
            return switch (bits) {
                case 8 -> ((b.get(at) & 255) - 128) / 128f;
                case 16 -> b.getShort(at) / 32768f;
                case 24 -> ((b.get(at) & 255) | (b.get(at + 1) & 255) << 8 | b.get(at + 2) << 16) / 8388608f;
                case 32 -> code == FLOAT ? b.getFloat(at) : b.getInt(at) / 2147483648f;
                default -> (float) b.getDouble(at);
            };
        }
    }
}
