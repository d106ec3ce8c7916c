package dev.tenon.cli;

import dev.tenon.Tenon;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** Entry point of the {@code tenon} command. */
@Command(
        name = "tenon",
        description = "Compiles ONNX models into engines and runs them.",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        footer = {
            "",
            "MODEL is an .onnx model or a .tenon engine everywhere. 'tenon COMMAND --help' tells more.",
            "Exit codes: 0 done; 1 the answer is no (a case fails, outputs differ); 2 it could not be done."
        })
public final class Main implements Runnable {
    private static final Map<String, Supplier<CliCommand>> COMMANDS = new LinkedHashMap<>();

    static {
        COMMANDS.put("build", BuildCommand::new);
        COMMANDS.put("run", RunCommand::new);
        COMMANDS.put("bench", BenchCommand::new);
        COMMANDS.put("verify", VerifyCommand::new);
        COMMANDS.put("inspect", InspectCommand::new);
        COMMANDS.put("compare", CompareCommand::new);
        COMMANDS.put("doctor", DoctorCommand::new);
    }

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    private Main() {}

    public static void main(String[] args) {
        // Images are decoded without a display; this must be set before the first of their classes loads.
        System.setProperty("java.awt.headless", "true");
        System.exit(commandLine(args).execute(args));
    }

    /** The command line for these arguments. Only the command they name is set up, since that takes time at each start. */
    static CommandLine commandLine(String... args) {
        CommandLine line = new CommandLine(new Main());
        boolean named = args.length > 0 && COMMANDS.containsKey(args[0]);
        COMMANDS.forEach((name, make) -> {
            if (!named || name.equals(args[0])) {
                line.addSubcommand(name, make.get());
            }
        });
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setUsageHelpAutoWidth(false);
        line.setUsageHelpWidth(110);
        Failures failures = new Failures();
        line.setParameterExceptionHandler(failures);
        line.setExecutionExceptionHandler(failures);
        line.setExecutionStrategy(failures);
        return line;
    }

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"tenon " + Tenon.version()};
        }
    }
}
