package dev.tenon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class GraphLayoutTest {
    @Property(tries = 100)
    void boxesDoNotOverlapAndEdgesLeadDown(@ForAll @IntRange(min = 0, max = 60) int boxes, @ForAll long seed) {
        Random random = new Random(seed);
        double[] widths = random.doubles(boxes, 40, 200).toArray();
        List<int[]> edges = new ArrayList<>();
        for (int to = 1; to < boxes; to++) {
            for (int k = random.nextInt(3); k > 0; k--) {
                edges.add(new int[] {random.nextInt(to), to});
            }
        }
        GraphLayout layout = new GraphLayout(widths, edges, 80);
        for (int[] e : edges) {
            assertThat(layout.y(e[0])).isLessThan(layout.y(e[1]));
        }
        Map<Double, List<Integer>> rows = new HashMap<>();
        for (int b = 0; b < boxes; b++) {
            rows.computeIfAbsent(layout.y(b), y -> new ArrayList<>()).add(b);
            assertThat(layout.x(b) - widths[b] / 2).isGreaterThanOrEqualTo(layout.left() - 1e-6);
            assertThat(layout.x(b) + widths[b] / 2).isLessThanOrEqualTo(layout.right() + 1e-6);
        }
        for (List<Integer> row : rows.values()) {
            row.sort((a, b) -> Double.compare(layout.x(a), layout.x(b)));
            for (int i = 1; i < row.size(); i++) {
                int a = row.get(i - 1);
                int b = row.get(i);
                assertThat(layout.x(a) + widths[a] / 2).isLessThan(layout.x(b) - widths[b] / 2);
            }
        }
        assertThat(layout.paths(40)).hasSize(edges.size());
    }

    @Test
    void aChainIsAStraightLine() {
        GraphLayout layout =
                new GraphLayout(new double[] {100, 60, 80}, List.of(new int[] {0, 1}, new int[] {1, 2}), 80);
        assertThat(layout.x(1)).isEqualTo(layout.x(0));
        assertThat(layout.x(2)).isEqualTo(layout.x(0));
        assertThat(layout.y(2)).isEqualTo(160);
    }
}
