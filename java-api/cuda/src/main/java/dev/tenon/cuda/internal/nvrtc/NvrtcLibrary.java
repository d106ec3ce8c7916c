package dev.tenon.cuda.internal.nvrtc;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Finds and loads NVIDIA's run-time compiler. The outcome is a value; nothing here throws.
 *
 * <p>Where it looks: at the file or folder that system property {@value #PROPERTY} names, and nowhere else when it is set;
 * otherwise in a jar of org.bytedeco:cuda-redist on the class path, in the CUDA toolkit that CUDA_HOME or CUDA_PATH names
 * or that is in /usr/local/cuda, in pip's wheel nvidia-cuda-nvrtc, and where the dynamic loader looks.
 */
final class NvrtcLibrary {
    static final String PROPERTY = "tenon.nvrtc";

    /** Compilers of CUDA 13, which know all architectures that the kernels are for. */
    static final String LIBRARY = "libnvrtc.so.13";

    /** {@link Loaded} or {@link Missing}. */
    sealed interface Status {
        /** What was loaded, or why nothing was and what to do. */
        String message();
    }

    /** @param place the library's file, or its name if the dynamic loader found it */
    record Loaded(SymbolLookup symbols, String place) implements Status {
        @Override
        public String message() {
            return "loaded " + place;
        }
    }

    /** The library is not there or does not load. */
    record Missing(String message) implements Status {}

    private final @Nullable String configured;
    private final Map<String, String> environment;
    private final Path home;
    private final Path root;
    private final RedistJar redist;
    private final boolean byName;
    private final List<String> tried = new ArrayList<>();

    /**
     * @param configured the property's value
     * @param root the folder that stands for /
     * @param byName whether the dynamic loader is asked, after all others
     */
    NvrtcLibrary(
            @Nullable String configured,
            Map<String, String> environment,
            Path home,
            Path root,
            RedistJar redist,
            boolean byName) {
        this.configured = configured == null || configured.isBlank() ? null : configured;
        this.environment = environment;
        this.home = home;
        this.root = root;
        this.redist = redist;
        this.byName = byName;
    }

    /** As this process is set up. */
    static NvrtcLibrary ofProcess() {
        return new NvrtcLibrary(
                System.getProperty(PROPERTY),
                System.getenv(),
                Path.of(System.getProperty("user.home")),
                Path.of("/"),
                RedistJar.ofUser(),
                true);
    }

    Status load() {
        if (configured != null) {
            Path path = Path.of(configured);
            Path file = Files.isDirectory(path) ? path.resolve(LIBRARY) : path;
            return open(file)
                    .orElseGet(() ->
                            new Missing("NVRTC, which compiles CUDA kernels when an engine is built, is not where "
                                    + "system property " + PROPERTY + " says:" + triedText()
                                    + "\nName " + LIBRARY + " or its folder."));
        }
        for (Path file : candidates()) {
            Optional<Status> loaded = open(file);
            if (loaded.isPresent()) {
                return loaded.get();
            }
        }
        return openByName()
                .orElseGet(() -> new Missing(LIBRARY
                        + ", NVIDIA's run-time compiler, is needed to compile CUDA kernels when an engine is built,"
                        + " and was not found:"
                        + triedText()
                        + "\n"
                        + "Install the CUDA 13 toolkit, or 'pip install nvidia-cuda-nvrtc', or add"
                        + " org.bytedeco:cuda-redist to the class path, or name"
                        + " the library with"
                        + " -D" + PROPERTY + "=<file or folder>."));
    }

    private String triedText() {
        return tried.stream().map(t -> "\n  " + t).reduce("", String::concat);
    }

    /** Files that may be there. */
    private List<Path> candidates() {
        List<Path> files = new ArrayList<>();
        redist.library(tried).ifPresent(files::add);
        Stream.of("CUDA_HOME", "CUDA_PATH").map(environment::get).forEach(toolkit -> {
            if (toolkit != null && !toolkit.isBlank()) {
                files.add(Path.of(toolkit, "lib64", LIBRARY));
            }
        });
        files.add(root.resolve("usr/local/cuda/lib64").resolve(LIBRARY));
        files.addAll(wheels());
        return files;
    }

    /** Where pip puts the wheel, for each Python that is there. */
    private List<Path> wheels() {
        List<Path> prefixes = new ArrayList<>();
        Stream.of("VIRTUAL_ENV", "CONDA_PREFIX").map(environment::get).forEach(prefix -> {
            if (prefix != null && !prefix.isBlank()) {
                prefixes.add(Path.of(prefix));
            }
        });
        prefixes.add(home.resolve(".local"));
        prefixes.add(root.resolve("usr/local"));
        prefixes.add(root.resolve("usr"));
        List<Path> files = new ArrayList<>();
        for (Path prefix : prefixes) {
            List<Path> found = new ArrayList<>();
            for (Path python : list(prefix.resolve("lib"), "python3*")) {
                for (Path packages : list(python, "{site,dist}-packages")) {
                    found.add(packages.resolve("nvidia/cu13/lib").resolve(LIBRARY));
                }
            }
            if (found.isEmpty()) {
                tried.add(prefix.resolve("lib/python3*/site-packages/nvidia/cu13/lib")
                                .resolve(LIBRARY) + ": no such Python");
            }
            files.addAll(found);
        }
        return files;
    }

    private static List<Path> list(Path folder, String pattern) {
        List<Path> entries = new ArrayList<>();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder, pattern)) {
            stream.forEach(entries::add);
        } catch (IOException e) {
            return List.of();
        }
        entries.sort(null);
        return entries;
    }

    private Optional<Status> open(Path file) {
        if (!Files.isReadable(file)) {
            tried.add(file + ": not there");
            return Optional.empty();
        }
        return open(file.toString(), () -> lookup(file));
    }

    private Optional<Status> openByName() {
        return !byName ? Optional.empty() : open(LIBRARY + " in the dynamic loader's path", NvrtcLibrary::lookupByName);
    }

    /** NVRTC opens its built-in functions by name and does not look beside itself: they have to be there already. */
    @SuppressWarnings("restricted")
    private static SymbolLookup lookup(Path file) {
        for (Path builtins : list(file.toAbsolutePath().getParent(), "libnvrtc-builtins.so*")) {
            SymbolLookup.libraryLookup(builtins, Arena.global());
        }
        return SymbolLookup.libraryLookup(file.toAbsolutePath(), Arena.global());
    }

    @SuppressWarnings("restricted")
    private static SymbolLookup lookupByName() {
        return SymbolLookup.libraryLookup(LIBRARY, Arena.global());
    }

    private Optional<Status> open(String place, Supplier<SymbolLookup> lookup) {
        try {
            SymbolLookup symbols = lookup.get();
            if (symbols.find("nvrtcGetSupportedArchs").isEmpty()) {
                tried.add(place + ": has no function nvrtcGetSupportedArchs");
                return Optional.empty();
            }
            return Optional.of(new Loaded(symbols, place));
        } catch (IllegalCallerException e) {
            return Optional.of(new Missing("Native access is denied to Tenon: start Java with --enable-native-access="
                    + moduleName() + " (" + e.getMessage() + ")"));
        } catch (IllegalArgumentException e) {
            tried.add(place + ": does not load (" + e.getMessage() + ")");
            return Optional.empty();
        }
    }

    private static String moduleName() {
        Module module = NvrtcLibrary.class.getModule();
        return module.isNamed() ? module.getName() : "ALL-UNNAMED";
    }
}
