package dev.tenon.internal.ffi;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/**
 * Finds and loads libtenon. The outcome is a value, {@link #status()}; nothing here throws.
 *
 * <p>Where it looks: the file or folder that system property {@value #PATH_PROPERTY} names, and nowhere else when it is
 * set; otherwise the resources of the platform's jars, used in place where they are plain files and copied to a cache folder of
 * the user where they lie in a jar (see {@link NativeCache}). The libraries it needs lie beside it and are found through its
 * run path.
 *
 * <p>GNU OpenMP reads its environment when it is loaded and by default lets idle threads spin for milliseconds. Unless the
 * user has set OMP_WAIT_POLICY or GOMP_SPINCOUNT, a short spin is asked for here: long enough for the next step of a run to find
 * its threads awake, short enough to leave an idle process idle.
 */
public final class NativeLibrary {
    static final String PATH_PROPERTY = "tenon.native.path";
    static final String LIBRARY = "libtenon.so";

    /** Iterations an idle OpenMP thread waits before it sleeps; about half a millisecond. */
    static final String SPIN_COUNT = "10000";

    private static final Status STATUS = load();

    private NativeLibrary() {}

    /** {@link Loaded} or {@link Missing}. */
    public sealed interface Status {
        /** What was loaded, or why nothing was and what to do. */
        String message();
    }

    /** The library is there. */
    public record Loaded(SymbolLookup symbols, Path file, String message) implements Status {}

    /** The library is not there or does not fit. */
    public record Missing(String message) implements Status {}

    public static Status status() {
        return STATUS;
    }

    public static boolean isLoaded() {
        return STATUS instanceof Loaded;
    }

    /** The folder that libraries in jars are copied to. */
    public static Path cacheFolder() {
        return NativeCache.ofUser().root();
    }

    /** Resource folder and jar classifier of this machine, such as {@code linux-x86_64}. */
    static String platform() {
        return platform(System.getProperty("os.name"), System.getProperty("os.arch"));
    }

    static String platform(String osName, String osArch) {
        String os = osName.toLowerCase(Locale.ROOT);
        String arch = osArch.equals("amd64") ? "x86_64" : osArch;
        String family = os.startsWith("windows") ? "windows" : os.startsWith("mac") ? "macosx" : os;
        return family.replace(' ', '-') + "-" + arch;
    }

    private static Status load() {
        try {
            String configured = System.getProperty(PATH_PROPERTY);
            if (configured != null) {
                return open(configuredFile(Path.of(configured)));
            }
            String platform = platform();
            Optional<Path> file = NativeCache.ofUser().locate(platform);
            return file.isPresent() ? open(file.get()) : new Missing(notOnClassPath(platform));
        } catch (IllegalCallerException e) {
            return new Missing("Native access is denied to Tenon: start Java with --enable-native-access="
                    + moduleName() + " (" + e.getMessage() + ")");
        } catch (IOException | RuntimeException e) {
            return new Missing("The native library of Tenon could not be made ready on " + machine() + ": " + e);
        }
    }

    private static Path configuredFile(Path configured) {
        return Files.isDirectory(configured) ? configured.resolve(LIBRARY) : configured;
    }

    @SuppressWarnings("restricted")
    static Status open(Path file) {
        if (!Files.isReadable(file)) {
            return new Missing("The native library of Tenon is not at " + file + " (" + machine() + "; system property "
                    + PATH_PROPERTY + " must name libtenon.so or its folder)");
        }
        limitSpinning();
        SymbolLookup symbols;
        try {
            symbols = SymbolLookup.libraryLookup(file.toAbsolutePath(), Arena.global());
        } catch (IllegalArgumentException e) {
            return new Missing("The native library of Tenon does not load: " + file + " on " + machine() + ": "
                    + dynamicLoaderMessage(file) + muslHint());
        }
        return checkVersion(file, symbols);
    }

    @SuppressWarnings("restricted")
    private static Status checkVersion(Path file, SymbolLookup symbols) {
        Optional<MemorySegment> symbol = symbols.find("tenon_abi_version");
        if (symbol.isEmpty()) {
            return new Missing(file + " is not Tenon's native library: it has no function tenon_abi_version");
        }
        try {
            long found = (long) Linker.nativeLinker()
                    .downcallHandle(symbol.get(), FunctionDescriptor.of(ValueLayout.JAVA_LONG))
                    .invokeExact();
            if (found != TenonConstants.ABI_VERSION) {
                return new Missing("The native library " + file + " has ABI version " + found + ", these classes need "
                        + TenonConstants.ABI_VERSION + ": use tenon and tenon-native of the same version");
            }
        } catch (Throwable t) {
            return new Missing("The native library " + file + " does not answer: " + t);
        }
        return new Loaded(symbols, file, "loaded " + file + " on " + machine());
    }

    private static String notOnClassPath(String platform) {
        String resource = NativeCache.resource(platform, LIBRARY);
        return "The native library of Tenon is not on the class path: no resource " + resource + " (" + machine()
                + "). Add the artifact tenon-native with classifier " + platform
                + ", or name a library with -D" + PATH_PROPERTY + "=<file>";
    }

    private static String machine() {
        return System.getProperty("os.name") + " " + System.getProperty("os.arch");
    }

    private static String moduleName() {
        Module module = NativeLibrary.class.getModule();
        return module.isNamed() ? module.getName() : "ALL-UNNAMED";
    }

    private static String muslHint() {
        try (var loaders = Files.newDirectoryStream(Path.of("/lib"), "ld-musl-*")) {
            return loaders.iterator().hasNext() ? " (this system seems to use musl libc; the library needs glibc)" : "";
        } catch (IOException e) {
            return "";
        }
    }

    /** Repeats the failed load through dlopen, since the JDK's exception does not say what was missing. */
    @SuppressWarnings("restricted")
    private static String dynamicLoaderMessage(Path file) {
        Linker linker = Linker.nativeLinker();
        SymbolLookup libc = linker.defaultLookup();
        Optional<MemorySegment> dlopen = libc.find("dlopen");
        Optional<MemorySegment> dlerror = libc.find("dlerror");
        if (dlopen.isEmpty() || dlerror.isEmpty()) {
            return "no reason given";
        }
        try (Arena arena = Arena.ofConfined()) {
            int lazy = 1;
            MemorySegment opened = (MemorySegment) linker.downcallHandle(
                            dlopen.get(),
                            FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT))
                    .invokeExact(arena.allocateFrom(file.toAbsolutePath().toString()), lazy);
            MemorySegment message =
                    (MemorySegment) linker.downcallHandle(dlerror.get(), FunctionDescriptor.of(ValueLayout.ADDRESS))
                            .invokeExact();
            return opened.address() != 0 || message.address() == 0 ? "no reason given" : CStrings.text(message);
        } catch (Throwable t) {
            return "no reason given (" + t + ")";
        }
    }

    @SuppressWarnings("restricted")
    private static void limitSpinning() {
        if (System.getenv("OMP_WAIT_POLICY") != null || System.getenv("GOMP_SPINCOUNT") != null) {
            return;
        }
        Linker linker = Linker.nativeLinker();
        linker.defaultLookup().find("setenv").ifPresent(setenv -> {
            try (Arena arena = Arena.ofConfined()) {
                int ignored = (int) linker.downcallHandle(
                                setenv,
                                FunctionDescriptor.of(
                                        ValueLayout.JAVA_INT,
                                        ValueLayout.ADDRESS,
                                        ValueLayout.ADDRESS,
                                        ValueLayout.JAVA_INT))
                        .invokeExact(arena.allocateFrom("GOMP_SPINCOUNT"), arena.allocateFrom(SPIN_COUNT), 0);
            } catch (Throwable t) {
                throw new IllegalStateException("setenv failed", t);
            }
        });
    }
}
