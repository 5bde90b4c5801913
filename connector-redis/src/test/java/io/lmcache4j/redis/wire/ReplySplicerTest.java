/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.redis.wire;

import static io.lmcache4j.redis.wire.Transcript.closed;
import static io.lmcache4j.redis.wire.Transcript.inStep;
import static io.lmcache4j.redis.wire.Transcript.inStepWithUs;
import static org.assertj.core.api.Assertions.assertThat;

import io.lmcache4j.redis.wire.Conversation.Result;
import io.lmcache4j.redis.wire.LettuceChannel.Reading;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever a server says, and wherever the stream is cut: either every command has the answer that
 * is its own and the next command has too, or the connection is closed and every command has
 * failed.
 */
class ReplySplicerTest {

  private static final String LONG_TEXT = "x".repeat(200);

  static Stream<Transcript> transcripts() {
    return Stream.of(
        // What servers say all day.
        inStep("header and payload", "HP", "$4\r\nmeta\r\n$5\r\nhello\r\n", "=meta", "=hello"),
        inStep("absent, RESP2", "HP", "$-1\r\n$-1\r\n", "nil", "nil"),
        inStep("absent, RESP3", "HP", "_\r\n_\r\n", "nil", "nil"),
        inStep("payload without header", "HP", "_\r\n$3\r\nabc\r\n", "nil", "=abc"),
        inStep("header without payload", "HP", "$4\r\nmeta\r\n$-1\r\n", "=meta", "nil"),
        inStep("empty header, empty payload", "HP", "$0\r\n\r\n$0\r\n\r\n", "=", "="),
        inStep(
            "payload of CR and LF", "PP", "$6\r\n\r\n$3\r\n\r\n$1\r\na\r\n", "=\r\n$3\r\n", "=a"),
        inStep(
            "long payload",
            "PHP",
            "$200\r\n" + LONG_TEXT + "\r\n$1\r\nh\r\n$100\r\n" + LONG_TEXT.substring(100) + "\r\n",
            "=" + LONG_TEXT,
            "=h",
            "=" + LONG_TEXT.substring(100)),
        inStep("given up after sending", "RP", "$5\r\nhello\r\n$3\r\nabc\r\n", "drained 5", "=abc"),
        inStep("no memory", "FP", "$5\r\nhello\r\n$3\r\nabc\r\n", "drained 5", "=abc"),
        inStep("empty and given up", "RP", "$0\r\n\r\n$3\r\nabc\r\n", "drained 0", "=abc"),
        inStep("header of the longest length", "H", "$8\r\n12345678\r\n", "=12345678"),
        inStep("header too long", "HP", "$9\r\n123456789\r\n$1\r\na\r\n", "oversized 9", "=a"),
        inStep("stored", "SSP", "+OK\r\n+OK\r\n$1\r\na\r\n", "=OK", "=OK", "=a"),
        inStep("leading zeros", "P", "$0000000003\r\nabc\r\n", "=abc"),

        // Refusals.
        inStep(
            "loading",
            "HP",
            "-LOADING Redis is loading\r\n-LOADING Redis is loading\r\n",
            "error LOADING Redis is loading",
            "error LOADING Redis is loading"),
        inStep(
            "out of memory",
            "SS",
            "-OOM command not allowed\r\n+OK\r\n",
            "error OOM command not allowed",
            "=OK"),
        inStep("moved", "HP", "-MOVED 1 h:1\r\n$1\r\na\r\n", "error MOVED 1 h:1", "=a"),
        inStep("payload refused", "HP", "$1\r\nh\r\n-ERR no\r\n", "=h", "error ERR no"),
        // Lettuce takes a bulk error for a value; that it is one only shows in what it says.
        inStep("bulk error to a SET", "S", "!7\r\nERR bad\r\n", "=ERR bad"),
        inStep("bulk error to a GET", "HP", "!7\r\nERR bad\r\n$1\r\na\r\n", "=ERR bad", "=a"),

        // Other kinds of reply than were asked for, all of them whole.
        inStep("verbatim payload", "P", "=7\r\ntxt:abc\r\n", "=abc"),
        inStep("verbatim header", "HP", "=7\r\ntxt:abc\r\n$1\r\na\r\n", "=abc", "=a"),
        inStep(
            "integer to a GET",
            "HP",
            ":5\r\n:3\r\n",
            error("the integer 5"),
            error("the integer 3")),
        inStep(
            "integer where a payload was before",
            "PP",
            "$3\r\nabc\r\n:3\r\n",
            "=abc",
            error("the integer 3")),
        inStep(
            "double to a GET",
            "HP",
            ",1.5\r\n,inf\r\n",
            error("the double 1.5"),
            error("the double Infinity")),
        inStep(
            "boolean to a GET",
            "HP",
            "#t\r\n#f\r\n",
            error("the boolean true"),
            error("the boolean false")),
        // Lettuce does not tell simple strings from others.
        inStep("simple string to a GET", "HP", "+hey\r\n+\r\n", "=hey", "="),
        inStep(
            "queued",
            "HP",
            "+QUEUED\r\n+QUEUED\r\n",
            "error a bulk string was expected and none came",
            "error a bulk string was expected and none came"),
        inStep(
            "array to a GET",
            "HP",
            "*2\r\n$1\r\na\r\n$1\r\nb\r\n*1\r\n$3\r\nabc\r\n",
            error("an aggregate of 2"),
            error("an aggregate of 1")),
        inStep(
            "empty and null arrays to a GET",
            "HP",
            "*0\r\n*-1\r\n",
            error("an aggregate of 0"),
            error("an aggregate of -1")),
        inStep(
            "map to a GET",
            "PP",
            "%1\r\n$1\r\na\r\n$3\r\nabc\r\n$1\r\nz\r\n",
            error("an aggregate of 2"),
            "=z"),
        inStep(
            "set to a GET",
            "PP",
            "~1\r\n$3\r\nabc\r\n$1\r\nz\r\n",
            error("an aggregate of 1"),
            "=z"),

        // Aggregates around payloads.
        inStep("list", "LP", "*3\r\n$1\r\na\r\n$-1\r\n:7\r\n$1\r\nz\r\n", "[a, null, 7]", "=z"),
        inStep(
            "nested list",
            "LP",
            "*2\r\n*2\r\n$1\r\na\r\n*1\r\n+b\r\n$1\r\nc\r\n$1\r\nz\r\n",
            "[[a, [b]], c]",
            "=z"),
        inStep("nested nothing", "LP", "*2\r\n*0\r\n*0\r\n$1\r\nz\r\n", "[[], []]", "=z"),
        inStep("list of errors", "LP", "*2\r\n-ERR a\r\n+b\r\n$1\r\nz\r\n", "error ERR a", "=z"),

        // Pushes.
        inStep(
            "push in front",
            "HP",
            ">2\r\n$3\r\nfoo\r\n$3\r\nbar\r\n$1\r\nh\r\n$3\r\nabc\r\n",
            "=h",
            "=abc"),
        inStep(
            "pushes between",
            "HP",
            "$1\r\nh\r\n>2\r\n+a\r\n+b\r\n>2\r\n+a\r\n*1\r\n:1\r\n$3\r\nabc\r\n>1\r\n+c\r\n",
            "=h",
            "=abc"),

        // Attributes, which Lettuce cannot read.
        inStepWithUs(
            "attribute in front",
            "HP",
            "|1\r\n+ttl\r\n:3600\r\n$1\r\nh\r\n$3\r\nabc\r\n",
            "=h",
            "=abc"),
        inStepWithUs(
            "attribute in front of a payload",
            "HP",
            "$1\r\nh\r\n|1\r\n+k\r\n*2\r\n:1\r\n$1\r\nx\r\n$3\r\nabc\r\n",
            "=h",
            "=abc"),
        inStepWithUs(
            "attributes, an empty one too",
            "PP",
            "|0\r\n|1\r\n+a\r\n+b\r\n$1\r\nx\r\n|0\r\n_\r\n",
            "=x",
            "nil"),
        inStepWithUs(
            "attribute of an attribute",
            "P",
            "|1\r\n|1\r\n+a\r\n+b\r\n+c\r\n+d\r\n$1\r\nx\r\n",
            "=x"),
        inStepWithUs(
            "attribute in front of a push", "P", "|1\r\n+a\r\n+b\r\n>1\r\n+c\r\n$1\r\nx\r\n", "=x"),
        closed(
            "attribute inside an aggregate",
            "PL",
            "$1\r\na\r\n*1\r\n|1\r\n+a\r\n+b\r\n+c\r\n",
            "=a",
            "lost"),

        // Nobody asked.
        closed("reply too many", "P", "$1\r\na\r\n$1\r\nb\r\n", "=a"),
        closed("error too many", "P", "$1\r\na\r\n-ERR idle\r\n", "=a"),
        closed("reply before any command", "", "+OK\r\n"),
        inStep("refused before any command", "", "-ERR max number of clients reached\r\n"),
        closed("refused twice before any command", "", "-ERR one\r\n-ERR two\r\n"),
        inStepWithUs("push before any command", "", ">1\r\n+hey\r\n"),

        // Lengths.
        closed("letters for a length", "PP", "$abc\r\n", "lost", "lost"),
        closed("length beyond bounds", "PP", "$99999999999\r\n", "lost", "lost"),
        closed("length beyond an int", "PP", "$2147483648\r\n", "lost", "lost"),
        closed("length whose end is beyond an int", "HS", "$2147483646\r\n", "lost", "lost"),
        closed("negative length", "PP", "$1\r\na\r\n$-2\r\n", "=a", "lost"),
        closed("negative length of a header", "HP", "$-2\r\n", "lost", "lost"),
        closed("signed length", "PP", "$+1\r\na\r\n", "lost", "lost"),
        closed("two signs", "PP", "$--1\r\n", "lost", "lost"),
        closed("no length", "PP", "$\r\na\r\n", "lost", "lost"),
        closed("a sign for a length", "PP", "$-\r\n", "lost", "lost"),
        closed("two types", "PP", "$$1\r\na\r\n", "lost", "lost"),
        closed("line feed alone behind a length", "PP", "$1\na\r\n", "lost", "lost"),
        closed("no line feed behind a length", "PP", "$1\rxa\r\n", "lost", "lost"),
        closed("streamed string", "PP", "$?\r\n;1\r\na\r\n;0\r\n", "lost", "lost"),
        closed("streamed array", "LP", "*?\r\n+a\r\n.\r\n", "lost", "lost"),
        closed("letters for a count", "LP", "*x\r\n", "lost", "lost"),
        closed("count beyond bounds", "LP", "*2147483647\r\n", "lost", "lost"),
        closed("pairs beyond bounds", "LP", "%524288\r\n", "lost", "lost"),
        closed("letters for an inner length", "LP", "*1\r\n$x\r\n", "lost", "lost"),
        closed("verbatim without its format", "PP", "=2\r\nab\r\n", "lost", "lost"),

        // Ends.
        closed("payload longer than announced", "PP", "$1\r\nab\r\n", "lost", "lost"),
        closed("payload shorter than announced", "PP", "$4\r\na\r\n+x\r\n", "lost", "lost"),
        closed("line feed alone behind a payload", "PP", "$1\r\na\n\r", "lost", "lost"),
        closed("no line feed behind a payload", "PP", "$1\r\na\rx", "lost", "lost"),
        closed("drained payload longer than announced", "RP", "$1\r\nab\r\n", "lost", "lost"),
        closed("header longer than announced", "HP", "$1\r\nhx\r\n", "lost", "lost"),
        closed("empty payload without an end", "PP", "$0\r\na\r\n", "lost", "lost"),

        // Garbage.
        closed("no type", "HP", "\r\n", "lost", "lost"),
        closed("text", "HP", "HTTP/1.1 400 Bad Request\r\n\r\n", "lost", "lost"),
        closed("high bytes", "HP", "\u00ff\u0080\u0000", "lost", "lost"),
        closed("garbage behind a payload", "PP", "$1\r\na\r\n\u0000", "=a", "lost"),
        closed("line feed inside a line", "HP", "-ERR a\nb\r\n$1\r\na\r\n", "lost", "lost"),
        closed("line feed at the start of a line", "SP", "+\n\r\n$1\r\na\r\n", "lost", "lost"),
        closed("carriage return inside a line", "SP", "+a\rb\r\n", "lost", "lost"),
        closed("boolean with more behind it", "LP", "#txx:1\r\n$1\r\na\r\n", "lost", "lost"),
        closed("boolean without a value", "SP", "#\r\n$1\r\na\r\n", "lost", "lost"),
        closed("neither true nor false", "HP", "#x\r\n", "lost", "lost"),
        closed("no double", "HP", ",abc\r\n", "lost", "lost"),
        closed(
            "deeper than Lettuce can count", "LP", "*1\r\n".repeat(40) + ":1\r\n", "lost", "lost"),
        closed(
            "line without an end",
            "SP",
            "+" + "x".repeat(RespScanner.MAX_LINE + 1),
            "lost",
            "lost"),
        closed("HELLO as it was in drafts", "LP", "@1\r\n+a\r\n+b\r\n", "lost", "lost"));
  }

  private static String error(String what) {
    return "error a bulk string was expected and " + what + " came";
  }

  @ParameterizedTest
  @MethodSource("transcripts")
  void eachCommandGetsItsOwnAnswerOrTheConnectionIsClosed(Transcript transcript) {
    assertThat(Conversation.replay(transcript, true, Reading.BUFFERS))
        .satisfies(result -> expected(transcript, result));
  }

  @ParameterizedTest
  @MethodSource("transcripts")
  void theCopyingPathHearsTheSame(Transcript transcript) {
    if (transcript.stock()) {
      assertThat(Conversation.replay(transcript, false, Reading.BUFFERS))
          .satisfies(result -> expected(transcript, result));
    } else {
      // Lettuce alone may hear anything, but ends every command: that is looked at in closing.
      Conversation.replay(transcript, false, Reading.BUFFERS);
    }
  }

  @ParameterizedTest
  @MethodSource("transcripts")
  void aCutAnywhereChangesNothing(Transcript transcript) {
    for (int cut : cuts(transcript)) {
      for (Reading reading : Reading.values()) {
        assertThat(Conversation.replay(transcript, true, reading, cut))
            .as("cut before byte %d, %s", cut, reading)
            .satisfies(result -> expected(transcript, result));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("transcripts")
  void byteForByteIsTheSameToo(Transcript transcript) {
    for (Reading reading : Reading.values()) {
      assertThat(Conversation.replay(transcript, true, reading, cuts(transcript)))
          .as("%s", reading)
          .satisfies(result -> expected(transcript, result));
    }
  }

  @ParameterizedTest
  @MethodSource("transcripts")
  void theReceiveAllocatorChangesNothing(Transcript transcript) {
    assertThat(Conversation.replay(transcript, true, Reading.ALLOCATOR))
        .satisfies(result -> expected(transcript, result));
  }

  private static int[] cuts(Transcript transcript) {
    int length = transcript.said().length();
    // A line of 64 KiB is cut where it matters.
    return IntStream.range(1, length)
        .filter(i -> length < 1000 || i < 3 || i > length - 4)
        .toArray();
  }

  private static void expected(Transcript transcript, Result result) {
    List<String> heard = new ArrayList<>(transcript.heard());
    if (!transcript.closes()) {
      heard.add("=PONG");
    }
    assertThat(result.heard()).isEqualTo(heard);
    assertThat(result.open()).isNotEqualTo(transcript.closes());
  }
}
