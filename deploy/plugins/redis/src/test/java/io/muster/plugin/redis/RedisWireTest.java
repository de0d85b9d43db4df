// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin.redis;

import static io.muster.plugin.redis.ScriptedServer.says;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.muster.plugin.redis.ScriptedServer.Script;
import io.muster.spi.Candidates;
import io.muster.spi.TimeLimit;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Any bytes of a server become a sensible answer, or unavailable, in time. */
class RedisWireTest {

    private static final Duration LIMIT = Duration.ofMillis(400);
    private static final String SERIAL = "SN-0001";

    private ScriptedServer server;
    private RedisVerifier verifier;

    @BeforeEach
    void start() throws IOException {
        server = new ScriptedServer(says(":1\r\n"));
        verifier = verifier(Map.of("key", "serial:{serial}"));
    }

    @AfterEach
    void stop() throws IOException {
        verifier.close();
        server.close();
    }

    private RedisVerifier verifier(Map<String, String> settings) {
        Map<String, String> all = new TreeMap<>(settings);
        all.put("uri", "redis://127.0.0.1:" + server.port());
        all.put("timeout", LIMIT.toString());
        RedisVerifier made = new RedisVerifier();
        made.configure(all);
        return made;
    }

    private Verdict ask() {
        return assertTimeoutPreemptively(
                TimeLimit.of(Duration.ofSeconds(5)), () -> verifier.verify(Candidates.withSerial(SERIAL)));
    }

    /** Replies that are no answer to EXISTS. */
    static Stream<Arguments> sickAnswers() {
        Map<String, Script> sick = new TreeMap<>();
        sick.put("hangs", line -> line.pause(60_000));
        sick.put("is cut at once", ScriptedServer.Line::close);
        sick.put("is cut in the middle", line -> {
            line.say("$10\r\nhal");
            line.close();
        });
        sick.put("hangs in the middle", line -> {
            line.say("$10\r\nhal");
            line.pause(60_000);
        });
        sick.put("trickles", line -> {
            line.say("+");
            while (!line.pause(50)) {
                line.say("x");
            }
        });
        sick.put("is 100 MB", line -> {
            line.say("$104857600\r\n");
            byte[] megabyte = new byte[1 << 20];
            for (int i = 0; i < 100; i++) {
                line.out().write(megabyte);
            }
            line.say("\r\n");
        });
        sick.put("is a line without end", line -> {
            byte[] megabyte = "x".repeat(1 << 20).getBytes(UTF_8);
            line.say("+");
            for (int i = 0; i < 100; i++) {
                line.out().write(megabyte);
            }
        });
        sick.put("claims 2 GB", says("$2147483647\r\n"));
        sick.put("claims more than an int", says("$99999999999999999999\r\n"));
        sick.put("claims a negative length", says("$-2\r\n"));
        sick.put("claims a length that is a word", says("$ten\r\n"));
        sick.put("claims a list of 2 billion", says("*2147483647\r\n"));
        sick.put("is lists within lists", says("*1\r\n".repeat(50_000)));
        sick.put("is HTTP", says("HTTP/1.1 400 Bad Request\r\n\r\n"));
        sick.put("is garbage", says("\u0000\u0001\u00ff\u00fe\r\n\r\n"));
        sick.put("is empty lines", says("\r\n\r\n\r\n"));
        sick.put("is of RESP 3", says("#t\r\n"));
        sick.put("is a push", says(">1\r\n+invalidate\r\n"));
        sick.put("is a text", says("$1\r\n1\r\n"));
        sick.put("is no text", says("$-1\r\n"));
        sick.put("is a list", says("*1\r\n:1\r\n"));
        sick.put("is a number that is neither yes nor no", says(":2\r\n"));
        sick.put("is a number that is none", says(":1e\r\n"));
        sick.put("says OK", says("+OK\r\n"));
        sick.put("is an error", says("-ERR unknown key 'serial:" + SERIAL + "'\r\n"));
        sick.put("is read-only", says("-READONLY You can't write against a read only replica.\r\n"));
        sick.put("loads", says("-LOADING Redis is loading the dataset in memory\r\n"));
        sick.put("knows no script", says("-NOSCRIPT No matching script. Please use EVAL.\r\n"));
        sick.put("wants a password", says("-NOAUTH Authentication required.\r\n"));
        sick.put("is elsewhere", says("-MOVED 3999 127.0.0.1:6381\r\n"));
        sick.put("is elsewhere without saying where", says("-MOVED\r\n"));
        sick.put("is an error without text", says("-\r\n"));
        sick.put("is busy", says("-BUSY Redis is busy running a script\r\n"));
        sick.put("comes twice", says(":1\r\n:1\r\n"));
        return sick.entrySet().stream().map(entry -> Arguments.of(entry.getKey(), entry.getValue()));
    }

    @Tag("timing")
    @ParameterizedTest(name = "{0}")
    @MethodSource("sickAnswers")
    void answerThatIsNoneIsUnavailableInTimeAndTheNextOneCounts(String name, Script script) {
        server.nowAnswers(script);
        long started = System.nanoTime();

        assertThatThrownBy(this::ask)
                .isInstanceOf(VerificationUnavailableException.class)
                .hasNoCause()
                .hasMessageContaining("127.0.0.1:" + server.port())
                .hasMessageNotContaining(SERIAL);
        assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(TimeLimit.of(LIMIT.plusSeconds(1)));

        server.nowAnswers(says(":1\r\n"));
        assertThat(ask()).isEqualTo(Verdict.genuine());
        server.nowAnswers(says(":0\r\n"));
        assertThat(ask()).isEqualTo(Verdict.unknown());
    }

    /** A late answer to one question never answers the next. */
    @Test
    void answerThatComesTooLateIsNobodysAnswer() {
        server.nowAnswers(line -> {
            line.pause(LIMIT.toMillis() + 200);
            line.say(":1\r\n");
        });
        assertThatThrownBy(this::ask).isInstanceOf(VerificationUnavailableException.class);

        server.nowAnswers(says(":0\r\n"));

        assertThat(ask()).isEqualTo(Verdict.unknown());
    }

    @Test
    void connectionIsKeptForTheNextQuestion() {
        for (int question = 0; question < 10; question++) {
            assertThat(ask()).isEqualTo(Verdict.genuine());
        }

        assertThat(server.connections()).isEqualTo(1);
    }

    @Test
    void moreQuestionsThanConnectionsAreUnavailableInTime() throws Exception {
        verifier.close();
        verifier = verifier(Map.of("key", "serial:{serial}", "pool-size", "1"));
        server.nowAnswers(line -> line.pause(60_000));
        Thread first = new Thread(() -> {
            try {
                verifier.verify(Candidates.withSerial("SN-0002"));
            } catch (VerificationUnavailableException expected) {
                // it is the other question that counts
            }
        });
        first.start();
        while (server.connections() == 0) {
            Thread.onSpinWait();
        }

        assertThatThrownBy(this::ask)
                .isInstanceOf(VerificationUnavailableException.class)
                .hasMessageContaining("127.0.0.1");
        first.join();
    }

    @Test
    void hashWithAFieldWithoutValueIsUnavailable() {
        verifier.close();
        verifier = verifier(Map.of("form", "hash", "key", "serial:{serial}"));
        for (String sick : new String[] {
            "*1\r\n$1\r\na\r\n",
            "*2\r\n$1\r\na\r\n:1\r\n",
            "*2\r\n$1\r\na\r\n$-1\r\n",
            "*-1\r\n",
            "*2\r\n$1\r\na\r\n$1\r\n\u00ff\r\n",
            "*2\r\n$1\r\na\r\n-ERR no\r\n"
        }) {
            server.nowAnswers(says(sick));

            assertThatThrownBy(this::ask).as(sick).isInstanceOf(VerificationUnavailableException.class);
        }
        server.nowAnswers(says("*2\r\n$1\r\na\r\n$1\r\nb\r\n"));
        assertThat(ask()).isEqualTo(Verdict.genuine());
        server.nowAnswers(says("*0\r\n"));
        assertThat(ask()).isEqualTo(Verdict.unknown());
    }
}
