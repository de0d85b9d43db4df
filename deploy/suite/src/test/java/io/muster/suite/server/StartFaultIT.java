// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.persistence.MariaDbServer;
import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.FreePorts;
import io.muster.suite.fixture.Processes;
import io.muster.suite.fixture.Processes.Ended;
import io.muster.suite.fixture.SharedWorld;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A failed start ends the process, and one message reports every fault. */
@Aside
class StartFaultIT {

    private static final FreePorts PORTS = new FreePorts();
    private static final String SECRET = "sesame-open-1234567890";

    @TempDir
    Path directory;

    private static int unusedPort() {
        return PORTS.next();
    }

    private Ended start(int port, Map<String, String> properties) throws IOException {
        StringBuilder lines = new StringBuilder();
        properties.forEach(
                (name, value) -> lines.append(name).append(" = ").append(value).append('\n'));
        Files.writeString(directory.resolve("muster.properties"), lines);
        return Processes.java(
                directory,
                Map.of("MUSTER_DATA_DIR", directory.resolve("data").toString()),
                List.of("-Xmx512m", "-jar", System.getProperty("muster.jar"), "--port", Integer.toString(port)));
    }

    private void assertOneReadableMessage(Ended ended, String... parts) throws IOException {
        assertMessage(ended, parts);
        assertThat(ended.err().lines().count()).as(ended.err()).isLessThanOrEqualTo(12);
    }

    private void assertMessage(Ended ended, String... parts) throws IOException {
        assertThat(ended.status()).as(ended.all()).isEqualTo(1);
        assertThat(ended.out()).isEmpty();
        assertThat(ended.err()).startsWith("Muster did not start.").contains(parts);
        assertThat(ended.err()).doesNotContain("\tat ", "Exception", "SEVERE", "WARNING");
        assertThat(ended.all()).doesNotContain(SECRET);
        Path log = directory.resolve("data/start-failure.log");
        if (Files.exists(log)) {
            assertThat(Files.readString(log)).doesNotContain(SECRET);
        }
    }

    @Test
    void everyFaultOfTheConfigurationIsInTheMessage() throws IOException {
        Map<String, String> properties = new TreeMap<>();
        properties.put("muster.tokn.lifetime", "PT15M");
        properties.put("muster.token.lifetime", "PT48H");
        properties.put("muster.database.pool-size", "many");
        properties.put("muster.trusted-proxies", "nginx, 10.0.0.1/8");
        properties.put("muster.fleet.default.verifiers", "database, nobody");
        properties.put("muster.registration.refused-status", "402");
        properties.put("muster.database.password", SECRET);

        Ended ended = start(unusedPort(), properties);

        assertOneReadableMessage(
                ended,
                "muster.tokn.lifetime",
                "muster.token.lifetime",
                "muster.database.pool-size",
                "muster.trusted-proxies: \"nginx\" is neither",
                "muster.trusted-proxies: \"10.0.0.1/8\" does not begin where such a range begins; write 10.0.0.0/8",
                "nobody",
                "muster.registration.refused-status");
    }

    @Test
    void everyFaultOfTheProviderOfOperatorsIsInTheMessage() throws IOException {
        Map<String, String> properties = new TreeMap<>();
        properties.put("muster.operators.session-idle", "PT1S");
        String oidc = "muster.operators.oidc.";
        properties.put(oidc + "issuer", "http://10.0.0.1/staff");
        properties.put(oidc + "client-secret", SECRET);
        properties.put(oidc + "grants", "admins, clerks");
        properties.put(oidc + "grant.admins.role", "admin");
        properties.put(oidc + "grant.admins.fleets", "default");
        properties.put(oidc + "grant.clerks.group", "clerks");
        properties.put(oidc + "grant.clerks.rights", "devices:read, mqtt:read, everything");
        properties.put(oidc + "grant.others.group", "others");

        Ended ended = start(unusedPort(), properties);

        assertMessage(
                ended,
                "muster.operators.session-idle",
                oidc + "issuer: must be https",
                oidc + "audience: is required",
                oidc + "client-id: is required",
                oidc + "grant.admins.group: is required",
                oidc + "grant.admins.role: admin is for all fleets",
                oidc + "grant.clerks.rights: mqtt:read is of no use",
                oidc + "grant.clerks.rights: \"everything\" is no right",
                oidc + "grants: does not list others",
                oidc + "grant.others.role: is required");
    }

    @Test
    void databaseThatIsNotThereIsNamed() throws IOException {
        Map<String, String> properties = new TreeMap<>();
        properties.put("muster.database.url", "jdbc:mariadb://127.0.0.1:" + unusedPort() + "/muster");
        properties.put("muster.database.user", "muster");
        properties.put("muster.database.password", SECRET);
        // Otherwise the start logs what it waits for, before the message.
        properties.put("muster.database.start-timeout", "PT0S");

        assertOneReadableMessage(start(unusedPort(), properties), "muster.database", "PT0S", "nothing listens there");
    }

    @Tag("extended")
    @Test
    void portThatIsTakenIsNamed() throws IOException {
        int taken = SharedWorld.embedded().base().getPort();

        assertOneReadableMessage(start(taken, Map.of()), Integer.toString(taken), "--port");
    }

    @Tag("extended")
    @Test
    void wrongMasterKeyIsSaidToBeWrongBesideTheFaultsOfFleets() throws IOException {
        SharedWorld.onMariaDb();
        MariaDbServer server = SharedWorld.mariaDb();
        Map<String, String> properties = SharedWorld.database(directory, server, "shared");
        byte[] key = new byte[32];
        java.util.Arrays.fill(key, (byte) 7);
        String wrong = Base64.getEncoder().encodeToString(key);
        properties.put(
                "muster.master-key-file",
                Files.writeString(directory.resolve("wrong-key"), wrong).toString());

        Ended ended = start(unusedPort(), properties);

        // The fleets of other tests are there, and this start has none of their verifiers.
        assertMessage(ended, "muster.master-key-file", "fleet both names the verifier erp");
        List<String> secrets = new ArrayList<>(List.of(wrong, server.password()));
        assertThat(ended.all()).doesNotContain(secrets);
    }

    @Tag("extended")
    @Test
    void everyPluginThatCannotBeUsedIsNamedWithTheReason() throws IOException {
        Path plugins = Files.createDirectory(directory.resolve("plugins"));
        Path example = Path.of(System.getProperty("muster.plugins"), "example/target/acme-verifier-1.0.jar");
        Files.copy(example, plugins.resolve("acme-1.0.jar"));
        Files.copy(example, plugins.resolve("acme-1.1.jar"));
        Files.writeString(plugins.resolve("broken.jar"), "<html>404</html>");
        Files.copy(
                Path.of(System.getProperty("muster.plugins"), "redis/target/muster-redis.jar"),
                plugins.resolve("redis.jar"));
        Files.copy(example, plugins.resolve("stale.jar"));
        try (FileSystem zip = FileSystems.newFileSystem(plugins.resolve("stale.jar"))) {
            Files.delete(zip.getPath("com/example/AcmeVerifier.class"));
        }
        Map<String, String> properties = new TreeMap<>();
        properties.put("muster.plugins-dir", plugins.toString());
        properties.put("muster.fleet.default.verifiers", "acme, nobody, redis");
        properties.put("muster.verifier.redis.uri", "redis://muster:" + SECRET + "@127.0.0.1");
        properties.put("muster.verifier.redis.kye", "serial:{serial}");

        assertOneReadableMessage(
                start(unusedPort(), properties),
                "plug-in acme-1.1.jar: its verifier has the name acme, and that of acme-1.0.jar too",
                "plug-in broken.jar: cannot be read as a jar",
                "plug-in stale.jar: Provider com.example.AcmeVerifier not found",
                "there is no verifier \"nobody\"; found are acme, approval, block-list, database, hmac, http, jwt, pattern,"
                        + " redis, user, x509",
                "uri: must not contain a user or a password",
                "key: is required",
                "muster.verifier.redis.kye: unknown key; did you mean muster.verifier.redis.key?");
    }

    @Tag("extended")
    @Test
    void pluginDirectoryThatIsNotThereIsNamed() throws IOException {
        Path missing = directory.resolve("nowhere");

        assertOneReadableMessage(
                start(unusedPort(), Map.of("muster.plugins-dir", missing.toString())),
                "muster.plugins-dir",
                missing.toString());
    }
}
