package dev.tenon.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class ResizeTest {
    private static Resize.Plane plane(int height, int width, float... levels) {
        return new Resize.Plane(height, width, levels);
    }

    @Test
    void areaIsTheMeanOfWhatFallsIntoEachPixel() {
        assertThat(Resize.AREA
                        .apply(plane(2, 4, 0, 2, 4, 6, 8, 10, 12, 14), 1, 2)
                        .levels())
                .containsExactly(5, 9);
        // Three pixels into two: the middle one is shared.
        assertThat(Resize.AREA.apply(plane(1, 3, 0, 3, 9), 1, 2).levels()).containsExactly(1, 7);
    }

    @Test
    void bilinearInterpolatesBetweenPixelCentres() {
        assertThat(Resize.BILINEAR.apply(plane(1, 2, 0, 4), 1, 4).levels()).containsExactly(0, 1, 3, 4);
        assertThat(Resize.BILINEAR.apply(plane(1, 4, 0, 4, 8, 12), 1, 2).levels())
                .containsExactly(2, 10);
    }

    @Test
    void nearestTakesThePixelUnderTheCentre() {
        assertThat(Resize.NEAREST.apply(plane(1, 4, 0, 1, 2, 3), 1, 2).levels()).containsExactly(1, 3);
        assertThat(Resize.NEAREST.apply(plane(1, 2, 5, 6), 1, 4).levels()).containsExactly(5, 5, 6, 6);
    }

    @Property(tries = 200)
    void allKeepFlatImagesAndTheirOwnSize(
            @ForAll @IntRange(min = 1, max = 9) int h,
            @ForAll @IntRange(min = 1, max = 9) int w,
            @ForAll @IntRange(min = 1, max = 9) int toH,
            @ForAll @IntRange(min = 1, max = 9) int toW) {
        float[] flat = new float[h * w];
        java.util.Arrays.fill(flat, 77);
        float[] ramp = new float[h * w];
        for (int i = 0; i < ramp.length; i++) {
            ramp[i] = i * 3;
        }
        for (Resize r : Resize.values()) {
            for (float v : r.apply(plane(h, w, flat), toH, toW).levels()) {
                assertThat(v).isCloseTo(77, within(1e-3f));
            }
            assertThat(r.apply(plane(h, w, ramp), h, w).levels()).isEqualTo(ramp);
        }
    }
}
