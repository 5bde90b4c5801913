/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.tests.contract;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.core.AppenderBase;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.LoggerFactory;

/** All that is logged while this is open, at the lowest level, instead of on the console. */
final class TalkativeLog implements AutoCloseable {

  private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
  private final Recorder recorder = new Recorder();

  private static final class Recorder extends AppenderBase<ILoggingEvent> {

    private final List<String> lines = new CopyOnWriteArrayList<>();

    @Override
    protected void append(ILoggingEvent event) {
      StringBuilder line = new StringBuilder();
      line.append(event.getLoggerName()).append(": ").append(event.getFormattedMessage());
      for (IThrowableProxy cause = event.getThrowableProxy();
          cause != null;
          cause = cause.getCause()) {
        line.append(' ').append(cause.getMessage());
      }
      lines.add(line.toString());
    }
  }

  TalkativeLog() {
    recorder.start();
    root.addAppender(recorder);
    root.getAppender("err").stop();
    root.setLevel(Level.TRACE);
  }

  List<String> lines() {
    return recorder.lines;
  }

  @Override
  public void close() {
    root.setLevel(Level.WARN);
    root.getAppender("err").start();
    root.detachAppender(recorder);
  }
}
