// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import io.muster.spi.SerialNumber;
import io.muster.spi.SerialVerifier;
import io.muster.spi.SerialVerifierContract;
import io.muster.spi.TimeLimit;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** On a real Redis. */
class RedisVerifierTest {

    private static RedisServer server;

    private final List<RedisVerifier> made = new ArrayList<>();

    @BeforeAll
    static void start() {
        server = RedisServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @BeforeEach
    void empty() {
        assertThat(server.command("FLUSHALL")).isEqualTo("+OK");
    }

    @AfterEach
    void close() {
        made.forEach(RedisVerifier::close);
    }

    private RedisVerifier verifier(String... settings) {
        Map<String, String> all = new HashMap<>(Map.of("uri", server.uri(), "password", server.password()));
        for (int i = 0; i < settings.length; i += 2) {
            all.put(settings[i], settings[i + 1]);
        }
        RedisVerifier verifier = new RedisVerifier();
        verifier.configure(all);
        made.add(verifier);
        return verifier;
    }

    private static Verdict ask(SerialVerifier verifier, String serial) {
        return verifier.verify(Candidates.withSerial(serial));
    }

    private static void set(String... command) {
        assertThat(server.command(command)).matches("\\+OK|:\\d+");
    }

    /** The promises of every form. */
    private interface OnRedis extends SerialVerifierContract {

        SerialVerifier with(String... settings);

        String[] form();

        @Override
        default SerialVerifier verifier() {
            return with(form());
        }

        @Override
        default Optional<Candidate> genuine() {
            return Optional.of(Candidates.withSerial("SN-0001"));
        }

        @Override
        default Candidate notGenuine() {
            return Candidates.withSerial("SN-9999");
        }

        @Override
        default Optional<SerialVerifier> withDeadBackEnd() throws IOException {
            int port;
            try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                port = socket.getLocalPort();
            }
            return Optional.of(with(and("uri", "redis://127.0.0.1:" + port)));
        }

        @Override
        default Optional<SerialVerifier> withSlowBackEnd() throws IOException {
            // Like every listening socket, it accepts by itself, but never answers.
            ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
            return Optional.of(with(and("uri", "redis://127.0.0.1:" + silent.getLocalPort(), "timeout", "PT0.3S")));
        }

        private String[] and(String... more) {
            List<String> all = new ArrayList<>(List.of(form()));
            all.addAll(List.of(more));
            return all.toArray(String[]::new);
        }
    }

    @Nested
    class OfASet implements OnRedis {

        @BeforeEach
        void fill() {
            set("SADD", "serials", "SN-0001", "SN-0002", "SN-0666");
            set("SADD", "stolen", "SN-0666", "SN-0667");
        }

        @Override
        public SerialVerifier with(String... settings) {
            return RedisVerifierTest.this.verifier(settings);
        }

        @Override
        public String[] form() {
            return new String[] {"form", "set", "key", "serials", "blocked-key", "stolen"};
        }

        @Test
        void memberOfTheSetOfBlockedSerialsIsRefused() {
            assertThat(ask(verifier(), "SN-0666")).isInstanceOf(Verdict.Refused.class);
            assertThat(ask(verifier(), "SN-0667")).isInstanceOf(Verdict.Refused.class);
            assertThat(ask(verifier(), "SN-0002")).isEqualTo(Verdict.genuine());
            assertThat(ask(verifier(), "SN-0003")).isEqualTo(Verdict.unknown());
        }

        @Test
        void eachFleetHasASetOfItsOwn() {
            set("SADD", "serials:pumps", "SN-0001");
            SerialVerifier verifier = with("form", "set", "key", "serials:{fleet}");

            assertThat(verifier.verify(Candidate.of(new SerialNumber("SN-0001"), "pumps", "192.0.2.7")))
                    .isEqualTo(Verdict.genuine());
            assertThat(ask(verifier, "SN-0001")).isEqualTo(Verdict.unknown());
        }

        @Test
        void keyOfAnotherTypeIsUnavailable() {
            set("SET", "serials", "SN-0001");

            assertThatThrownBy(() -> ask(verifier(), "SN-0001"))
                    .isInstanceOf(VerificationUnavailableException.class)
                    .hasMessageContaining("WRONGTYPE")
                    .hasMessageNotContaining("SN-0001");
        }
    }

    @Nested
    class OfFields implements OnRedis {

        @BeforeEach
        void fill() {
            set("HSET", "serials", "SN-0001", "sold", "SN-0002", "scrapped", "SN-0666", "stolen");
        }

        @Override
        public SerialVerifier with(String... settings) {
            return RedisVerifierTest.this.verifier(settings);
        }

        @Override
        public String[] form() {
            return new String[] {"form", "field", "key", "serials"};
        }

        @Test
        void anyValueIsGenuineUnlessOneIsAskedFor() {
            assertThat(ask(verifier(), "SN-0666")).isEqualTo(Verdict.genuine());
        }

        @Test
        void valueDecides() {
            SerialVerifier verifier = with("form", "field", "key", "serials", "equals", "sold", "blocked", "stolen");

            assertThat(ask(verifier, "SN-0001")).isEqualTo(Verdict.genuine());
            assertThat(ask(verifier, "SN-0002")).isEqualTo(Verdict.unknown());
            assertThat(ask(verifier, "SN-0003")).isEqualTo(Verdict.unknown());
            assertThat(ask(verifier, "SN-0666")).isInstanceOf(Verdict.Refused.class);
        }
    }

    @Nested
    class OfHashes implements OnRedis {

        @BeforeEach
        void fill() {
            set(
                    "HSET",
                    "serial:SN-0001",
                    "state",
                    "sold",
                    "title",
                    "Boiler 7",
                    "site",
                    "17",
                    "limit",
                    "21.5",
                    "on",
                    "true");
            set("HSET", "serial:SN-0002", "state", "scrapped");
            set("HSET", "serial:SN-0003", "state", "sold", "limit", "warm");
            set("HSET", "serial:SN-0004", "state", "sold", "limit", "1e999");
            set("HSET", "serial:SN-0666", "state", "sold", "stolen", "true");
        }

        @Override
        public SerialVerifier with(String... settings) {
            return RedisVerifierTest.this.verifier(settings);
        }

        @Override
        public String[] form() {
            return new String[] {
                "form", "hash",
                "key", "serial:{serial}",
                "field", "state",
                "equals", "sold",
                "blocked-field", "stolen",
                "name-field", "title",
                "tags", "site",
                "attributes", "limit:number, powered:boolean=on, site-number:number=site, missing"
            };
        }

        @Test
        void fieldsBecomeWhatIsKnownOfTheDevice() {
            assertThat(ask(verifier(), "SN-0001"))
                    .isEqualTo(new Verdict.Genuine(
                            Optional.of("Boiler 7"),
                            Map.of("site", "17"),
                            Map.of("limit", 21.5, "powered", true, "site-number", 17L)));
        }

        @Test
        void anotherValueIsUnknownOrRefusedAsConfigured() {
            assertThat(ask(verifier(), "SN-0002")).isEqualTo(Verdict.unknown());
            assertThat(ask(
                            with(
                                    "form",
                                    "hash",
                                    "key",
                                    "serial:{serial}",
                                    "field",
                                    "state",
                                    "equals",
                                    "sold",
                                    "otherwise",
                                    "refused"),
                            "SN-0002"))
                    .isInstanceOf(Verdict.Refused.class);
        }

        @Test
        void blockedIsRefusedWhateverElseItSays() {
            assertThat(ask(verifier(), "SN-0666")).isInstanceOf(Verdict.Refused.class);
        }

        @ParameterizedTest
        @ValueSource(strings = {"SN-0003", "SN-0004"})
        void textThatIsNoNumberIsUnavailable(String serial) {
            assertThatThrownBy(() -> ask(verifier(), serial))
                    .isInstanceOf(VerificationUnavailableException.class)
                    .hasMessageContaining("limit")
                    .hasMessageNotContaining(serial);
        }

        @Test
        void hashThatIsTooLargeIsUnavailable() {
            set("HSET", "serial:SN-0001", "note", "x".repeat(300_000));

            assertThatThrownBy(() -> ask(verifier(), "SN-0001"))
                    .isInstanceOf(VerificationUnavailableException.class)
                    .hasMessageContaining("longer than");
        }
    }

    @Nested
    class OfKeys implements OnRedis {

        @BeforeEach
        void fill() {
            set("SET", "serial:SN-0001", "sold");
            set("SET", "serial:SN-0002", "scrapped");
        }

        @Override
        public SerialVerifier with(String... settings) {
            return RedisVerifierTest.this.verifier(settings);
        }

        @Override
        public String[] form() {
            return new String[] {"key", "serial:{serial}"};
        }

        @Test
        void valueDecidesIfOneIsAskedFor() {
            SerialVerifier verifier =
                    with("key", "serial:{serial}", "equals", "sold", "otherwise", "refused", "blocked", "stolen");

            assertThat(ask(verifier(), "SN-0002")).isEqualTo(Verdict.genuine());
            assertThat(ask(verifier, "SN-0001")).isEqualTo(Verdict.genuine());
            assertThat(ask(verifier, "SN-0002")).isInstanceOf(Verdict.Refused.class);
            assertThat(ask(verifier, "SN-0003")).isEqualTo(Verdict.unknown());
        }

        /** Whatever characters a serial has, it is one argument of one command, at the place of its placeholder. */
        @ParameterizedTest
        @ValueSource(
                strings = {
                    "SN-0001\r\nFLUSHALL",
                    "*",
                    "serial:*",
                    "SN-000?",
                    "{serial}",
                    "{fleet}",
                    "$1",
                    "\\$0",
                    "x\"y'z",
                    "SN-0001:SN-0001",
                    "[a-z]SN"
                })
        void serialIsNeverMoreThanAText(String text) {
            if (!SerialNumber.isValid(text)) {
                return;
            }
            assertThat(ask(verifier(), text)).isEqualTo(Verdict.unknown());
            set("SET", "serial:" + text, "sold");
            assertThat(ask(verifier(), text)).isEqualTo(Verdict.genuine());
            assertThat(server.command("DBSIZE")).isEqualTo(":3");
        }
    }

    @Test
    void wrongPasswordIsUnavailableAndNotRepeated() {
        for (String user : List.of("", "default")) {
            RedisVerifier verifier = new RedisVerifier();
            Map<String, String> settings =
                    new HashMap<>(Map.of("uri", server.uri(), "password", "sesame", "key", "serial:{serial}"));
            if (!user.isEmpty()) {
                settings.put("user", user);
            }
            verifier.configure(settings);
            made.add(verifier);

            assertThatThrownBy(() -> ask(verifier, "SN-0001"))
                    .isInstanceOf(VerificationUnavailableException.class)
                    .hasMessageContaining("WRONGPASS")
                    .hasMessageNotContaining("sesame");
        }
    }

    @Test
    void userWithFewRightsIsEnough() {
        set("ACL", "SETUSER", "muster", "on", ">few-rights", "~serial:*", "+exists");
        set("SET", "serial:SN-0001", "sold");
        SerialVerifier few = verifier("user", "muster", "password", "few-rights", "key", "serial:{serial}");

        assertThat(ask(few, "SN-0001")).isEqualTo(Verdict.genuine());
        assertThatThrownBy(() -> ask(
                        verifier(
                                "user", "muster", "password", "few-rights", "key", "serial:{serial}", "equals", "sold"),
                        "SN-0001"))
                .isInstanceOf(VerificationUnavailableException.class)
                .hasMessageContaining("NOPERM");
        set("ACL", "DELUSER", "muster");
    }

    @Test
    void databaseIsTheOneOfTheAddress() {
        set("SET", "serial:SN-0001", "sold");
        set("SWAPDB", "0", "3");

        assertThat(ask(verifier("key", "serial:{serial}"), "SN-0001")).isEqualTo(Verdict.unknown());
        assertThat(ask(verifier("uri", server.uri() + "/3", "key", "serial:{serial}"), "SN-0001"))
                .isEqualTo(Verdict.genuine());
    }

    @Test
    void redisThatWasRestartedAnswersAtOnce() {
        set("SET", "serial:SN-0001", "sold");
        SerialVerifier verifier = verifier("key", "serial:{serial}");
        assertThat(ask(verifier, "SN-0001")).isEqualTo(Verdict.genuine());

        server.restart();

        assertThat(ask(verifier, "SN-0001")).isEqualTo(Verdict.unknown());
        set("SET", "serial:SN-0001", "sold");
        assertThat(ask(verifier, "SN-0001")).isEqualTo(Verdict.genuine());
    }

    @Tag("timing")
    @Test
    void redisThatHangsIsUnavailableUntilItGoesOn() {
        set("SET", "serial:SN-0001", "sold");
        SerialVerifier verifier = verifier("key", "serial:{serial}", "timeout", "PT0.3S");
        assertThat(ask(verifier, "SN-0001")).isEqualTo(Verdict.genuine());

        server.freeze();
        try {
            long started = System.nanoTime();
            assertThatThrownBy(() -> ask(verifier, "SN-0001")).isInstanceOf(VerificationUnavailableException.class);
            assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(TimeLimit.of(Duration.ofMillis(1500)));
        } finally {
            server.thaw();
        }

        assertThat(ask(verifier, "SN-0001")).isEqualTo(Verdict.genuine());
    }

    @Test
    void verifierThatWasNeverConfiguredCloses() {
        new RedisVerifier().close();
    }
}
