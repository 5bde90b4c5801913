/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ShellWordTest {

  @Test
  void whatIsPlainStaysPlain() {
    assertThat(ShellWord.of("meta-llama/Llama-3.1-8B@1@0@-4dc3@half@t%v"))
        .isEqualTo("meta-llama/Llama-3.1-8B@1@0@-4dc3@half@t%v");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "-rf",
        "a b",
        "$(id)",
        "`id`",
        "it's; rm -rf ~ #",
        "\\n\\'",
        "line\nbreak\ttab",
        "\u001b[2J\u009b1m\u007f",
        "\u202egnp.exe",
        "模型 é 🙂",
        "!history",
        "~",
        "*?[a]"
      })
  void bashReadsBackWhatWasQuoted(String text) throws IOException {
    String word = ShellWord.of(text);
    assertThat(word).matches("[ -~]*");
    Process bash =
        new ProcessBuilder("bash", "-c", "printf %s " + word)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    bash.getOutputStream().close();
    assertThat(new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
        .isEqualTo(text);
  }
}
