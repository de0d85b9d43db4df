// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.list;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.api.ProblemType;
import io.muster.config.ConfigurationException;
import io.muster.config.MusterConfig;
import io.muster.persistence.Database;
import io.muster.problem.RegistryException;
import io.muster.spi.Candidate;
import io.muster.spi.Candidates;
import io.muster.spi.SerialNumber;
import io.muster.spi.SerialVerifier;
import io.muster.spi.SerialVerifierContract;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import io.muster.verification.Prover;
import io.muster.verification.SerialForm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BlockListVerifierTest implements SerialVerifierContract {

    @TempDir
    Path dir;

    private final Database database = open();

    private static Database open() {
        return Database.open(
                new MusterConfig.Database(
                        "jdbc:h2:mem:blocks" + System.nanoTime() + ";DB_CLOSE_DELAY=-1",
                        Optional.empty(),
                        Optional.empty(),
                        4,
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(5)),
                List.of(),
                Clock.systemUTC());
    }

    @AfterEach
    void close() {
        database.close();
    }

    @Override
    public SerialVerifier verifier() {
        return verifier(Optional.empty());
    }

    private SerialVerifier verifier(Optional<Path> file) {
        ExpectedSerials serials = new ExpectedSerials(database);
        serials.put(
                "default",
                List.of(new ExpectedSerial("SN-0001", Optional.empty(), Optional.empty(), Map.of(), Map.of())),
                List.of(new BlockedSerial("SN-0666", Optional.of("stolen"))),
                (connection, leftOut) -> {});
        return new BlockListVerifier(() -> serials, file.map(BlockFile::new));
    }

    @Override
    public Optional<Candidate> genuine() {
        return Optional.empty();
    }

    @Override
    public Candidate notGenuine() {
        return Candidates.withSerial("SN-0666");
    }

    @Override
    public Optional<SerialVerifier> withDeadBackEnd() {
        Database closed = open();
        closed.close();
        return Optional.of(new BlockListVerifier(() -> new ExpectedSerials(closed), Optional.empty()));
    }

    private static Verdict verdict(SerialVerifier verifier, String serial) {
        return verifier.verify(Candidates.withSerial(serial));
    }

    @Test
    void blockedSerialIsRefusedAndAnyOtherIsUnknown() {
        assertThat(verdict(verifier(), "SN-0666")).isEqualTo(Verdict.refused("the serial is blocked: stolen"));
        for (String serial : List.of("SN-0001", "SN-0002", "sn-0666", "SN-06661", "SN-0666%")) {
            assertThat(verdict(verifier(), serial)).isEqualTo(Verdict.unknown());
        }
        assertThat(verifier().verify(Candidate.of(notGenuine().serial(), "other", Candidates.ORIGIN)))
                .isEqualTo(Verdict.unknown());
    }

    @Test
    void fileBlocksWhatItNames() throws IOException {
        Path file = Files.writeString(
                dir.resolve("stolen"),
                "\ufeff# stolen in Rotterdam, P\u00fcmpen\n\n"
                        + "SN-0700\r\n"
                        + "  SN-0701   # seen again\n"
                        + "#SN-0702\n"
                        + "SN#0703\n"
                        + "\t#\n");
        SerialVerifier verifier = verifier(Optional.of(file));

        for (String serial : List.of("SN-0666", "SN-0700", "SN-0701", "SN#0703")) {
            assertThat(verdict(verifier, serial)).as(serial).isInstanceOf(Verdict.Refused.class);
        }
        for (String serial : List.of("SN-0702", "#SN-0702", "sn-0700", "seen", "SN#0")) {
            assertThat(verdict(verifier, serial)).as(serial).isEqualTo(Verdict.unknown());
        }
    }

    @Test
    void fileIsReadAgainWhenItWasReplacedOrWritten() throws IOException {
        Path file = Files.writeString(dir.resolve("stolen"), "SN-0700\n");
        FileTime time = FileTime.from(Instant.parse("2026-01-01T00:00:00Z"));
        Files.setLastModifiedTime(file, time);
        SerialVerifier verifier = verifier(Optional.of(file));
        assertThat(verdict(verifier, "SN-0700")).isInstanceOf(Verdict.Refused.class);

        Path other = Files.writeString(dir.resolve("new"), "SN-0701\n");
        // The same length and the same time: only the file is another.
        Files.setLastModifiedTime(other, time);
        Files.move(other, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);

        assertThat(verdict(verifier, "SN-0701")).isInstanceOf(Verdict.Refused.class);
        assertThat(verdict(verifier, "SN-0700")).isEqualTo(Verdict.unknown());

        Files.writeString(file, "SN-0702\n");

        assertThat(verdict(verifier, "SN-0702")).isInstanceOf(Verdict.Refused.class);
    }

    @Test
    void fileThatCannotBeReadIsUnavailableUntilItCan() throws IOException {
        Path file = Files.writeString(dir.resolve("stolen"), "SN-0700\n");
        SerialVerifier verifier = verifier(Optional.of(file));
        assertThat(verdict(verifier, "SN-0701")).isEqualTo(Verdict.unknown());

        Files.delete(file);
        assertUnavailable(verifier);
        Files.createDirectory(file);
        assertUnavailable(verifier);
        Files.delete(file);
        Files.writeString(file, "SN-0700\nnot a serial\n");
        assertUnavailable(verifier);
        Files.writeString(file, "");
        assertUnavailable(verifier);
        Files.writeString(file, "SN-0701\n".repeat((16 << 20) / 8 + 1));
        assertUnavailable(verifier);

        Files.writeString(file, "SN-0701\n");
        assertThat(verdict(verifier, "SN-0701")).isInstanceOf(Verdict.Refused.class);
    }

    private static void assertUnavailable(SerialVerifier verifier) {
        assertThatThrownBy(() -> verdict(verifier, "SN-0701"))
                .isInstanceOf(VerificationUnavailableException.class)
                .hasMessageNotContaining("SN-0701");
    }

    @ParameterizedTest
    @ValueSource(strings = {"no-such-file", "."})
    void fileThatCannotBeReadAtTheStartIsAFault(String file) {
        assertThatThrownBy(() -> TestRegistry.fresh()
                        .with("muster.fleet.default.verifiers", "block-list,database")
                        .with("muster.verifier.block-list.file", file)
                        .start())
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("muster.verifier.block-list.file");
    }

    @Test
    void itStandsBeforeVerifiersThatKnowNoList() {
        try (TestNode registry = TestRegistry.fresh()
                .with("muster.fleet.default.verifiers", "block-list,acme")
                .with("acme", candidate -> Verdict.genuine())
                .start()) {
            registry.serialList().block("default", List.of("SN-0666"), Optional.empty(), "test");

            assertThatThrownBy(() -> registry.registrar().register(Candidates.withSerial("SN-0666")))
                    .isInstanceOfSatisfying(RegistryException.class, e -> assertThat(e.type())
                            .isEqualTo(ProblemType.REGISTRATION_REFUSED));
            assertThat(registry.registrar()
                            .register(Candidates.withSerial("SN-0001"))
                            .deviceId())
                    .isNotBlank();

            registry.serialList().unblock("default", List.of("SN-0666"), "test");

            assertThat(registry.registrar()
                            .register(Candidates.withSerial("SN-0666"))
                            .deviceId())
                    .isNotBlank();
        }
    }

    @Test
    void lineOfTheFileBlocksEverySpellingThatTheFleetTakesForTheSame() throws IOException {
        Path file = Files.writeString(dir.resolve("blocked"), "00:11:22:aa:bb:cc\nsn-0001\n");
        Prover verifier = (Prover) verifier(Optional.of(file));
        SerialForm mac = SerialForm.of(List.of("mac"), false);
        Candidate spelled = Candidate.of(new SerialNumber("001122AABBCC"), "default", "192.0.2.1");

        assertThat(verifier.prove(spelled, mac).verdict())
                .isEqualTo(Verdict.refused("the serial is blocked by the file"));
        assertThat(verifier.prove(spelled).verdict()).isEqualTo(Verdict.unknown());
        assertThat(verifier.prove(
                                Candidate.of(new SerialNumber("SN-0001"), "default", "192.0.2.1"),
                                SerialForm.of(List.of("upper"), false))
                        .verdict())
                .isInstanceOf(Verdict.Refused.class);
    }
}
