// SPDX-License-Identifier: Apache-2.0
package io.muster.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class RareLogTest {

    private final List<String> lines = new ArrayList<>();
    private final List<Throwable> causes = new ArrayList<>();
    private final Logger logger = Logger.getLogger("rare");
    private final Handler handler = new Handler() {
        @Override
        public void publish(LogRecord entry) {
            lines.add(entry.getLevel() + " " + new SimpleFormatter().formatMessage(entry));
            causes.add(entry.getThrown());
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };

    private long now;
    private final RareLog rare = new RareLog(LoggerFactory.getLogger("rare"), () -> now);

    @BeforeEach
    void listen() {
        logger.setUseParentHandlers(false);
        logger.addHandler(handler);
    }

    @AfterEach
    void listenNoMore() {
        logger.removeHandler(handler);
    }

    @Test
    void causeIsLoggedAsOne() {
        IllegalStateException cause = new IllegalStateException("no");

        rare.error("pumps", "{} failed", "pumps", cause);

        assertThat(lines).containsExactly("SEVERE pumps failed");
        assertThat(causes).containsExactly(cause);
    }

    @Test
    void firstEntryOfAKeyIsWrittenAtOnceAndThenOneAMinuteThatCountsTheRest() {
        for (int i = 0; i < 20_000; i++) {
            rare.warn("pumps", "{} cannot be decided", "pumps");
        }
        assertThat(lines).containsExactly("WARNING pumps cannot be decided");

        now += TimeUnit.SECONDS.toNanos(60) - 1;
        rare.warn("pumps", "{} cannot be decided", "pumps");
        assertThat(lines).hasSize(1);

        now++;
        rare.warn("pumps", "{} cannot be decided", "pumps");
        assertThat(lines)
                .hasSize(2)
                .last()
                .isEqualTo("WARNING pumps cannot be decided (and 20000 times before, not logged)");

        now += TimeUnit.MINUTES.toNanos(2);
        rare.warn("pumps", "{} cannot be decided", "pumps");
        assertThat(lines).hasSize(3).last().isEqualTo("WARNING pumps cannot be decided");
    }

    @Test
    void keysDoNotSilenceEachOther() {
        rare.warn("pumps", "pumps");
        rare.error("meters", "meters");
        rare.info("erp", "erp");

        assertThat(lines).containsExactly("WARNING pumps", "SEVERE meters", "INFO erp");
    }

    @Test
    void manyKeysFloodNothing() {
        for (int i = 0; i < 20_000; i++) {
            rare.warn("k" + i, "x");
        }

        assertThat(lines).hasSizeBetween(1000, 1001);
    }

    @Test
    void textOfOthersIsOneLine() {
        rare.warn("erp", "Verifier {} says: {}", "erp", "no\r\nSEVERE forged\u001b[2J\u2028" + "x".repeat(1000));

        assertThat(lines).singleElement().asString().startsWith("WARNING Verifier erp says: no??SEVERE forged?[2J?xxx");
        assertThat(lines.get(0)).hasSizeLessThan(600).endsWith("x...");
    }
}
