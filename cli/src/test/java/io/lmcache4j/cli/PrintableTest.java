/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class PrintableTest {

  @Test
  void whatPeopleReadStays() {
    assertThat(Printable.of("meta-llama/Llama-3.1 模型 é 🙂 ~"))
        .isEqualTo("meta-llama/Llama-3.1 模型 é 🙂 ~");
  }

  @Test
  void whatATerminalActsOnIsSpeltOut() {
    assertThat(Printable.of("\u001b[2J\r\n\u007f\u009b\u202e\u200b\u2028\ufeff"))
        .isEqualTo("\\x1b[2J\\x0d\\x0a\\x7f\\x9b\\u{202e}\\u{200b}\\u{2028}\\u{feff}");
    assertThat(Printable.of("\ud800x")).isEqualTo("\\u{d800}x");
  }

  @Test
  void htmlIsEscapedInElementsAndAttributes() {
    assertThat(Printable.html("<a href=\"x\" b='&'>\u001b"))
        .isEqualTo("&lt;a href=&quot;x&quot; b=&#39;&amp;&#39;&gt;\\x1b");
  }

  @Test
  void aCutLeavesNoHalfOfAPair() {
    assertThat(Printable.cut("abcd", 4)).isEqualTo("abcd");
    assertThat(Printable.cut("abcde", 4)).isEqualTo("abc…");
    assertThat(Printable.cut("ab🙂cd", 4)).isEqualTo("ab…");
  }
}
