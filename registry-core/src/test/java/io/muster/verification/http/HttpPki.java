// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** Certificates that the JDK's keytool makes, by name, in one key store; and PEM files of them. */
public final class HttpPki {

    /** Of the key store. */
    public static final String PASSWORD = "password";

    private final Path dir;
    private final Path file;
    private KeyStore store;

    /** Keeps everything in a directory. */
    public HttpPki(Path dir) throws IOException {
        this.dir = Files.createDirectories(dir);
        this.file = dir.resolve("keys.p12");
    }

    /** Makes a self-signed authority. */
    public HttpPki authority(String name, String... more) throws Exception {
        return make(name, "EC", List.of("-ext", "bc:critical=ca:true"), more);
    }

    /** Makes an authority below another. */
    public HttpPki authorityBelow(String signer, String name) throws Exception {
        return make(name, "EC", List.of("-ext", "bc:critical=ca:true", "-signer", signer));
    }

    /** Makes the certificate of a server at {@code localhost}. */
    public HttpPki server(String name, String signer) throws Exception {
        return make(name, "EC", List.of("-ext", "san=dns:localhost", "-signer", signer));
    }

    /** Makes a self-signed certificate of a server at {@code localhost}. */
    public HttpPki selfSignedServer(String name) throws Exception {
        return make(name, "EC", List.of("-ext", "san=dns:localhost"));
    }

    /** Makes the certificate of a client. */
    public HttpPki client(String name, String algorithm, String signer) throws Exception {
        return make(name, algorithm, List.of("-ext", "eku=clientAuth", "-signer", signer));
    }

    private HttpPki make(String name, String algorithm, List<String> options, String... more) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                name,
                "-keyalg",
                algorithm,
                "-dname",
                "CN=" + name,
                "-storetype",
                "PKCS12",
                "-keystore",
                file.toString(),
                "-storepass",
                PASSWORD));
        command.addAll(options);
        command.addAll(more.length == 0 ? List.of("-validity", "2") : List.of(more));
        Process keytool = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(dir.resolve("keytool.log").toFile())
                .start();
        assertThat(keytool.waitFor(60, TimeUnit.SECONDS) && keytool.exitValue() == 0)
                .as("keytool made a certificate for %s", name)
                .isTrue();
        store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            store.load(in, PASSWORD.toCharArray());
        }
        return this;
    }

    /** Writes a revocation list of an authority. */
    public void revocations(String name, Path list) throws Exception {
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-gencrl",
                        "-rfc",
                        "-alias",
                        name,
                        "-id",
                        "1",
                        "-file",
                        list.toString(),
                        "-keystore",
                        file.toString(),
                        "-storepass",
                        PASSWORD)
                .redirectErrorStream(true)
                .redirectOutput(dir.resolve("keytool.log").toFile())
                .start();
        assertThat(keytool.waitFor(60, TimeUnit.SECONDS) && keytool.exitValue() == 0)
                .as("keytool made a revocation list")
                .isTrue();
    }

    /** The key store with everything that was made. */
    public Path keyStore() {
        return file;
    }

    public Certificate certificate(String name) throws GeneralSecurityException {
        return store.getCertificate(name);
    }

    /** Returns the text of a private key, as PKCS #8. */
    public String key(String name) throws GeneralSecurityException {
        return block("PRIVATE KEY", encodedKey(name));
    }

    public byte[] encodedKey(String name) throws GeneralSecurityException {
        Key key = store.getKey(name, PASSWORD.toCharArray());
        return key.getEncoded();
    }

    /** Returns the text of certificates. */
    public String certificates(String... names) throws GeneralSecurityException {
        StringBuilder text = new StringBuilder();
        for (String name : names) {
            text.append("CN=").append(name).append('\n');
            text.append(block("CERTIFICATE", certificate(name).getEncoded()));
        }
        return text.toString();
    }

    public static String block(String label, byte[] der) {
        return "-----BEGIN " + label + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der)
                + "\n-----END " + label + "-----\n";
    }

    /** Writes a text to a new file and returns the file's name for a setting. */
    public String file(String text) throws IOException {
        return Files.write(Files.createTempFile(dir, "pem", ""), text.getBytes(StandardCharsets.UTF_8))
                .toString();
    }

    /** A server that shows the one certificate and trusts clients of the other. */
    public SSLContext serving(String name, String trusted) throws Exception {
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, null);
        own.setKeyEntry(
                name,
                store.getKey(name, PASSWORD.toCharArray()),
                PASSWORD.toCharArray(),
                store.getCertificateChain(name));
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(own, PASSWORD.toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trusting(trusted).getTrustManagers(), null);
        return context;
    }

    TrustManagerFactory trusting(String name) throws Exception {
        KeyStore certificates = KeyStore.getInstance("PKCS12");
        certificates.load(null, null);
        certificates.setCertificateEntry(name, certificate(name));
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(certificates);
        return trust;
    }
}
