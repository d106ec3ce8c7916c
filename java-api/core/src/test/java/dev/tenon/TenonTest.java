package dev.tenon;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TenonTest {

    @Test
    void versionComesFromTheBuild() {
        assertThat(Tenon.version()).matches("\\d+\\.\\d+\\.\\d+(-SNAPSHOT)?");
    }
}
