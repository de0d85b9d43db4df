// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.server;

import io.muster.suite.fixture.Factory;
import io.muster.suite.fixture.RawHttp;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.fixture.Within;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;

/**
 * A proxy of this machine with the sample of {@code deploy/proxy} for it. Only addresses and paths of files in the
 * sample are replaced. Other settings, which such a server needs to run by itself, are in a file around it.
 */
final class ProxyServer implements AutoCloseable {

    private static final Path SAMPLES = Path.of(System.getProperty("basedir", ""), "../proxy")
            .toAbsolutePath()
            .normalize();
    private static final String CERTIFICATE = "/etc/ssl/devices.example.com/fullchain.pem";
    private static final String KEY = "/etc/ssl/devices.example.com/key.pem";

    /** Which one. */
    enum Kind {
        NGINX("nginx"),
        HAPROXY("haproxy"),
        HTTPD("apache2");

        private final String program;

        Kind(String program) {
            this.program = program;
        }

        boolean isInstalled() {
            return Files.isExecutable(program()) && (this != HTTPD || Files.isDirectory(MODULES));
        }

        private Path program() {
            return Path.of("/usr/sbin", program);
        }
    }

    private static final Path MODULES = Path.of("/usr/lib/apache2/modules");

    private final Kind kind;
    private final Path directory;
    private final int port = SharedWorld.unusedPort();
    private final Factory.ServerFiles tls;
    private Process process;

    private ProxyServer(Kind kind, Path directory) {
        this.kind = kind;
        this.directory = directory;
        this.tls = Factory.serverFiles(directory);
    }

    /** Starts one in front of two ports of this machine. */
    static ProxyServer start(Kind kind, Path directory, int one, int two) {
        try {
            ProxyServer server = new ProxyServer(kind, Files.createTempDirectory(directory, "proxy"));
            Path configuration = server.configure(one, two);
            server.process = new ProcessBuilder(server.command(configuration))
                    .directory(server.directory.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(server.directory.resolve("log").toFile())
                    .start();
            server.awaitPort();
            return server;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void awaitPort() {
        boolean done = false;
        try {
            Within.within(Duration.ofSeconds(20), kind + " listens, see " + directory, this::listens);
            done = true;
        } finally {
            if (!done) {
                close();
            }
        }
    }

    private List<String> command(Path configuration) {
        String program = kind.program().toString();
        return switch (kind) {
            case NGINX -> List.of(program, "-p", directory.toString(), "-c", configuration.toString());
            case HAPROXY -> List.of(program, "-f", configuration.toString());
            case HTTPD -> List.of(program, "-D", "FOREGROUND", "-f", configuration.toString());
        };
    }

    private Path configure(int one, int two) throws IOException {
        Map<String, String> own = new LinkedHashMap<>();
        own.put("127.0.0.1:8080", "127.0.0.1:" + one);
        own.put("127.0.0.1:8081", "127.0.0.1:" + two);
        return switch (kind) {
            case NGINX -> {
                own.put("listen 443 ssl", "listen 127.0.0.1:" + port + " ssl");
                own.put(CERTIFICATE, tls.certificate().toString());
                own.put(KEY, tls.key().toString());
                yield write("nginx.conf", around(sample("nginx.conf", own)));
            }
            case HAPROXY -> {
                own.put("bind :443 ", "bind 127.0.0.1:" + port + " ");
                own.put(
                        "/etc/haproxy/devices.example.com.pem",
                        write("both.pem", Files.readString(tls.certificate()) + Files.readString(tls.key()))
                                .toString());
                yield write("haproxy.cfg", sample("haproxy.cfg", own));
            }
            case HTTPD -> {
                own.put("Listen 443", "Listen 127.0.0.1:" + port);
                own.put("<VirtualHost *:443>", "<VirtualHost *:" + port + ">");
                own.put(CERTIFICATE, tls.certificate().toString());
                own.put(KEY, tls.key().toString());
                yield write("httpd.conf", modules() + sample("httpd.conf", own));
            }
        };
    }

    private static String sample(String name, Map<String, String> own) throws IOException {
        String text = Files.readString(SAMPLES.resolve(name));
        for (Map.Entry<String, String> replacement : own.entrySet()) {
            if (!text.contains(replacement.getKey())) {
                throw new AssertionError(name + " has no " + replacement.getKey());
            }
            text = text.replace(replacement.getKey(), replacement.getValue());
        }
        return text;
    }

    /** Otherwise root's processes change to a user who may not write here. */
    private static boolean isRoot() {
        return System.getProperty("user.name").equals("root");
    }

    private String around(String site) throws IOException {
        Path file = write("muster.conf", site);
        String temporary = Stream.of("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
                .map(what -> what + "_temp_path " + directory.resolve(what) + ";\n")
                .collect(Collectors.joining());
        return """
                %sdaemon off;
                pid %s;
                error_log stderr;
                events {}
                http {
                    access_log off;
                    %s
                    include %s;
                }
                """
                .formatted(isRoot() ? "user root;\n" : "", directory.resolve("pid"), temporary, file);
    }

    /** Does what {@code a2enmod} in the sample's second line does. */
    private String modules() throws IOException {
        String enabled = Files.readAllLines(SAMPLES.resolve("httpd.conf")).stream()
                .filter(line -> line.startsWith("# a2enmod "))
                .findFirst()
                .orElseThrow()
                .substring("# a2enmod ".length());
        // The modules that Debian enables, and those that a2enmod adds with the others.
        String modules = Stream.of("mpm_event authz_core socache_shmcb " + enabled)
                .flatMap(names -> Stream.of(names.split(" ")))
                .map(name -> "LoadModule " + name + "_module " + MODULES.resolve("mod_" + name + ".so") + "\n")
                .collect(Collectors.joining());
        return "ServerRoot " + directory + "\nDefaultRuntimeDir " + directory + "\nPidFile " + directory.resolve("pid")
                + "\nErrorLog /dev/stderr\n" + (isRoot() ? "User nobody\nGroup nogroup\n" : "") + modules;
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(directory.resolve(name), text);
    }

    private boolean listens() {
        if (!process.isAlive()) {
            throw new AssertionError(kind + " ended: " + log());
        }
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1000);
            return true;
        } catch (IOException notYet) {
            return false;
        }
    }

    String log() {
        try {
            return Files.readString(directory.resolve("log"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Connects from an address of this machine. */
    RawHttp connect(String from) throws IOException {
        Socket plain = new Socket();
        plain.bind(new InetSocketAddress(from, 0));
        plain.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 5000);
        plain.setTcpNoDelay(true);
        return new RawHttp(trusting().createSocket(plain, "localhost", port, true));
    }

    private SSLSocketFactory trusting() throws IOException {
        try (var in = Files.newInputStream(tls.certificate())) {
            Certificate own = CertificateFactory.getInstance("X.509").generateCertificate(in);
            KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
            trusted.load(null, null);
            trusted.setCertificateEntry("own", own);
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(trusted);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            return context.getSocketFactory();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Sends one request from an address of this machine. */
    Reply exchange(String from, String method, String target, String type, byte[] body, String... headers) {
        try (RawHttp http = connect(from)) {
            http.write(RawHttp.request(method, target, type, body, headers));
            return http.reply(false);
        } catch (IOException e) {
            throw new UncheckedIOException(kind + " " + method + " " + target + ": " + log(), e);
        }
    }

    @Override
    public void close() {
        List<ProcessHandle> all = Stream.concat(process.descendants(), Stream.of(process.toHandle()))
                .toList();
        process.destroy();
        process.onExit()
                .orTimeout(10, TimeUnit.SECONDS)
                .exceptionally(e -> null)
                .join();
        all.forEach(ProcessHandle::destroyForcibly);
    }
}
