// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin.mongo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import io.muster.spi.SerialNumber;
import io.muster.spi.SerialVerifier;
import io.muster.spi.SerialVerifierContract;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Against a server that speaks MongoDB's wire protocol. */
class MongoVerifierTest implements SerialVerifierContract {

    private static MongoServer server;

    private final List<MongoVerifier> made = new ArrayList<>();

    @BeforeAll
    static void start() {
        server = MongoServer.start();
        server.insert(
                """
                {"serial": "SN-0001", "fleet": "default", "state": "sold", "title": "Boiler 7", "batch": {"lot": "2026-11", "n": 17},
                 "limit": 21.5, "on": true, "count": {"$numberLong": "5000000000"}, "empty": null}
                """,
                "{\"serial\": \"SN-0002\", \"state\": \"scrapped\", \"fleet\": \"pumps\"}",
                "{\"serial\": \"SN-0666\", \"state\": \"sold\", \"theft\": {\"reported\": true}}",
                "{\"serial\": \"TWICE\", \"state\": \"sold\"}",
                "{\"serial\": \"TWICE\", \"state\": \"sold\", \"theft\": {\"reported\": true}}",
                "{\"serial\": \"ODD-1\", \"theft\": [{\"reported\": true}]}",
                "{\"serial\": \"ODD-2\", \"theft\": {\"reported\": {\"by\": \"owner\"}}}",
                "{\"serial\": \"ODD-3\", \"theft\": true}",
                "{\"serial\": \"ODD-4\", \"limit\": {\"$numberDouble\": \"NaN\"}, \"state\": \"sold\"}",
                "{\"serial\": 12345}");
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @AfterEach
    void close() {
        made.forEach(MongoVerifier::close);
    }

    private MongoVerifier with(String... settings) {
        Map<String, String> all =
                new TreeMap<>(Map.of("uri", server.uri(), "database", "factory", "collection", "serials"));
        for (int i = 0; i < settings.length; i += 2) {
            all.put(settings[i], settings[i + 1]);
        }
        MongoVerifier verifier = new MongoVerifier();
        verifier.configure(all);
        made.add(verifier);
        return verifier;
    }

    private static Verdict ask(SerialVerifier verifier, String serial) {
        return verifier.verify(Candidates.withSerial(serial));
    }

    @Override
    public SerialVerifier verifier() {
        return with();
    }

    @Override
    public Optional<Candidate> genuine() {
        return Optional.of(Candidates.withSerial("SN-0001"));
    }

    @Override
    public Candidate notGenuine() {
        return Candidates.withSerial("SN-9999");
    }

    @Override
    public Optional<SerialVerifier> withDeadBackEnd() throws IOException {
        int port;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        }
        return Optional.of(with("uri", "mongodb://127.0.0.1:" + port, "timeout", "PT0.5S"));
    }

    @Override
    public Optional<SerialVerifier> withSlowBackEnd() throws IOException {
        // Like every listening socket, it accepts by itself, but never answers.
        ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        return Optional.of(with("uri", "mongodb://127.0.0.1:" + silent.getLocalPort(), "timeout", "PT0.5S"));
    }

    @Test
    void fieldsBecomeWhatIsKnownOfTheDevice() {
        SerialVerifier verifier = with(
                "name-field", "title",
                "tags", "lot=batch.lot, batch-number=batch.n, state",
                "attributes", "limit, powered=on, count, missing, nothing=empty, within=batch.missing.deep");

        assertThat(ask(verifier, "SN-0001"))
                .isEqualTo(new Verdict.Genuine(
                        Optional.of("Boiler 7"),
                        Map.of("lot", "2026-11", "batch-number", "17", "state", "sold"),
                        Map.of("limit", 21.5, "powered", true, "count", 5_000_000_000L)));
    }

    @Test
    void pathWithinAnotherIsNoFault() {
        assertThat(ask(
                        with("tags", "lot=batch.lot", "attributes", "n=batch.n", "field", "state", "equals", "sold"),
                        "SN-0001"))
                .isInstanceOf(Verdict.Genuine.class);
        assertThatThrownBy(() -> ask(with("tags", "lot=batch.lot, batch"), "SN-0001"))
                .isInstanceOf(VerificationUnavailableException.class)
                .hasMessageContaining("something at batch");
        assertThat(ask(with("tags", "id=_id"), "SN-0001").toString()).matches(".*id=[0-9a-f]{24}.*");
    }

    @Test
    void anotherValueIsUnknownOrRefusedAsConfigured() {
        assertThat(ask(with("field", "state", "equals", "sold"), "SN-0001")).isEqualTo(Verdict.genuine());
        assertThat(ask(with("field", "state", "equals", "sold"), "SN-0002")).isEqualTo(Verdict.unknown());
        assertThat(ask(with("field", "state", "equals", "sold", "otherwise", "refused"), "SN-0002"))
                .isInstanceOf(Verdict.Refused.class);
        assertThat(ask(with("field", "nowhere", "equals", "sold"), "SN-0001")).isEqualTo(Verdict.unknown());
        assertThat(ask(with("field", "on", "equals", "true"), "SN-0001")).isEqualTo(Verdict.genuine());
        assertThat(ask(with("field", "batch.n", "equals", "17"), "SN-0001")).isEqualTo(Verdict.genuine());
    }

    @Test
    void blockedIsRefusedWhateverElseItSays() {
        SerialVerifier verifier = with("field", "state", "equals", "sold", "blocked-field", "theft.reported");

        assertThat(ask(verifier, "SN-0001")).isEqualTo(Verdict.genuine());
        assertThat(ask(verifier, "SN-0666")).isInstanceOf(Verdict.Refused.class);
        assertThat(ask(with("blocked-field", "state", "blocked", "scrapped"), "SN-0002"))
                .isInstanceOf(Verdict.Refused.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ODD-1", "ODD-2", "ODD-3"})
    void whatNobodySaidHowToUnderstandIsNotTakenForUnblocked(String serial) {
        assertThatThrownBy(() -> ask(with("blocked-field", "theft.reported"), serial))
                .isInstanceOf(VerificationUnavailableException.class)
                .hasMessageContaining("theft.reported")
                .hasMessageNotContaining(serial);
    }

    @Test
    void numberThatIsNoneIsUnavailable() {
        assertThatThrownBy(() -> ask(with("attributes", "limit"), "ODD-4"))
                .isInstanceOf(VerificationUnavailableException.class);
    }

    @Test
    void severalDocumentsAreNoAnswer() {
        assertThatThrownBy(() -> ask(verifier(), "TWICE"))
                .isInstanceOf(VerificationUnavailableException.class)
                .hasMessageContaining("several documents")
                .hasMessageNotContaining("TWICE");
    }

    @Test
    void filterMayAskForMore() {
        SerialVerifier verifier = with(
                "filter",
                "{\"$and\": [{\"serial\": {\"$in\": [\"{serial}\", \"X-{serial}\"]}}, {\"fleet\": \"{fleet}\"}]}");

        assertThat(ask(verifier, "SN-0001")).isEqualTo(Verdict.genuine());
        assertThat(ask(verifier, "SN-0002")).isEqualTo(Verdict.unknown());
        assertThat(verifier.verify(Candidate.of(new SerialNumber("SN-0002"), "pumps", "192.0.2.7")))
                .isEqualTo(Verdict.genuine());
    }

    /** Whatever is in it, a serial is compared as a text. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"$ne\":null}",
                "{\"$gt\":\"\"}",
                "$serial",
                "{serial}",
                "{fleet}",
                "\",\"serial\":{\"$ne\":\"",
                "SN-....",
                "/SN-.*/",
                "12345",
                "\\$0$1",
                "[\"SN-0001\"]"
            })
    void serialIsNeverMoreThanAText(String text) {
        for (String filter : List.of(
                "{\"serial\": \"{serial}\"}",
                "{\"serial\": {\"$eq\": \"{serial}\"}}",
                "{\"$or\": [{\"serial\": \"{serial}\"}, {\"old\": {\"$in\": [\"{serial}\"]}}]}")) {
            assertThat(ask(with("filter", filter), text)).isEqualTo(Verdict.unknown());
        }
    }

    @Test
    void serverThatCameBackAnswersWithoutARestart() {
        MongoServer first = MongoServer.start();
        first.insert("{\"serial\": \"SN-0001\"}");
        SerialVerifier verifier = with("uri", first.uri(), "timeout", "PT2S");
        assertThat(ask(verifier, "SN-0001")).isEqualTo(Verdict.genuine());

        first.close();
        assertThatThrownBy(() -> ask(verifier, "SN-0001"))
                .isInstanceOf(VerificationUnavailableException.class)
                .hasMessageContaining("127.0.0.1:" + first.port());

        try (MongoServer second = MongoServer.startOn(first.port())) {
            assertThat(ask(verifier, "SN-0001")).isEqualTo(Verdict.unknown());
            second.insert("{\"serial\": \"SN-0001\"}");
            assertThat(ask(verifier, "SN-0001")).isEqualTo(Verdict.genuine());
        }
    }

    @Test
    void authenticationThatFailsIsUnavailableAndThePasswordIsNotRepeated() {
        // This server knows no users.
        assertThatThrownBy(() -> ask(with("user", "muster", "password", "sesame"), "SN-0001"))
                .isInstanceOf(VerificationUnavailableException.class)
                .hasNoCause()
                .hasMessageContaining("MongoSecurityException")
                .hasMessageNotContaining("sesame");
    }

    @Test
    void verifierThatWasNeverConfiguredCloses() {
        new MongoVerifier().close();
    }
}
