package dev.tenon.cli;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.TensorInfo;
import dev.tenon.internal.memory.MemoryScope;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.Raster;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;

/** Turns PNG and JPEG files into input tensors: planes of float grey levels, resized, then scaled and normalised. */
final class ImageInput {
    /** A file may claim any size; beyond this it is refused before memory is taken for it. */
    private static final long MAX_PIXELS = 1L << 27;

    private ImageInput() {}

    /** Where channels, rows and columns lie in a tensor. */
    record Layout(int rank, int channelAxis, int rowAxis, int columnAxis, int channels, int height, int width) {
        /** The layout that an input's shape implies. @throws CliException if it has none */
        static Layout of(TensorInfo input, int defaultChannels) {
            List<String> d = input.dims();
            if (d == null || d.size() < 2 || d.size() > 4) {
                throw new CliException("an image does not fit input " + input
                        + "; expected NxCxHxW, NxHxWxC, CxHxW, HxWxC or HxW (--shape fixes open sizes)");
            }
            int rank = d.size();
            int first = rank - 3;
            if (rank == 2) {
                return sized(input, new Layout(2, -1, 0, 1, 1, 0, 0));
            }
            if (rank == 4 && !d.getFirst().equals("1") && isNumber(d.getFirst())) {
                throw new CliException("one image does not fill input " + input + ", which takes " + d.getFirst());
            }
            if (isChannels(d.get(first)) || !isNumber(d.get(first)) && !isChannels(d.get(rank - 1))) {
                int channels = isNumber(d.get(first)) ? Integer.parseInt(d.get(first)) : defaultChannels;
                return sized(input, new Layout(rank, first, first + 1, first + 2, channels, 0, 0));
            }
            if (isChannels(d.get(rank - 1))) {
                return sized(
                        input, new Layout(rank, rank - 1, first, first + 1, Integer.parseInt(d.get(rank - 1)), 0, 0));
            }
            throw new CliException("an image does not fit input " + input
                    + ": neither its first nor its last axis can be 1, 3 or 4 channels");
        }

        private static Layout sized(TensorInfo input, Layout l) {
            String h = input.dims().get(l.rowAxis);
            String w = input.dims().get(l.columnAxis);
            if (!isNumber(h) || !isNumber(w)) {
                throw new CliException("the size that an image must have for input " + input
                        + " is open: fix it with --shape " + input.name() + "=...");
            }
            return new Layout(
                    l.rank,
                    l.channelAxis,
                    l.rowAxis,
                    l.columnAxis,
                    l.channels,
                    Integer.parseInt(h),
                    Integer.parseInt(w));
        }

        private static boolean isNumber(String dim) {
            return Character.isDigit(dim.charAt(0));
        }

        private static boolean isChannels(String dim) {
            return dim.equals("1") || dim.equals("3") || dim.equals("4");
        }

        Shape shape() {
            long[] dims = new long[rank];
            dims[0] = 1;
            dims[rowAxis] = height;
            dims[columnAxis] = width;
            if (channelAxis >= 0) {
                dims[channelAxis] = channels;
            }
            return Shape.of(dims);
        }
    }

    /** An image in a file as an input of an engine. */
    static Tensor read(Path file, TensorInfo input, DataType type, ImageSettings settings, MemoryScope scope)
            throws IOException {
        Layout layout = Layout.of(input, settings.channels());
        Resize.Plane[] planes = planes(decode(file), layout.channels);
        Tensor t = Tensor.allocate(scope, type, layout.shape());
        long[] strides = t.shape().strides();
        double scale = settings.scaleFor(type);
        for (int c = 0; c < layout.channels; c++) {
            Resize.Plane resized = settings.resize().apply(planes[c], layout.height, layout.width);
            double mean = settings.mean(c);
            double std = settings.std(c);
            for (int y = 0; y < layout.height; y++) {
                for (int x = 0; x < layout.width; x++) {
                    double v = (resized.at(y, x) * scale - mean) / std;
                    long at = (layout.channelAxis < 0 ? 0 : c * strides[layout.channelAxis])
                            + y * strides[layout.rowAxis]
                            + x * strides[layout.columnAxis];
                    t.setDouble(at, type.isFloat() ? v : Math.rint(v));
                }
            }
        }
        return t;
    }

    private static BufferedImage decode(Path file) throws IOException {
        ImageIO.setUseCache(false);
        try (ImageInputStream in = ImageIO.createImageInputStream(file.toFile())) {
            if (in == null) {
                throw new CliException(file + ": cannot be read");
            }
            Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
            if (!readers.hasNext()) {
                throw new CliException(file + ": not an image of a known format (PNG, JPEG, GIF, BMP)");
            }
            ImageReader reader = readers.next();
            try {
                reader.setInput(in, true, true);
                long pixels = (long) reader.getWidth(0) * reader.getHeight(0);
                if (pixels > MAX_PIXELS) {
                    throw new CliException(file + ": " + reader.getWidth(0) + " x " + reader.getHeight(0)
                            + " pixels are over the limit of " + MAX_PIXELS);
                }
                return reader.read(0);
            } finally {
                reader.dispose();
            }
        } catch (IOException | IllegalArgumentException | IndexOutOfBoundsException | NegativeArraySizeException e) {
            if (e instanceof java.nio.file.FileSystemException f) {
                throw f;
            }
            throw new CliException(file + ": damaged image: " + e.getMessage(), e);
        }
    }

    /** Levels from 0 to 255 by channel. */
    static Resize.Plane[] planes(BufferedImage image, int channels) {
        int h = image.getHeight();
        int w = image.getWidth();
        float[][] planes = new float[channels][h * w];
        boolean grey = image.getColorModel().getColorSpace().getType() == ColorSpace.TYPE_GRAY;
        // getRGB would convert stored grey levels between colour spaces; the samples are what the file says.
        Raster raster = image.getRaster();
        double greyScale = 255.0 / ((1 << Math.min(16, raster.getSampleModel().getSampleSize(0))) - 1);
        for (int y = 0, i = 0; y < h; y++) {
            for (int x = 0; x < w; x++, i++) {
                if (grey) {
                    float v = (float) (raster.getSample(x, y, 0) * greyScale);
                    for (int c = 0; c < Math.min(3, channels); c++) {
                        planes[c][i] = v;
                    }
                    if (channels == 4) {
                        planes[3][i] = 255;
                    }
                    continue;
                }
                int rgb = image.getRGB(x, y);
                int r = rgb >> 16 & 255;
                int g = rgb >> 8 & 255;
                int b = rgb & 255;
                if (channels == 1) {
                    // Luma of ITU-R BT.601, as most image libraries make grey.
                    planes[0][i] = 0.299f * r + 0.587f * g + 0.114f * b;
                } else {
                    planes[0][i] = r;
                    planes[1][i] = g;
                    planes[2][i] = b;
                    if (channels == 4) {
                        planes[3][i] = rgb >>> 24;
                    }
                }
            }
        }
        return Arrays.stream(planes).map(p -> new Resize.Plane(h, w, p)).toArray(Resize.Plane[]::new);
    }
}
