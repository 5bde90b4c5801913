/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.interop;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What can't be run on this machine is printed and written down, not skipped in silence. */
@Interop
class MissingReleaseTest {

  @Test
  void releasesWithoutAWheelForThisPythonAreListed(InteropRun run) {
    assertThat(PythonEnvironment.get().missing(Release.CURRENT)).isEmpty();
    for (Release release : Release.all()) {
      PythonEnvironment.get()
          .missing(release)
          .ifPresent(
              reason -> {
                for (Feature feature : Feature.values()) {
                  run.table().cannot(feature, release, reason);
                }
              });
    }
  }
}
