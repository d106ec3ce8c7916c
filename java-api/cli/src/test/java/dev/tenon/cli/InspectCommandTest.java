package dev.tenon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InspectCommandTest {
    @TempDir
    Path folder;

    @BeforeEach
    void needsNativeLibrary() {
        Cli.needsNativeLibrary();
    }

    @Test
    void showsInputsLayersStepsAndMemory() throws Exception {
        Cli r = Cli.run("inspect", Cli.layerModel(folder), "--dump");
        assertThat(r.err()).isEmpty();
        assertThat(r.code()).isZero();
        assertThat(r.out())
                .contains(
                        "x float32[Nx3]", "y float32[Nx2]", "ai.onnx=17", "segments", "steps", "arena", "graph layer");
    }

    @Test
    void dumpsEnginesWhoseWeightsArePacked() throws Exception {
        Path engine = folder.resolve("e.tenon");
        Path model = Cli.layerModel(folder);
        assertThat(Cli.run("build", model, "-o", engine, "--shape", "x=2x3").code())
                .isZero();
        Cli r = Cli.run("inspect", engine, "--dump");
        assertThat(r.err()).isEmpty();
        assertThat(r.out()).contains("constant", "graph layer");
    }

    @Test
    void jsonHoldsTheSteps() throws Exception {
        Map<String, Object> m = Cli.run("inspect", Cli.layerModel(folder), "--shape", "x=5x3", "--json")
                .json();
        assertThat((List<?>) m.get("steps")).isNotEmpty();
        assertThat(m).containsKeys("arena_bytes", "layers", "inputs");
    }

    @Test
    void pageIsSelfContained() throws Exception {
        Path page = folder.resolve("digits.html");
        Path digits = Cli.root().resolve("examples/digits/digits.onnx");
        Cli r = Cli.run("inspect", digits, "--html", page);
        assertThat(r.err()).isEmpty();
        assertThat(r.code()).isZero();
        String html = Files.readString(page);
        assertThat(html)
                .doesNotContain("@svg@", "@data@", "@title@", "<link", "@import")
                .doesNotContainPattern("(src|href)=")
                .contains("Conv", "probabilities", "float32[1x10]");
        // The picture is well formed: every box and line is there and nothing breaks out of its text.
        String svg = html.substring(html.indexOf("<svg"), html.indexOf("</svg>") + 6);
        var document = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new java.io.ByteArrayInputStream(svg.getBytes(java.nio.charset.StandardCharsets.UTF_8)));
        assertThat(document.getElementsByTagName("rect").getLength()).isGreaterThan(5);
        assertThat(document.getElementsByTagName("title").getLength()).isGreaterThan(5);
    }
}
