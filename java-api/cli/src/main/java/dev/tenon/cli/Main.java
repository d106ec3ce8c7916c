package dev.tenon.cli;

import dev.tenon.Tenon;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** Entry point of the {@code tenon} command. */
@Command(
        name = "tenon",
        description = "Compiles ONNX models into engines and runs them.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
public final class Main implements Runnable {

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    private Main() {}

    public static void main(String[] args) {
        System.exit(new CommandLine(new Main()).execute(args));
    }

    @Override
    public void run() {
        spec.commandLine().usage(System.out);
    }

    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"tenon " + Tenon.version()};
        }
    }
}
