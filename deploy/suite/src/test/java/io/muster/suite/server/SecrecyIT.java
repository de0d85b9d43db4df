// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.server;

import static io.muster.suite.fixture.RegistryUnderTest.FORM;
import static io.muster.suite.fixture.RegistryUnderTest.JSON;
import static org.assertj.core.api.Assertions.assertThat;

import io.muster.persistence.MariaDbServer;
import io.muster.suite.fixture.Aside;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * With every logger at its finest level, no secret is in a log, in any encoding. None can be read from the database.
 */
@Aside
class SecrecyIT {

    private static final String DATABASE = "secrecy";

    /** The secrets that must be nowhere, by their kind. */
    private static final Map<String, String> SECRETS = new LinkedHashMap<>();

    private static MariaDbServer mariaDb;
    private static MusterServer server;

    @BeforeAll
    static void everythingThatHappensIsLogged() throws Exception {
        mariaDb = SharedWorld.mariaDb();
        Path directory = SharedWorld.directory("secrecy");
        Path logging = Files.writeString(
                directory.resolve("logging.properties"),
                """
                handlers=java.util.logging.ConsoleHandler
                java.util.logging.ConsoleHandler.level=ALL
                java.util.logging.ConsoleHandler.formatter=java.util.logging.SimpleFormatter
                # Below this the server trips over a debugging statement of its own and does not start.
                .level=FINE
                # These two of the server's write requests down, headers or address, which is what they are for.
                org.glassfish.grizzly.level=INFO
                fish.payara.microprofile.telemetry.level=INFO
                io.muster.level=ALL
                io.jsonwebtoken.level=ALL
                com.zaxxer.level=ALL
                org.eclipse.persistence.level=ALL
                org.flywaydb.level=ALL
                org.mariadb.level=ALL
                org.glassfish.jersey.level=ALL
                org.apache.catalina.level=ALL
                dev.failsafe.level=ALL
                jdk.httpclient.level=ALL
                """);
        ServerSettings settings = SharedWorld.settings(directory, SharedWorld.database(directory, mariaDb, DATABASE))
                .withArguments("--logproperties", logging.toString());
        server = MusterServer.start(settings);
        live(new RegistryUnderTest(server, server.operatorToken()));
        server.stop();
        SECRETS.put("operator's token", server.operatorToken());
        SECRETS.put("database's password", mariaDb.password());
        SECRETS.put(
                "master key",
                Files.readString(server.dataDir().resolve("master-key")).strip());
    }

    @AfterAll
    static void end() {
        if (server != null) {
            server.close();
        }
    }

    /** Plays the events in the life of devices, good and bad. */
    private static void live(RegistryUnderTest registry) {
        Registered device = registry.newDevice();
        Registered again = registry.registered(device.serial());
        String token = registry.accessToken(again);
        SECRETS.put("voided secret", device.secret());
        SECRETS.put("secret", again.secret());
        SECRETS.put("access token", token);
        SECRETS.put("signature", token.substring(token.lastIndexOf('.') + 1));

        registry.post(
                "token",
                FORM,
                "grant_type=client_credentials&client_id=" + again.key() + "&client_secret=" + again.secret());
        registry.post(
                "token", FORM, "grant_type=password&client_id=" + again.key() + "&client_secret=" + again.secret());
        registry.post("token?client_secret=" + again.secret(), FORM, "grant_type=client_credentials");
        registry.post("token", JSON, "{\"client_secret\":\"" + again.secret() + "\"}");
        registry.post("token", FORM, "client_secret=" + again.secret() + "%zz");
        registry.token("nobody", again.secret());
        registry.token(again.key(), device.secret());
        registry.register(again.serial());
        registry.post(
                "register", JSON, "{\"serial\":\"" + again.secret() + "\",\"serial\":\"" + again.secret() + "\"}");
        registry.post("register", JSON, "{\"evidence\":{\"password\":\"" + again.secret() + "\"},\"serial\":1}");
        registry.post("register", JSON, again.secret());
        registry.get("devices/me", RegistryUnderTest.bearer(again.secret()));
        registry.ownRecord(token);
        registry.ownRecord(token + "x");
        registry.ownRecord(token.substring(1));
        registry.introspect(token);
        registry.introspect(token + "x");
        registry.introspect(again.secret());
        registry.get("api/v1/devices", RegistryUnderTest.bearer(token));
        registry.get("api/v1/devices?access_token=" + token, registry.asOperator());
        registry.get("nowhere", registry.asOperator());
        registry.load("serial\n" + again.serial() + "," + again.secret() + "\n");
        Reply operator = registry.post(
                "api/v1/operators",
                JSON,
                "{\"name\":\"resource server\",\"rights\":[\"introspect\"]}",
                registry.asOperator());
        SECRETS.put("resource server's token", operator.json().path("token").asText());
        registry.post(
                "introspect",
                FORM,
                "token=" + token,
                RegistryUnderTest.bearer(operator.json().path("token").asText()));
        registry.change(again.deviceId(), "disable");
        registry.token(again);
        registry.introspect(token);
    }

    /**
     * Returns a secret in every form in which it may be written: as it is, in hex, and in base64 by itself or within
     * something longer.
     */
    private static Set<String> spellings(String secret) {
        byte[] bytes = secret.getBytes(StandardCharsets.UTF_8);
        Set<String> spellings = new LinkedHashSet<>(List.of(
                secret,
                HexFormat.of().formatHex(bytes),
                HexFormat.of().withUpperCase().formatHex(bytes)));
        for (int before = 0; before < 3; before++) {
            byte[] shifted = new byte[before + bytes.length];
            System.arraycopy(bytes, 0, shifted, before, bytes.length);
            // Characters that depend on the neighbours are left out.
            String base64 = Base64.getEncoder().withoutPadding().encodeToString(shifted);
            String middle = base64.substring(before == 0 ? 0 : 4, base64.length() - 4);
            spellings.add(middle);
            spellings.add(middle.replace('+', '-').replace('/', '_'));
        }
        return spellings;
    }

    private static List<String> found(String where, String text) {
        List<String> found = new ArrayList<>();
        SECRETS.forEach((what, secret) -> spellings(secret).forEach(spelling -> {
            int at = text.indexOf(spelling);
            if (at >= 0) {
                found.add(what + " in " + where + ": ..."
                        + text.substring(Math.max(0, at - 200), at).replace('\n', '|') + "<here>");
            }
        }));
        return found;
    }

    @Test
    void noLogHasASecretInAnyEncoding() throws IOException {
        String log = Files.readString(server.log(), StandardCharsets.ISO_8859_1);

        // Else it would be easy.
        assertThat(log).contains("io.muster.").hasSizeGreaterThan(50_000);
        assertThat(SECRETS).hasSize(8);
        assertThat(found("the log", log)).isEmpty();
    }

    @Test
    void nothingElseInTheDataDirectoryHasOne() throws IOException {
        List<String> found = new ArrayList<>();
        try (Stream<Path> files = Files.walk(server.dataDir())) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String name = file.getFileName().toString();
                if (!name.equals("operator-token") && !name.equals("master-key")) {
                    found.addAll(found(name, Files.readString(file, StandardCharsets.ISO_8859_1)));
                }
            }
        }
        assertThat(found).isEmpty();
    }

    @Test
    void databaseHasNoneThatCouldBeRead() throws SQLException {
        List<String> found = new ArrayList<>();
        int tables = 0;
        try (Connection connection =
                        DriverManager.getConnection(mariaDb.jdbcUrl(DATABASE), mariaDb.user(), mariaDb.password());
                Statement statement = connection.createStatement();
                ResultSet names = statement.executeQuery("SHOW TABLES")) {
            while (names.next()) {
                tables++;
                found.addAll(found(names.getString(1), content(connection, names.getString(1))));
            }
        }
        assertThat(tables).isGreaterThan(6);
        assertThat(found).isEmpty();
    }

    private static String content(Connection connection, String table) throws SQLException {
        StringBuilder content = new StringBuilder();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT * FROM `" + table + "`")) {
            int columns = rows.getMetaData().getColumnCount();
            while (rows.next()) {
                for (int i = 1; i <= columns; i++) {
                    Object value = rows.getObject(i);
                    String text = value instanceof byte[] bytes
                            ? new String(bytes, StandardCharsets.ISO_8859_1)
                            : String.valueOf(value);
                    content.append(text).append('\n');
                }
            }
        }
        return content.toString();
    }
}
