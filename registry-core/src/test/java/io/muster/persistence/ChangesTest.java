package io.muster.persistence;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.Registry;
import io.muster.TestRegistry;
import io.muster.api.RegistrationReceipt;
import io.muster.spi.Candidate;
import io.muster.spi.SerialNumber;
import io.muster.spi.Verdict;
import org.junit.jupiter.api.Test;

/** What is noted for other nodes. */
class ChangesTest {

    /** As on the embedded database after a power cut: H2 writes the rows, and sometimes not how far it had counted. */
    @Test
    void notesDoNotDependOnWhatTheDatabaseCounts() {
        TestRegistry settings = TestRegistry.fresh()
                .with("anybody", candidate -> Verdict.genuine())
                .with("muster.fleet.default.verifiers", "anybody");
        try (Registry registry = settings.start()) {
            use(registry, "SN-0001");
            settings.execute("ALTER TABLE change_log ALTER COLUMN id RESTART WITH 1");

            use(registry, "SN-0002");
        }
    }

    private static void use(Registry registry, String serial) {
        RegistrationReceipt device =
                registry.registrar().register(Candidate.of(new SerialNumber(serial), "default", "127.0.0.1"));
        assertThat(registry.authenticator().authenticate(device.key(), device.secret()))
                .isPresent();
    }
}
