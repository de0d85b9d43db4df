// SPDX-License-Identifier: Apache-2.0
package io.muster.micro;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import org.junit.jupiter.api.Test;

class ConsoleFilterTest {

    private final ConsoleFilter filter = new ConsoleFilter();

    @Test
    void serverSpeaksFromWarning() {
        assertThat(filter.isLoggable(record("jakarta.enterprise.web", Level.INFO, null)))
                .isFalse();
        assertThat(filter.isLoggable(record("jakarta.enterprise.web", Level.WARNING, null)))
                .isTrue();
        assertThat(filter.isLoggable(record(null, Level.WARNING, null))).isTrue();
    }

    @Test
    void musterSpeaksAsItLikes() {
        assertThat(filter.isLoggable(record("io.muster.registration", Level.FINE, null)))
                .isTrue();
    }

    @Test
    void requestThatCannotBeDecodedIsNotWorthAStackTrace() {
        Exception decoding =
                new IllegalArgumentException("URLDecoder: Illegal hex characters in escape (%) pattern - %zz");

        assertThat(filter.isLoggable(record("jakarta.enterprise.web.core", Level.SEVERE, decoding)))
                .isFalse();
        assertThat(filter.isLoggable(
                        record("jakarta.enterprise.web.core", Level.SEVERE, new IllegalArgumentException())))
                .isTrue();
    }

    @Test
    void requestThatBreaksOffIsNotWorthAStackTrace() {
        Exception gone = new UncheckedIOException(new IOException("Connection is closed", new EOFException()));

        assertThat(filter.isLoggable(record("org.glassfish.jersey.server.ServerRuntime$Responder", Level.SEVERE, gone)))
                .isFalse();
        assertThat(filter.isLoggable(record("jakarta.enterprise.web", Level.WARNING, new IOException("Broken pipe"))))
                .isFalse();
        assertThat(filter.isLoggable(record("jakarta.enterprise.web", Level.WARNING, new IOException("No space left"))))
                .isTrue();
        LogRecord inTheText = record("jakarta.enterprise.web", Level.WARNING, null);
        inTheText.setMessage("Exception Processing ErrorPage\njava.io.IOException: Connection is closed\n\tat a.b.C");
        assertThat(filter.isLoggable(inTheText)).isFalse();
        assertThat(filter.isLoggable(record("com.zaxxer.hikari", Level.WARNING, gone)))
                .isTrue();
        assertThat(filter.isLoggable(record("io.muster.web.Problems", Level.SEVERE, gone)))
                .isTrue();
    }

    @Test
    void requestThatIsNoneIsNotWorthAStackTrace() {
        Exception unknown = new IllegalStateException("Unknown protocol 'HTTQ/1");

        assertThat(filter.isLoggable(
                        record("org.glassfish.grizzly.filterchain.DefaultFilterChain", Level.WARNING, unknown)))
                .isFalse();
        assertThat(filter.isLoggable(record("com.zaxxer.hikari", Level.WARNING, unknown)))
                .isTrue();
    }

    @Test
    void whatTheServerSaysAgainAndAgainIsCountedWhateverIsQuotedInIt() {
        long[] now = {0};
        ConsoleFilter counting = new ConsoleFilter(new RareRecords(() -> now[0]));
        String logger = "org.glassfish.grizzly.http.HttpServerFilter";

        assertThat(counting.isLoggable(said(logger, "GRIZZLY0155: Invalid chunk byte detected [12]")))
                .isTrue();
        for (int i = 0; i < 500; i++) {
            assertThat(counting.isLoggable(said(logger, "GRIZZLY0155: Invalid chunk byte detected [" + i + "]")))
                    .isFalse();
        }
        assertThat(counting.isLoggable(said(logger, "GRIZZLY0156: Exception caught")))
                .isTrue();
        assertThat(counting.isLoggable(said(logger, "Another thing"))).isTrue();
        assertThat(counting.isLoggable(said("io.muster.web", "Another thing"))).isTrue();
        assertThat(counting.isLoggable(said("io.muster.web", "Another thing"))).isTrue();

        now[0] += 60_000_000_000L;
        LogRecord next = said(logger, "GRIZZLY0155: Invalid chunk byte detected [13]");
        assertThat(counting.isLoggable(next)).isTrue();
        assertThat(next.getMessage()).endsWith("[13] (and 500 times before, not logged)");
    }

    @Test
    void kindsAreBounded() {
        RareRecords rare = new RareRecords(() -> 0);
        for (int i = 0; i < 1000; i++) {
            assertThat(rare.leftOut("kind " + i)).isZero();
        }
        assertThat(rare.leftOut("one more")).isZero();
        assertThat(rare.leftOut("and another")).isEqualTo(-1);
    }

    private static LogRecord said(String logger, String message) {
        LogRecord record = record(logger, Level.WARNING, null);
        record.setMessage(message);
        return record;
    }

    private static LogRecord record(String logger, Level level, Exception thrown) {
        LogRecord record = new LogRecord(level, "text");
        record.setLoggerName(logger);
        record.setThrown(thrown);
        return record;
    }
}
