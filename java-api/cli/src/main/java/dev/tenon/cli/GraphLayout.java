package dev.tenon.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Places the boxes of a directed acyclic graph in layers from top to bottom (Sugiyama's method): longest paths give the
 * layers, edges over several layers are led through way points, neighbours' means give the order within a layer and then,
 * with a least distance kept, the horizontal places.
 */
final class GraphLayout {
    private static final int ORDER_SWEEPS = 12;
    private static final int PLACE_SWEEPS = 24;
    private static final double GAP = 28;
    private static final double WAY_POINT_WIDTH = 8;

    /** A way from box to box, as corner points from top to bottom. */
    record Path(int from, int to, double[] xs, double[] ys) {}

    private final int boxes;
    private final double rowHeight;
    private final int[] layer;
    private final List<int[]> edges;
    /** Boxes, then way points. */
    private double[] widths;

    private double[] x;
    private int[] row;
    private List<List<Integer>> above = new ArrayList<>();
    private List<List<Integer>> below = new ArrayList<>();
    private final List<List<Integer>> ways = new ArrayList<>();
    private List<List<Integer>> rows = new ArrayList<>();

    /**
     * @param widths of the boxes
     * @param edges pairs of box numbers, from one with a lower number to one with a higher
     * @param rowHeight from one layer to the next
     */
    GraphLayout(double[] widths, List<int[]> edges, double rowHeight) {
        this.boxes = widths.length;
        this.widths = widths.clone();
        this.edges = edges;
        this.rowHeight = rowHeight;
        this.layer = layers(boxes, edges);
        addWayPoints();
        order();
        place();
    }

    private static int[] layers(int boxes, List<int[]> edges) {
        int[] layer = new int[boxes];
        List<List<Integer>> consumers = lists(boxes);
        int[] entering = new int[boxes];
        for (int[] e : edges) {
            consumers.get(e[0]).add(e[1]);
            entering[e[1]]++;
        }
        for (int b = 0; b < boxes; b++) {
            for (int c : consumers.get(b)) {
                layer[c] = Math.max(layer[c], layer[b] + 1);
            }
        }
        // What nothing leads to moves down to just above its first use.
        for (int b = 0; b < boxes; b++) {
            if (entering[b] == 0 && !consumers.get(b).isEmpty()) {
                layer[b] =
                        consumers.get(b).stream().mapToInt(c -> layer[c]).min().orElse(1) - 1;
            }
        }
        return layer;
    }

    private static List<List<Integer>> lists(int n) {
        List<List<Integer>> lists = new ArrayList<>(n);
        for (int i = 0; i < n; i++) {
            lists.add(new ArrayList<>(2));
        }
        return lists;
    }

    private void addWayPoints() {
        int wayPoints = edges.stream()
                .mapToInt(e -> Math.max(0, layer[e[1]] - layer[e[0]] - 1))
                .sum();
        int n = boxes + wayPoints;
        widths = Arrays.copyOf(widths, n);
        Arrays.fill(widths, boxes, n, WAY_POINT_WIDTH);
        row = Arrays.copyOf(layer, n);
        above = lists(n);
        below = lists(n);
        rows = lists(Arrays.stream(layer).max().orElse(-1) + 1);
        for (int b = 0; b < boxes; b++) {
            rows.get(layer[b]).add(b);
        }
        int next = boxes;
        for (int[] e : edges) {
            List<Integer> way = new ArrayList<>();
            way.add(e[0]);
            for (int l = layer[e[0]] + 1; l < layer[e[1]]; l++) {
                row[next] = l;
                rows.get(l).add(next);
                way.add(next++);
            }
            way.add(e[1]);
            for (int i = 1; i < way.size(); i++) {
                below.get(way.get(i - 1)).add(way.get(i));
                above.get(way.get(i)).add(way.get(i - 1));
            }
            ways.add(way);
        }
    }

    private void order() {
        double[] rank = new double[widths.length];
        for (List<Integer> r : rows) {
            number(r, rank);
        }
        for (int sweep = 0; sweep < ORDER_SWEEPS; sweep++) {
            boolean down = sweep % 2 == 0;
            for (int i = 0; i < rows.size(); i++) {
                List<Integer> r = rows.get(down ? i : rows.size() - 1 - i);
                List<List<Integer>> neighbours = down ? above : below;
                double[] wish = new double[r.size()];
                for (int k = 0; k < wish.length; k++) {
                    wish[k] = mean(neighbours.get(r.get(k)), rank, rank[r.get(k)]);
                }
                Integer[] by = new Integer[wish.length];
                Arrays.setAll(by, k -> k);
                Arrays.sort(by, (p, q) -> Double.compare(wish[p], wish[q]));
                List<Integer> sorted = new ArrayList<>();
                for (int k : by) {
                    sorted.add(r.get(k));
                }
                r.clear();
                r.addAll(sorted);
                number(r, rank);
            }
        }
    }

    /** Ranks from 0 to 1, so that rows of different lengths compare. */
    private static void number(List<Integer> r, double[] rank) {
        for (int k = 0; k < r.size(); k++) {
            rank[r.get(k)] = (k + 0.5) / r.size();
        }
    }

    private static double mean(List<Integer> of, double[] values, double otherwise) {
        return of.stream().mapToDouble(i -> values[i]).average().orElse(otherwise);
    }

    private void place() {
        x = new double[widths.length];
        for (List<Integer> r : rows) {
            double at = 0;
            for (int v : r) {
                x[v] = at + widths[v] / 2;
                at += widths[v] + GAP;
            }
            double middle = (at - GAP) / 2;
            r.forEach(v -> x[v] -= middle);
        }
        for (int sweep = 0; sweep < PLACE_SWEEPS; sweep++) {
            boolean down = sweep % 2 == 0;
            for (int i = 0; i < rows.size(); i++) {
                List<Integer> r = rows.get(down ? i : rows.size() - 1 - i);
                moveTowards(r, down ? above : below);
            }
        }
    }

    /**
     * Moves a row to its neighbours' means. Pushing from the left and pushing from the right both keep the distances, and so
     * does the mean of both, which moves everything least.
     */
    private void moveTowards(List<Integer> r, List<List<Integer>> neighbours) {
        int n = r.size();
        double[] wish = new double[n];
        for (int k = 0; k < n; k++) {
            wish[k] = mean(neighbours.get(r.get(k)), x, x[r.get(k)]);
        }
        double[] left = wish.clone();
        for (int k = 1; k < n; k++) {
            left[k] = Math.max(wish[k], left[k - 1] + distance(r.get(k - 1), r.get(k)));
        }
        double[] right = wish.clone();
        for (int k = n - 2; k >= 0; k--) {
            right[k] = Math.min(wish[k], right[k + 1] - distance(r.get(k), r.get(k + 1)));
        }
        for (int k = 0; k < n; k++) {
            x[r.get(k)] = (left[k] + right[k]) / 2;
        }
    }

    private double distance(int a, int b) {
        return (widths[a] + widths[b]) / 2 + GAP;
    }

    /** The middle of a box. */
    double x(int box) {
        return x[box];
    }

    /** The top of a box's row. */
    double y(int box) {
        return row[box] * rowHeight;
    }

    double left() {
        double min = 0;
        for (int i = 0; i < x.length; i++) {
            min = Math.min(min, x[i] - widths[i] / 2);
        }
        return min;
    }

    double right() {
        double max = 0;
        for (int i = 0; i < x.length; i++) {
            max = Math.max(max, x[i] + widths[i] / 2);
        }
        return max;
    }

    int rows() {
        return rows.size();
    }

    /** The ways of all edges, from the bottom of a box to the top of another. */
    List<Path> paths(double boxHeight) {
        List<Path> paths = new ArrayList<>();
        for (List<Integer> way : ways) {
            int n = way.size();
            // A way point is a short upright piece, as tall as a box, so that lines pass between boxes.
            double[] xs = new double[2 * n - 2];
            double[] ys = new double[2 * n - 2];
            for (int i = 0, at = 0; i < n; i++) {
                int v = way.get(i);
                double top = row[v] * rowHeight;
                if (i > 0) {
                    xs[at] = x[v];
                    ys[at++] = top;
                }
                if (i < n - 1) {
                    xs[at] = x[v];
                    ys[at++] = top + boxHeight;
                }
            }
            paths.add(new Path(way.getFirst(), way.getLast(), xs, ys));
        }
        return paths;
    }
}
