/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.arch;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.domain.properties.HasName;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/**
 * One direction only: cli to redis, rocm and micrometer, micrometer to redis, redis and rocm to
 * core; neither of these two knows the other.
 */
final class ArchitectureTest {

  private static final String CORE = "io.lmcache4j.core..";
  private static final String REDIS = "io.lmcache4j.redis..";
  private static final String ROCM = "io.lmcache4j.rocm..";
  private static final String CLI = "io.lmcache4j.cli..";
  private static final String LETTUCE = "io.lettuce..";
  private static final String JNA = "com.sun.jna..";

  /** What is shipped: everything but tests. */
  private static final JavaClasses SHIPPED =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("io.lmcache4j");

  @Test
  void theRulesAreAppliedToEveryModule() {
    for (String module : List.of("core", "redis", "micrometer", "rocm", "cli")) {
      assertThat(SHIPPED.stream().map(JavaClass::getPackageName))
          .anyMatch(name -> name.startsWith("io.lmcache4j." + module));
    }
    assertThat(SHIPPED.stream().map(JavaClass::getPackageName))
        .noneMatch(name -> name.startsWith("io.lmcache4j.tests"));
  }

  @Test
  void coreKnowsNeitherRedisNorTheGpu() {
    noClasses()
        .that()
        .resideInAPackage(CORE)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(REDIS, ROCM, CLI, LETTUCE, JNA, "io.netty.channel..")
        .check(SHIPPED);
  }

  @Test
  void redisKnowsNoGpu() {
    noClasses()
        .that()
        .resideInAPackage(REDIS)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(ROCM, CLI, JNA)
        .check(SHIPPED);
  }

  @Test
  void micrometerIsKnownToItsModuleAndTheCommandLine() {
    noClasses()
        .that()
        .resideOutsideOfPackages("io.lmcache4j.micrometer..", CLI)
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.micrometer..")
        .check(SHIPPED);
  }

  @Test
  void rocmKnowsNoRedis() {
    noClasses()
        .that()
        .resideInAPackage(ROCM)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(REDIS, CLI, LETTUCE)
        .check(SHIPPED);
  }

  @Test
  void theWirePackageIsForTheConnectorAlone() {
    classes()
        .that()
        .resideInAPackage("io.lmcache4j.redis.wire..")
        .and(HasName.Predicates.nameEndingWith("WireMetrics").negate())
        .should()
        .onlyHaveDependentClassesThat()
        .resideInAnyPackage("io.lmcache4j.redis", "io.lmcache4j.redis.wire")
        .check(SHIPPED);
  }

  @Test
  void onlyTheCommandLineTalksToTheConsole() {
    noClasses().that().resideOutsideOfPackage(CLI).should(ACCESS_STANDARD_STREAMS).check(SHIPPED);
  }

  @Test
  void packagesHaveNoCycles() {
    slices().matching("io.lmcache4j.(**)").should().beFreeOfCycles().check(SHIPPED);
  }

  @Test
  void everyPackageIsNullMarked() {
    Set<String> unmarked = new TreeSet<>();
    for (JavaClass each : SHIPPED) {
      JavaPackage itsPackage = each.getPackage();
      if (!itsPackage.isAnnotatedWith(NullMarked.class)) {
        unmarked.add(itsPackage.getName());
      }
    }
    assertThat(unmarked).isEmpty();
  }
}
