// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.muster.config.ConfigurationException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How the values of a column are sealed under another key, on every database. */
interface SealedColumnContract {

    SealedColumn LOGINS =
            new SealedColumn("broker_login", "secret", List.of("broker", "access_key"), row -> String.join(" ", row));
    /** More than a page, and not as many as some pages. */
    int ROWS = 2_345;

    /** A database of its own that nothing was stored in. */
    Database open();

    private static MasterKey key(Path directory, int... keys) throws IOException {
        List<String> lines = IntStream.of(keys)
                .mapToObj(key -> Base64.getEncoder()
                        .encodeToString("%032d".formatted(key).getBytes(StandardCharsets.US_ASCII)))
                .toList();
        Path file = Files.createTempFile(directory, "master", "key");
        return MasterKey.open(null, Files.writeString(file, String.join("\r\n", lines)));
    }

    private static List<String> names(int row) {
        // Of the brokers the second has most rows, so that a page ends within each.
        return List.of(row % 10 == 0 ? "a" : row % 10 == 1 ? "c" : "b", "KEY%05d".formatted(row));
    }

    private static void fill(Database database, int from, int to, MasterKey master) {
        database.jdbcTransaction(Sql.batch(
                "INSERT INTO broker_login (broker, access_key, device_id, secret) VALUES (?, ?, ?, ?)",
                IntStream.range(from, to).boxed().toList(),
                row -> new Object[] {
                    names(row).get(0),
                    names(row).get(1),
                    new byte[16],
                    master.seal(plain(row), String.join(" ", names(row)))
                }));
    }

    private static byte[] plain(int row) {
        return ("secret " + row).getBytes(StandardCharsets.US_ASCII);
    }

    private static void assertOpens(Database database, MasterKey master) {
        List<String> opened = database.jdbc(Sql.of("SELECT broker, access_key, secret FROM broker_login")
                .list(row -> new String(
                        master.open(row.getBytes(3), row.getString(1) + " " + row.getString(2)),
                        StandardCharsets.US_ASCII)));
        assertThat(opened)
                .containsExactlyInAnyOrderElementsOf(IntStream.range(0, ROWS)
                        .mapToObj(row -> new String(plain(row), StandardCharsets.US_ASCII))
                        .toList());
    }

    @Test
    default void everyValueIsSealedAnewAndOnlyOnce(@TempDir Path directory) throws IOException {
        try (Database database = open()) {
            fill(database, 0, ROWS, key(directory, 1));

            assertThat(LOGINS.reseal(database, key(directory, 2, 1))).isEqualTo(ROWS);
            assertThat(LOGINS.reseal(database, key(directory, 2, 1))).isZero();

            assertOpens(database, key(directory, 2));
            assertThatThrownBy(() -> assertOpens(database, key(directory, 1)))
                    .isInstanceOf(ConfigurationException.class);
        }
    }

    @Test
    default void startGoesOnWhereAnotherWasKilled(@TempDir Path directory) throws IOException {
        try (Database database = open()) {
            fill(database, 0, 1_500, key(directory, 2));
            fill(database, 1_500, ROWS, key(directory, 1));

            assertThat(LOGINS.reseal(database, key(directory, 2, 1))).isEqualTo(ROWS - 1_500);

            assertOpens(database, key(directory, 2));
        }
    }

    @Test
    default void valueThatNeitherKeyOpensIsLeftAndSaid(@TempDir Path directory) throws IOException {
        try (Database database = open()) {
            fill(database, 0, ROWS, key(directory, 3));

            MasterKey both = key(directory, 2, 1);
            assertThatThrownBy(() -> LOGINS.reseal(database, both))
                    .isInstanceOf(ConfigurationException.class)
                    .hasMessageContaining("muster.master-key-file");
            assertOpens(database, key(directory, 3));
        }
    }
}
