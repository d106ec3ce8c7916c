package dev.tenon.cuda;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** The arrows between the packages of this module: the generator and the compiler know kernels, not each other. */
class PackageArrowsTest {
    private static final String INTERNAL = "dev.tenon.cuda.internal.";

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.tenon.cuda");

    private static void mustNotSee(String from, String... to) {
        noClasses()
                .that()
                .resideInAPackage(from)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(to)
                .allowEmptyShould(true)
                .check(CLASSES);
    }

    @Test
    void arrowsPointOneWay() {
        mustNotSee(INTERNAL + "kernel", INTERNAL + "elementwise", INTERNAL + "nvrtc", "dev.tenon.internal..");
        mustNotSee(INTERNAL + "elementwise", INTERNAL + "nvrtc");
        mustNotSee(INTERNAL + "nvrtc", INTERNAL + "elementwise", "dev.tenon.internal..");
    }

    @Test
    void onlyTheApiAndWhatKernelsAreMadeOfAreUsed() {
        mustNotSee(
                "dev.tenon.cuda..",
                "dev.tenon.internal.onnx",
                "dev.tenon.internal.pass",
                "dev.tenon.internal.cpu",
                "dev.tenon.internal.ffi");
    }
}
