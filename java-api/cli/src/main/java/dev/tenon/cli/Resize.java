package dev.tenon.cli;

/** Ways to bring an image to another size. */
enum Resize {
    /** The mean of the pixels that fall into each target pixel, shares of pixels included. */
    AREA {
        @Override
        Plane apply(Plane plane, int height, int width) {
            int h = plane.height();
            int w = plane.width();
            double[] rows = new double[height * w];
            for (int y = 0; y < height; y++) {
                spread(y, height, h, (source, share, target) -> {
                    for (int x = 0; x < w; x++) {
                        rows[target * w + x] += share * plane.at(source, x);
                    }
                });
            }
            double[] sums = new double[height * width];
            for (int x = 0; x < width; x++) {
                spread(x, width, w, (source, share, target) -> {
                    for (int y = 0; y < height; y++) {
                        sums[y * width + target] += share * rows[y * w + source];
                    }
                });
            }
            Plane out = Plane.of(height, width);
            for (int i = 0; i < sums.length; i++) {
                out.levels()[i] = (float) sums[i];
            }
            return out;
        }
    },
    /** Between the four nearest pixels, with pixel centres at halves and no filter before. */
    BILINEAR {
        @Override
        Plane apply(Plane plane, int height, int width) {
            int h = plane.height();
            int w = plane.width();
            Plane out = Plane.of(height, width);
            for (int y = 0; y < height; y++) {
                double sy = Math.clamp((y + 0.5) * h / height - 0.5, 0, h - 1);
                int y0 = (int) sy;
                int y1 = Math.min(y0 + 1, h - 1);
                double fy = sy - y0;
                for (int x = 0; x < width; x++) {
                    double sx = Math.clamp((x + 0.5) * w / width - 0.5, 0, w - 1);
                    int x0 = (int) sx;
                    int x1 = Math.min(x0 + 1, w - 1);
                    double fx = sx - x0;
                    double top = plane.at(y0, x0) * (1 - fx) + plane.at(y0, x1) * fx;
                    double bottom = plane.at(y1, x0) * (1 - fx) + plane.at(y1, x1) * fx;
                    out.levels()[y * width + x] = (float) (top * (1 - fy) + bottom * fy);
                }
            }
            return out;
        }
    },
    /** The pixel that holds the target pixel's centre. */
    NEAREST {
        @Override
        Plane apply(Plane plane, int height, int width) {
            int h = plane.height();
            int w = plane.width();
            Plane out = Plane.of(height, width);
            for (int y = 0; y < height; y++) {
                int sy = (int) Math.min(h - 1, (2L * y + 1) * h / (2L * height));
                for (int x = 0; x < width; x++) {
                    int sx = (int) Math.min(w - 1, (2L * x + 1) * w / (2L * width));
                    out.levels()[y * width + x] = plane.at(sy, sx);
                }
            }
            return out;
        }
    };

    /** The plane in another size. */
    abstract Plane apply(Plane plane, int height, int width);

    /** One channel of an image: levels row by row. */
    record Plane(int height, int width, float[] levels) {
        static Plane of(int height, int width) {
            return new Plane(height, width, new float[height * width]);
        }

        float at(int y, int x) {
            return levels[y * width + x];
        }
    }

    private interface Share {
        void add(int source, double share, int target);
    }

    /** Names each source position that a target position covers, with its share of the target; shares add up to 1. */
    private static void spread(int target, int targets, int sources, Share out) {
        double from = (double) target * sources / targets;
        double to = (double) (target + 1) * sources / targets;
        for (int s = (int) from; s < Math.min(sources, Math.ceil(to)); s++) {
            double covered = Math.min(to, s + 1.0) - Math.max(from, s);
            if (covered > 0) {
                out.add(s, covered / (to - from), target);
            }
        }
    }
}
