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

    private static LogRecord record(String logger, Level level, Exception thrown) {
        LogRecord record = new LogRecord(level, "text");
        record.setLoggerName(logger);
        record.setThrown(thrown);
        return record;
    }
}
