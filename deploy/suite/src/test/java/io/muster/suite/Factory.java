package io.muster.suite;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** A manufacturer's certificate authority, by the JDK's keytool. */
final class Factory {

    static final String PASSWORD = "changeit";

    private final Path store;

    Factory(Path directory) {
        this.store = directory.resolve("factory.p12");
        keytool(
                store,
                "-genkeypair",
                "-alias",
                "ca",
                "-keyalg",
                "EC",
                "-groupname",
                "secp256r1",
                "-dname",
                "CN=Factory",
                "-validity",
                "30",
                "-ext",
                "bc:c=ca:true,pathlen:0",
                "-ext",
                "ku:c=keyCertSign,cRLSign");
    }

    /** A device's key and certificate. */
    record Unit(PrivateKey key, Certificate certificate) {}

    /** The certificate of the authority, as a PEM file. */
    Path caFile() {
        try {
            String pem = "-----BEGIN CERTIFICATE-----\n"
                    + Base64.getMimeEncoder(64, new byte[] {'\n'})
                            .encodeToString(load(store).getCertificate("ca").getEncoded())
                    + "\n-----END CERTIFICATE-----\n";
            return Files.writeString(store.resolveSibling("ca.pem"), pem);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A key store that trusts this authority and nobody else. */
    Path trustStore() {
        Path file = store.resolveSibling("trust.p12");
        try (OutputStream out = Files.newOutputStream(file)) {
            KeyStore trusted = KeyStore.getInstance("PKCS12");
            trusted.load(null, null);
            trusted.setCertificateEntry("factory", load(store).getCertificate("ca"));
            trusted.store(out, PASSWORD.toCharArray());
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A new key store with a key and a certificate of {@code localhost}, which signs itself. */
    static Path serverStore(Path directory, String alias) {
        Path file = directory.resolve("server.p12");
        keytool(
                file,
                "-genkeypair",
                "-alias",
                alias,
                "-keyalg",
                "EC",
                "-groupname",
                "secp256r1",
                "-dname",
                "CN=localhost",
                "-ext",
                "san=dns:localhost,ip:127.0.0.1");
        return file;
    }

    /**
     * A server's key and certificate as PEM files, for servers that take no key stores.
     *
     * @param ca what its clients are to trust
     */
    record ServerFiles(Path ca, Path certificate, Path key) {}

    /** Writes a key and a certificate of {@code localhost}, which signs itself, as PEM files. */
    static ServerFiles serverFiles(Path directory) {
        try {
            KeyStore made = load(serverStore(directory, "server"));
            Path certificate =
                    pem(directory, "CERTIFICATE", made.getCertificate("server").getEncoded());
            Path key = pem(
                    directory,
                    "PRIVATE KEY",
                    made.getKey("server", PASSWORD.toCharArray()).getEncoded());
            return new ServerFiles(certificate, certificate, key);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Path pem(Path directory, String what, byte[] der) throws IOException {
        return Files.writeString(
                directory.resolve(what.toLowerCase(Locale.ROOT).replace(' ', '-') + ".pem"),
                "-----BEGIN " + what + "-----\n"
                        + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der)
                        + "\n-----END " + what + "-----\n");
    }

    /** Makes a device with this serial as its common name. */
    synchronized Unit unit(String serial) {
        keytool(
                store,
                "-genkeypair",
                "-alias",
                serial,
                "-keyalg",
                "EC",
                "-groupname",
                "secp256r1",
                "-dname",
                "CN=" + serial,
                "-validity",
                "30",
                "-signer",
                "ca",
                "-ext",
                "ku:c=digitalSignature",
                "-ext",
                "eku=clientAuth");
        try {
            KeyStore keys = load(store);
            return new Unit(
                    (PrivateKey) keys.getKey(serial, PASSWORD.toCharArray()), keys.getCertificateChain(serial)[0]);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    static KeyStore load(Path store) throws GeneralSecurityException {
        try (InputStream in = Files.newInputStream(store)) {
            KeyStore keys = KeyStore.getInstance("PKCS12");
            keys.load(in, PASSWORD.toCharArray());
            return keys;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void keytool(Path store, String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-keystore",
                store.toString(),
                "-storetype",
                "PKCS12",
                "-storepass",
                PASSWORD));
        command.addAll(1, List.of(arguments));
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(1, TimeUnit.MINUTES) || process.exitValue() != 0) {
                throw new IllegalStateException("keytool: " + output);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
