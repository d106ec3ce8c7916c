package dev.tenon.cli;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** Looks for the libraries that GPU engines need, where the dynamic loader would. Nothing is loaded. */
final class GpuLibraries {
    private GpuLibraries() {}

    /**
     * @param how how to get it where it is missing
     * @param found the file, empty if there is none
     */
    record Library(String name, String purpose, String how, String found) {}

    static List<Library> find() {
        Set<Path> folders = folders();
        return List.of(
                library(
                        "libcuda.so.1",
                        "NVIDIA driver",
                        "install NVIDIA's driver (on a container: start it with --gpus all)",
                        folders),
                library(
                        "libcudart.so",
                        "CUDA runtime",
                        "install CUDA 13 (https://developer.nvidia.com/cuda-downloads)",
                        folders),
                library("libcublasLt.so", "cuBLASLt", "install CUDA 13 (package libcublas)", folders),
                library("libcudnn.so", "cuDNN", "install cuDNN 9 (https://developer.nvidia.com/cudnn)", folders),
                library(
                        "libnvinfer.so",
                        "TensorRT",
                        "install TensorRT 10 (https://developer.nvidia.com/tensorrt)",
                        folders));
    }

    static Set<Path> folders() {
        Set<Path> folders = new LinkedHashSet<>();
        String path = System.getenv("LD_LIBRARY_PATH");
        if (path != null) {
            Stream.of(path.split(":")).filter(p -> !p.isBlank()).map(Path::of).forEach(folders::add);
        }
        fromLoaderConfiguration(folders);
        for (String p : new String[] {
            "/lib/x86_64-linux-gnu",
            "/usr/lib/x86_64-linux-gnu",
            "/lib64",
            "/usr/lib64",
            "/usr/lib",
            "/usr/local/lib",
            "/usr/local/cuda/lib64",
            "/usr/lib/wsl/lib"
        }) {
            folders.add(Path.of(p));
        }
        folders.removeIf(f -> !Files.isDirectory(f));
        return folders;
    }

    private static void fromLoaderConfiguration(Set<Path> folders) {
        List<Path> files = new ArrayList<>();
        try (DirectoryStream<Path> d = Files.newDirectoryStream(Path.of("/etc/ld.so.conf.d"), "*.conf")) {
            d.forEach(files::add);
        } catch (IOException e) {
            return;
        }
        for (Path f : files) {
            try {
                Files.readAllLines(f).stream()
                        .map(String::strip)
                        .filter(l -> l.startsWith("/"))
                        .map(Path::of)
                        .forEach(folders::add);
            } catch (IOException e) {
                // A file that cannot be read names no folder.
            }
        }
    }

    private static Library library(String name, String purpose, String how, Set<Path> folders) {
        for (Path folder : folders) {
            try (DirectoryStream<Path> d = Files.newDirectoryStream(folder, name + "*")) {
                for (Path file : d) {
                    return new Library(name, purpose, how, file.toString());
                }
            } catch (IOException e) {
                // A folder that cannot be read holds nothing that could be loaded.
            }
        }
        return new Library(name, purpose, how, "");
    }
}
