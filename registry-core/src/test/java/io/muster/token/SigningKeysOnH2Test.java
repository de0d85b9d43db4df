// SPDX-License-Identifier: Apache-2.0
package io.muster.token;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.config.ConfigurationException;
import io.muster.persistence.MasterKey;
import io.muster.token.SigningKeys.Entry;
import io.muster.token.SigningKeys.State;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.Test;

class SigningKeysOnH2Test implements SigningKeysContract {

    private static final String OPTIONS = ";MODE=MariaDB;DATABASE_TO_LOWER=TRUE;CASE_INSENSITIVE_IDENTIFIERS=TRUE";

    @Override
    public TestRegistry fresh() {
        return TestRegistry.fresh();
    }

    private static String url(TestRegistry test) {
        return "jdbc:h2:mem:" + test.dataDir().getFileName() + ";DB_CLOSE_DELAY=-1";
    }

    @Test
    void keyOfTheFirstSchemaGoesOnSigning() throws Exception {
        TestRegistry test = fresh();
        Path file = Files.writeString(
                test.dataDir().resolve("master-key"), Base64.getEncoder().encodeToString(new byte[32]));
        MasterKey master = MasterKey.open(null, file);
        Flyway.configure()
                .dataSource(url(test) + OPTIONS, "", "")
                .locations("classpath:db/migration")
                .table("muster_schema")
                .placeholders(Map.of("table", ""))
                .target("2")
                .load()
                .migrate();
        SigningKey key = SigningKey.generate(SigningAlgorithm.ES256);
        Instant made = TestRegistry.NOW.minus(Duration.ofDays(40));
        try (Connection connection = DriverManager.getConnection(url(test) + OPTIONS);
                PreparedStatement insert = connection.prepareStatement(
                        "INSERT INTO signing_key"
                                + " (generation, kid, algorithm, public_key, private_key, created_at) VALUES (1, ?, 'ES256', ?, ?, ?)")) {
            insert.setString(1, key.kid());
            insert.setBytes(2, key.pair().getPublic().getEncoded());
            insert.setBytes(3, master.seal(key.pair().getPrivate().getEncoded(), key.kid()));
            insert.setLong(4, made.toEpochMilli());
            insert.executeUpdate();
        }

        try (TestNode registry = test.with("muster.database.url", url(test)).start()) {
            assertThat(registry.signingKeys().current().kid()).isEqualTo(key.kid());
            assertThat(registry.signingKeys().list())
                    .extracting(Entry::state)
                    .containsExactly(State.SIGNING, State.NEXT);
            Entry old = registry.signingKeys().list().get(0);
            assertThat(old.notBefore()).isEqualTo(made);
            assertThat(old.notAfter()).contains(TestRegistry.NOW.plus(Duration.ofHours(1)));
            assertThat(old.publishedUntil().orElseThrow())
                    .isEqualTo(old.notAfter()
                            .orElseThrow()
                            .plus(Duration.ofHours(24))
                            .plus(SKEW)
                            .plus(MAX_AGE));
        }
    }

    @Test
    void keyThatSomebodyWithoutTheMasterKeyAddedIsNotAccepted() throws SQLException {
        TestRegistry test = fresh();
        test.with("muster.database.url", url(test)).start().close();
        SigningKey theirs = SigningKey.generate(SigningAlgorithm.ES256);
        try (Connection connection = DriverManager.getConnection(url(test) + OPTIONS);
                PreparedStatement insert = connection.prepareStatement(
                        "INSERT INTO signing_key (generation, kid, algorithm,"
                                + " public_key, private_key, created_at) SELECT 0, ?, algorithm, ?, private_key, created_at FROM signing_key")) {
            insert.setString(1, theirs.kid());
            insert.setBytes(2, theirs.pair().getPublic().getEncoded());
            insert.executeUpdate();
        }

        assertThatThrownBy(test::start)
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("muster.master-key-file");
    }
}
