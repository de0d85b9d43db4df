// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.Required;
import io.muster.suite.fixture.Factory;
import io.muster.suite.fixture.ManyConnections;
import io.muster.suite.fixture.Page;
import io.muster.suite.fixture.Processes;
import io.muster.suite.fixture.Processes.Ended;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.fixture.Within;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The commands of the page of this server in {@code docs/servers}, on a copy of the server, up to devices that register. */
@Tag("portable")
@Tag("extended")
class ServerPagesIT {

    private static final Pattern PLACES = Pattern.compile("/opt/\\w+|/etc/muster|/var/lib/muster");
    private static final Pattern PORTS = Pattern.compile("\\b(8000|8048|8080|8081|8443|9990)\\b");
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    private final ServerKind kind = ServerKind.selected();
    private final Path root = SharedWorld.directory("page");
    private final Map<String, Integer> ports = ports(kind);
    private Process server;

    /** The ports of the pages, and those that stand for them. */
    private static Map<String, Integer> ports(ServerKind kind) {
        Map<String, Integer> ports = new HashMap<>();
        if (kind.isGlassFish()) {
            // These take one number, and count from there.
            int base = SharedWorld.unusedHundredPorts();
            Map.of("8000", 0, "8048", 48, "8080", 80, "8081", 81).forEach((port, add) -> ports.put(port, base + add));
            ports.put("https", base + 81);
        } else {
            for (String port : List.of("8080", "8443", "9990")) {
                ports.put(port, SharedWorld.unusedPort());
            }
            ports.put("https", ports.get("8443"));
        }
        return ports;
    }

    private static Page page(ServerKind kind) {
        return Page.of("servers/"
                + switch (kind) {
                    case MICRO -> "muster-jar";
                    case WILDFLY -> "wildfly";
                    case LIBERTY -> "open-liberty";
                    case GLASSFISH -> "glassfish";
                    case PAYARA -> "payara";
                }
                + ".md");
    }

    /** A domain that the commands started and did not get so far as to stop. */
    private void endDomain() throws Exception {
        for (String name : List.of("glassfish7", "payara6")) {
            Path pid = root.resolve("opt").resolve(name).resolve("glassfish/domains/muster/config/pid");
            if (Files.exists(pid)) {
                ProcessHandle.of(Long.parseLong(Files.readString(pid).strip()))
                        .filter(domain -> domain.info().commandLine().orElse("").contains(root.toString()))
                        .ifPresent(ProcessHandle::destroyForcibly);
            }
        }
    }

    @AfterEach
    void end() throws Exception {
        endDomain();
        if (server != null) {
            List<ProcessHandle> all = Stream.concat(server.descendants(), Stream.of(server.toHandle()))
                    .toList();
            all.forEach(ProcessHandle::destroy);
            if (!server.waitFor(60, TimeUnit.SECONDS)) {
                all.forEach(ProcessHandle::destroyForcibly);
            }
            for (ProcessHandle each : all) {
                each.onExit().get(60, TimeUnit.SECONDS);
            }
        }
    }

    private String mine(String commands) {
        String there = PLACES.matcher(commands).replaceAll(place -> Matcher.quoteReplacement(root + place.group()));
        return PORTS.matcher(there)
                .replaceAll(port -> String.valueOf(ports.getOrDefault(port.group(), Integer.valueOf(port.group()))))
                .replace("/usr/bin/java", Recipe.java());
    }

    private Ended run(String commands) {
        Ended ended = Processes.run(
                root,
                Map.of(
                        "PATH",
                        Path.of(Recipe.java()).getParent() + ":" + System.getenv("PATH"),
                        "JAVA_HOME",
                        System.getProperty("java.home"),
                        // where asadmin keeps what it knows of servers
                        "JAVA_TOOL_OPTIONS",
                        "-XX:TieredStopAtLevel=1 -Duser.home=" + root),
                List.of("bash", "-euo", "pipefail", "-c", commands));
        assertThat(ended.status()).as(commands + ended.all()).isZero();
        return ended;
    }

    private static void pem(Path file, String what, byte[] der) throws IOException {
        Files.writeString(
                file,
                "-----BEGIN " + what + "-----\n"
                        + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der) + "\n-----END " + what
                        + "-----\n");
    }

    /** The files that an administrator has at the beginning of the page. */
    private void prepare(Factory factory) throws IOException {
        Path settings = Files.createDirectories(root.resolve("etc/muster"));
        Files.createDirectories(root.resolve("var/lib/muster"));
        Files.createDirectories(root.resolve("opt/muster"));
        if (kind == ServerKind.MICRO) {
            Files.copy(Recipe.named("muster.jar"), root.resolve("opt/muster/muster.jar"));
        } else {
            Files.copy(Recipe.named("muster.war"), root.resolve("opt/muster/registry-web.war"));
            String name =
                    switch (kind) {
                        case WILDFLY -> "wildfly";
                        case LIBERTY -> "wlp";
                        case GLASSFISH -> "glassfish7";
                        default -> "payara6";
                    };
            run("cp -a " + Recipe.named("muster.server.home") + " "
                    + root.resolve("opt").resolve(name));
        }
        Factory.ServerFiles own = Factory.serverFiles(Files.createDirectories(root.resolve("own")));
        Files.copy(own.certificate(), settings.resolve("server.pem"));
        Files.copy(own.key(), settings.resolve("server.key"));
        Files.copy(factory.caFile(), settings.resolve("factory.pem"));
        Files.writeString(
                settings.resolve("muster.properties"),
                mine(
                        """
                        muster.issuer = https://localhost:%d
                        muster.data-dir = /var/lib/muster
                        muster.plugins-dir = /etc/muster/plugins
                        muster.fleets = certified
                        muster.fleet.certified.verifiers = x509
                        muster.verifier.x509.ca-file = /etc/muster/factory.pem
                        """
                                .formatted(ports.get("https"))));
    }

    /** Does what systemd does with the unit of the page. */
    private void start(String unit) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(
                        value(unit, "ExecStart").get(0).split(" "))
                .directory(root.resolve("var/lib/muster").toFile())
                .redirectErrorStream(true)
                .redirectOutput(root.resolve("server.log").toFile());
        Map<String, String> environment = builder.environment();
        environment
                .keySet()
                .removeIf(name -> name.startsWith("MUSTER_") || name.startsWith("JBOSS_") || name.startsWith("WLP_"));
        environment.put("MUSTER_WARM_UP", "PT0S");
        environment.put("JAVA_HOME", System.getProperty("java.home"));
        environment.put("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -Duser.home=" + root);
        Stream.concat(
                        value(unit, "Environment").stream(),
                        value(unit, "EnvironmentFile").stream().flatMap(ServerPagesIT::lines))
                .map(line -> line.split("=", 2))
                .forEach(line -> environment.put(line[0], line[1]));
        server = builder.start();
    }

    private static Stream<String> lines(String file) {
        try {
            return Files.readAllLines(Path.of(file)).stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<String> value(String unit, String name) {
        return unit.lines()
                .filter(line -> line.startsWith(name + "="))
                .map(line -> line.substring(name.length() + 1))
                .toList();
    }

    private String status(String... curl) {
        String command = Stream.of(curl).collect(Collectors.joining(" "));
        return Processes.run(
                        root,
                        Map.of(),
                        List.of(
                                "bash",
                                "-c",
                                "curl -sS -m 30 -o last-answer -w '%{http_version} %{http_code}' " + command))
                .all();
    }

    /** Not by {@link #status}, which would start a thousand processes on a busy machine. */
    private static boolean isReady(String http) {
        try {
            HttpURLConnection connection = (HttpURLConnection)
                    URI.create(http + "/health/ready").toURL().openConnection();
            connection.setConnectTimeout(2_000);
            connection.setReadTimeout(10_000);
            return connection.getResponseCode() == 200;
        } catch (IOException notYet) {
            return false;
        }
    }

    private String log() {
        try {
            return Files.readString(root.resolve("server.log"));
        } catch (IOException e) {
            return e.toString();
        }
    }

    @Test
    void commandsOfThePageLeadToARegistryThatDevicesReachByHttpAndHttpsAndWithACertificate() throws Exception {
        Required.programs("bash", "curl", "openssl");
        Factory factory = new Factory(root);
        prepare(factory);
        Page page = page(kind);
        run(mine(Page.of("servers/README.md").commands("Key stores").get(0)));
        run(mine(String.join("\n", page.commands("Install"))));
        start(mine(page.blocks("Start", "ini").get(0)));
        String http = "http://127.0.0.1:" + ports.get("8080");
        String url = "https://localhost:" + ports.get("https");
        String https = "--cacert etc/muster/server.pem " + url;
        Within.within(PATIENCE, "ready", () -> {
            assertThat(server.isAlive()).as(log()).isTrue();
            return isReady(http);
        });

        String token =
                Files.readString(root.resolve("var/lib/muster/operator-token")).strip();
        Files.writeString(root.resolve("operator-header"), "Authorization: Bearer " + token);
        assertThat(status(
                        "-H @operator-header -H 'Content-Type: text/csv' --data-binary $'serial\\nTEST-0001\\nTEST-0002\\n'",
                        http + "/api/v1/fleets/default/serials"))
                .isEqualTo("1.1 200");
        assertThat(status(json("TEST-0001"), http + "/register")).isEqualTo("1.1 200");
        assertThat(status("--http1.1", json("TEST-0002"), https + "/register"))
                .as(log())
                .isEqualTo("1.1 200");
        for (String version : List.of("--http1.1", "--http2")) {
            String serial = RegistryUnderTest.unusedSerial();
            Factory.Unit unit = factory.unit(serial);
            pem(root.resolve("device.pem"), "CERTIFICATE", unit.certificate().getEncoded());
            pem(root.resolve("device.key"), "PRIVATE KEY", unit.key().getEncoded());
            String certificate = "--cert device.pem --key device.key";
            String register = https + "/fleets/certified/register";

            assertThat(status(version, json(serial), register)).as(version).endsWith(" 400");
            assertThat(status(version, certificate, json(RegistryUnderTest.unusedSerial()), register))
                    .as(version)
                    .endsWith(" 400");
            assertThat(status(version, certificate, json(serial), register))
                    .as(version + Files.readString(root.resolve("last-answer")))
                    .endsWith(" 200");
        }
        assertThat(ManyConnections.register(this::client, URI.create(url + "/register")))
                .as(log())
                .isEqualTo(ManyConnections.ALL_REFUSED);
        assertThat(log()).doesNotContain(token).doesNotContain(storePassword());
    }

    /** A client that trusts the server's certificate, with no connection yet. */
    private HttpClient client() throws IOException, GeneralSecurityException {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        try (InputStream pem = Files.newInputStream(root.resolve("etc/muster/server.pem"))) {
            trusted.setCertificateEntry(
                    "server", CertificateFactory.getInstance("X.509").generateCertificate(pem));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return HttpClient.newBuilder()
                .sslContext(context)
                .connectTimeout(Duration.ofSeconds(30))
                .build();
    }

    private String storePassword() throws IOException {
        return Files.readString(root.resolve("etc/muster/store-password")).strip();
    }

    private static String json(String serial) {
        return "-H 'Content-Type: application/json' -d '" + RegistryUnderTest.body(serial) + "'";
    }
}
