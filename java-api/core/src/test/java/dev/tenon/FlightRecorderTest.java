package dev.tenon;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FlightRecorderTest {
    @Test
    void recordsBuildPlanLoadRunStepsAndAllocations(@TempDir Path folder) throws Exception {
        Path model = Models.dense(folder);
        Path saved = folder.resolve("dense.tenon");
        Path file = folder.resolve("tenon.jfr");
        try (Recording recording = new Recording()) {
            for (String event : List.of("Build", "Load", "Plan", "Run", "Step", "Allocation")) {
                recording.enable("dev.tenon." + event).withoutThreshold();
            }
            recording.start();
            try (Engine engine = Engine.load(model)) {
                engine.save(saved);
            }
            try (Engine engine = Engine.load(saved);
                    Session session = engine.newSession()) {
                session.run();
                assertThat(session.output("y").toFloatArray()).isEqualTo(Models.expected(new float[4], 1, 4, 3));
            }
            recording.stop();
            recording.dump(file);
        }
        List<RecordedEvent> events = RecordingFile.readAllEvents(file);
        assertThat(events.stream().map(e -> e.getEventType().getName()).collect(Collectors.toSet()))
                .contains(
                        "dev.tenon.Build",
                        "dev.tenon.Load",
                        "dev.tenon.Plan",
                        "dev.tenon.Run",
                        "dev.tenon.Step",
                        "dev.tenon.Allocation");
        RecordedEvent step = events.stream()
                .filter(e -> e.getEventType().getName().equals("dev.tenon.Step"))
                .findFirst()
                .orElseThrow();
        assertThat(step.getString("kind")).isEqualTo("matmul");
        assertThat(step.getLong("nanos")).isPositive();
    }
}
