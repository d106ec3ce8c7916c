package dev.tenon;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.conditions.ArchPredicates.are;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.Architectures;
import org.junit.jupiter.api.Test;

/** The arrows between packages, as docs/architecture.md and docs/adr/0002 draw them. */
class PackageArrowsTest {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.tenon");

    /** The classes of the public package that need all the others; the rest of it are value types. */
    private static final DescribedPredicate<JavaClass> TOP =
            belongToAnyOf(Engine.class, Session.class).as("the top of the API");

    private static DescribedPredicate<JavaClass> internal(String name) {
        return resideInAPackage("dev.tenon.internal." + name);
    }

    @Test
    void arrowsPointOneWay() {
        Architectures.layeredArchitecture()
                .consideringOnlyDependenciesInAnyPackage("dev.tenon..")
                .layer("api")
                .definedBy(TOP)
                .layer("values")
                .definedBy(resideInAPackage("dev.tenon").and(DescribedPredicate.not(TOP)))
                .layer("engine")
                .definedBy(internal("engine"))
                .layer("cpu")
                .definedBy(internal("cpu"))
                .layer("plan")
                .definedBy(internal("plan"))
                .layer("spi")
                .definedBy(resideInAPackage("dev.tenon.spi"))
                .layer("pass")
                .definedBy(internal("pass"))
                .layer("onnx")
                .definedBy(internal("onnx"))
                .layer("reference")
                .definedBy(internal("reference"))
                .layer("op")
                .definedBy(internal("op"))
                .layer("ir")
                .definedBy(internal("ir"))
                .layer("memory")
                .definedBy(internal("memory"))
                .layer("ffi")
                .definedBy(internal("ffi"))
                .whereLayer("api")
                .mayNotBeAccessedByAnyLayer()
                .whereLayer("engine")
                .mayOnlyBeAccessedByLayers("api")
                .whereLayer("cpu")
                .mayOnlyBeAccessedByLayers("engine", "api")
                .whereLayer("plan")
                .mayOnlyBeAccessedByLayers("cpu", "engine", "api")
                .whereLayer("spi")
                .mayOnlyBeAccessedByLayers("plan", "cpu", "engine", "api")
                .whereLayer("pass")
                .mayOnlyBeAccessedByLayers("plan", "cpu", "engine", "api")
                .whereLayer("onnx")
                .mayOnlyBeAccessedByLayers("pass", "plan", "cpu", "engine", "api")
                .whereLayer("reference")
                .mayOnlyBeAccessedByLayers("pass", "plan", "cpu", "engine", "api")
                .whereLayer("op")
                .mayOnlyBeAccessedByLayers("onnx", "reference", "pass", "plan", "cpu", "engine", "api")
                .whereLayer("ir")
                .mayOnlyBeAccessedByLayers("op", "onnx", "reference", "pass", "spi", "plan", "cpu", "engine", "api")
                .whereLayer("ffi")
                .mayOnlyBeAccessedByLayers("memory", "cpu")
                .check(CLASSES);
    }

    @Test
    void valueTypesUseOnlyMemory() {
        classes()
                .that(are(resideInAPackage("dev.tenon").and(DescribedPredicate.not(TOP))))
                .should()
                .onlyDependOnClassesThat(DescribedPredicate.not(resideInAPackage("dev.tenon.."))
                        .or(resideInAPackage("dev.tenon").and(DescribedPredicate.not(TOP)))
                        .or(internal("memory")))
                .check(CLASSES);
    }

    @Test
    void packagesOfTheInsideHaveNoCycles() {
        slices().matching("dev.tenon.internal.(*)..").should().beFreeOfCycles().check(CLASSES);
    }
}
