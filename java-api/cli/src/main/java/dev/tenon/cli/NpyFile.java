package dev.tenon.cli;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.ShapeException;
import dev.tenon.Tensor;
import dev.tenon.internal.memory.MemoryScope;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * NumPy's file format for one array, versions 1 to 3 (numpy.lib.format).
 *
 * <p>NumPy has no bfloat16, 8-bit and 4-bit floats: they are written as float32, which holds all their values; integers of
 * less than a byte are written as bytes.
 */
final class NpyFile {
    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
    private static final int MAX_HEADER_BYTES = 1 << 16;
    private static final Pattern DESCR = Pattern.compile("'descr'\\s*:\\s*'([^']*)'");
    private static final Pattern ORDER = Pattern.compile("'fortran_order'\\s*:\\s*(True|False)");
    private static final Pattern SHAPE = Pattern.compile("'shape'\\s*:\\s*\\(([^)]*)\\)");

    private NpyFile() {}

    /** The array in a file. @throws CliException if it is damaged or of a type that tensors do not have */
    static Tensor read(Path file, MemoryScope scope) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
                Arena arena = Arena.ofConfined()) {
            MemorySegment map = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            return read(file, map, scope);
        } catch (ShapeException e) {
            throw new CliException(file + ": " + e.getMessage(), e);
        }
    }

    private static Tensor read(Path file, MemorySegment map, MemoryScope scope) {
        if (map.byteSize() < 12 || !Arrays.equals(map.asSlice(0, MAGIC.length).toArray(ValueLayout.JAVA_BYTE), MAGIC)) {
            throw new CliException(file + ": not a .npy file (its first bytes are not \\x93NUMPY)");
        }
        int version = map.get(ValueLayout.JAVA_BYTE, 6);
        ValueLayout.OfShort shortLe = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
        ValueLayout.OfInt intLe = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
        long start = version == 1 ? 10 : 12;
        long length = version == 1 ? map.get(shortLe, 8) & 0xFFFF : map.get(intLe, 8);
        if (version < 1 || version > 3 || length < 0 || length > MAX_HEADER_BYTES || start + length > map.byteSize()) {
            throw new CliException(file + ": a .npy file with a damaged header (version " + version + ", header of "
                    + length + " bytes)");
        }
        String header = new String(map.asSlice(start, length).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
        String descr = find(DESCR, header, file);
        boolean fortran = find(ORDER, header, file).equals("True");
        Shape shape = shape(find(SHAPE, header, file), file);
        MemorySegment data = map.asSlice(start + length);
        return descr.length() > 1 && descr.charAt(1) == 'U'
                ? strings(file, descr, shape, fortran, data)
                : numbers(file, descr, shape, fortran, data, scope);
    }

    private static String find(Pattern pattern, String header, Path file) {
        Matcher m = pattern.matcher(header);
        if (!m.find()) {
            throw new CliException(file + ": the header of the .npy file has no " + pattern.pattern() + ": "
                    + Text.shorten(header.strip(), 200));
        }
        return m.group(1);
    }

    private static Shape shape(String text, Path file) {
        try {
            return Shape.of(Arrays.stream(text.split(","))
                    .map(String::strip)
                    .filter(s -> !s.isEmpty())
                    .mapToLong(Long::parseLong)
                    .toArray());
        } catch (NumberFormatException e) {
            throw new CliException(file + ": shape (" + text + ") is not a list of numbers", e);
        }
    }

    private static Tensor numbers(
            Path file, String descr, Shape shape, boolean fortran, MemorySegment data, MemoryScope scope) {
        DataType type = type(descr, file);
        long bytes = type.byteSize(shape.elements());
        if (data.byteSize() < bytes) {
            throw new CliException(
                    file + ": " + type + "[" + shape + "] needs " + bytes + " bytes; the file has " + data.byteSize());
        }
        Tensor t = Tensor.allocate(scope, type, shape);
        int width = type.bits() / 8;
        boolean swap = descr.charAt(0) == '>' && width > 1;
        if (!fortran && !swap) {
            MemorySegment.copy(data, 0, t.segment(), 0, bytes);
            return t;
        }
        // Parts of a complex number swap one by one.
        int part = type.isComplex() ? width / 2 : width;
        long n = shape.elements();
        for (long i = 0; i < n; i++) {
            long source = (fortran ? fortranIndex(shape, i) : i) * width;
            for (int b = 0; b < width; b++) {
                int from = swap ? b / part * part + (part - 1 - b % part) : b;
                t.segment().set(ValueLayout.JAVA_BYTE, i * width + b, data.get(ValueLayout.JAVA_BYTE, source + from));
            }
        }
        return t;
    }

    /** Where the element with row-major index {@code i} lies in a column-major array. */
    private static long fortranIndex(Shape shape, long i) {
        long rest = i;
        long stride = shape.elements();
        long at = 0;
        for (int axis = shape.rank() - 1; axis >= 0; axis--) {
            stride /= shape.dim(axis);
            at += rest % shape.dim(axis) * stride;
            rest /= shape.dim(axis);
        }
        return at;
    }

    private static Tensor strings(Path file, String descr, Shape shape, boolean fortran, MemorySegment data) {
        int width;
        try {
            width = Integer.parseInt(descr.substring(2));
        } catch (NumberFormatException e) {
            throw new CliException(file + ": element type '" + descr + "' is not known", e);
        }
        if (width < 0 || data.byteSize() / 4 / Math.max(1, width) < shape.elements()) {
            throw new CliException(file + ": " + shape.elements() + " texts of " + width + " characters are more than "
                    + data.byteSize() + " bytes");
        }
        ValueLayout.OfInt layout = ValueLayout.JAVA_INT_UNALIGNED.withOrder(
                descr.charAt(0) == '>' ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
        String[] text = new String[Math.toIntExact(shape.elements())];
        for (int i = 0; i < text.length; i++) {
            long source = (fortran ? fortranIndex(shape, i) : i) * width;
            StringBuilder s = new StringBuilder();
            for (int c = 0; c < width; c++) {
                int point = data.get(layout, (source + c) * 4);
                if (point == 0) {
                    break;
                }
                if (!Character.isValidCodePoint(point)) {
                    throw new CliException(file + ": text " + i + " holds " + point + ", which is no character");
                }
                s.appendCodePoint(point);
            }
            text[i] = s.toString();
        }
        return Tensor.ofStrings(text, shape.dims());
    }

    private static DataType type(String descr, Path file) {
        return switch (descr.isEmpty() ? "" : descr.substring(1)) {
            case "f4" -> DataType.FLOAT32;
            case "f8" -> DataType.FLOAT64;
            case "f2" -> DataType.FLOAT16;
            case "i1" -> DataType.INT8;
            case "i2" -> DataType.INT16;
            case "i4" -> DataType.INT32;
            case "i8" -> DataType.INT64;
            case "u1" -> DataType.UINT8;
            case "u2" -> DataType.UINT16;
            case "u4" -> DataType.UINT32;
            case "u8" -> DataType.UINT64;
            case "b1" -> DataType.BOOL;
            case "c8" -> DataType.COMPLEX64;
            case "c16" -> DataType.COMPLEX128;
            default -> throw new CliException(file + ": element type '" + descr + "' has no tensor type");
        };
    }

    // ---- writing ----

    /** Writes a tensor, replacing the file. */
    static void write(Path file, Tensor tensor) throws IOException {
        switch (tensor.type()) {
            case STRING -> writeStrings(file, tensor);
            case BFLOAT16, FLOAT8E4M3FN, FLOAT8E4M3FNUZ, FLOAT8E5M2, FLOAT8E5M2FNUZ, FLOAT8E8M0, FLOAT4E2M1 ->
                writeAs(file, tensor, DataType.FLOAT32);
            case UINT4, UINT2 -> writeAs(file, tensor, DataType.UINT8);
            case INT4, INT2 -> writeAs(file, tensor, DataType.INT8);
            default -> write(file, descr(tensor.type()), tensor.shape(), tensor.segment());
        }
    }

    private static void writeAs(Path file, Tensor tensor, DataType type) throws IOException {
        try (Tensor wide = Tensor.allocate(type, tensor.shape())) {
            for (long i = 0; i < tensor.size(); i++) {
                wide.setDouble(i, tensor.getDouble(i));
            }
            write(file, wide);
        }
    }

    private static void writeStrings(Path file, Tensor tensor) throws IOException {
        String[] text = tensor.toStringArray();
        int width = Math.max(
                1,
                Arrays.stream(text)
                        .mapToInt(s -> s.codePointCount(0, s.length()))
                        .max()
                        .orElse(1));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate(4L * width * text.length);
            for (int i = 0; i < text.length; i++) {
                int[] points = text[i].codePoints().toArray();
                MemorySegment.copy(points, 0, data, ValueLayout.JAVA_INT_UNALIGNED, 4L * i * width, points.length);
            }
            write(file, "<U" + width, tensor.shape(), data);
        }
    }

    private static void write(Path file, String descr, Shape shape, MemorySegment data) throws IOException {
        String dims = Arrays.stream(shape.dims()).mapToObj(d -> d + ",").collect(Collectors.joining(" "));
        String header = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + dims + "), }";
        // The data begin at a multiple of 64.
        int padding = 63 - (10 + header.length()) % 64;
        byte[] text = (header + " ".repeat(padding) + "\n").getBytes(StandardCharsets.US_ASCII);
        ByteBuffer head = ByteBuffer.allocate(10 + text.length).order(ByteOrder.LITTLE_ENDIAN);
        head.put(MAGIC)
                .put((byte) 1)
                .put((byte) 0)
                .putShort((short) text.length)
                .put(text)
                .flip();
        try (FileChannel out = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            writeAll(out, head);
            for (long at = 0; at < data.byteSize(); at += 1 << 28) {
                writeAll(
                        out,
                        data.asSlice(at, Math.min(1 << 28, data.byteSize() - at))
                                .asByteBuffer());
            }
        }
    }

    private static void writeAll(FileChannel out, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            out.write(bytes);
        }
    }

    private static String descr(DataType type) {
        return switch (type) {
            case FLOAT32 -> "<f4";
            case FLOAT64 -> "<f8";
            case FLOAT16 -> "<f2";
            case INT8 -> "|i1";
            case INT16 -> "<i2";
            case INT32 -> "<i4";
            case INT64 -> "<i8";
            case UINT8 -> "|u1";
            case UINT16 -> "<u2";
            case UINT32 -> "<u4";
            case UINT64 -> "<u8";
            case BOOL -> "|b1";
            case COMPLEX64 -> "<c8";
            case COMPLEX128 -> "<c16";
            default -> throw new IllegalArgumentException(type + " has no NumPy type");
        };
    }
}
