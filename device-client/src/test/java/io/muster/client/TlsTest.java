// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class TlsTest {

    private static final String PASSWORD = "changeit";

    @TempDir
    Path directory;

    @Test
    void privateAuthorityIsTrustedWhenItIsNamed() throws Exception {
        try (ScriptedRegistry registry = new ScriptedRegistry(certificateFor("dns:localhost")).thenReceipt()) {

            DeviceIdentity identity = device(registry.uri())
                    .trustedCertificates(directory.resolve("ca.pem"))
                    .build()
                    .register();

            assertThat(identity.registry()).isEqualTo(registry.uri());
        }
    }

    @Test
    void certificateOfAnUnknownAuthorityEndsTheConversation() throws Exception {
        try (ScriptedRegistry registry = new ScriptedRegistry(certificateFor("dns:localhost")).thenReceipt()) {

            assertThatThrownBy(() -> device(registry.uri()).build().register())
                    .isInstanceOf(UnavailableException.class)
                    .hasRootCauseInstanceOf(Exception.class)
                    .hasStackTraceContaining(SSLHandshakeException.class.getName());
            assertThat(registry.requests()).isEmpty();
        }
    }

    @Test
    void certificateOfAnotherHostEndsTheConversationWhateverTheSystemPropertySays() throws Exception {
        assertThat(System.getProperty("jdk.internal.httpclient.disableHostnameVerification"))
                .as("set for all tests by the pom")
                .isEqualTo("true");
        try (ScriptedRegistry registry = new ScriptedRegistry(certificateFor("dns:other.example")).thenReceipt()) {

            assertThatThrownBy(() -> device(registry.uri())
                            .trustedCertificates(directory.resolve("ca.pem"))
                            .build()
                            .register())
                    .isInstanceOf(UnavailableException.class)
                    .hasStackTraceContaining("matching localhost found");
            assertThat(registry.requests()).isEmpty();
        }
    }

    @Test
    void fileWithoutCertificatesIsAnError() throws Exception {
        Path empty = Files.createFile(directory.resolve("empty.pem"));
        Path text = Files.writeString(directory.resolve("text.pem"), "not a certificate");

        assertThatThrownBy(() -> DeviceClient.builder().trustedCertificates(empty))
                .isInstanceOf(IOException.class);
        assertThatThrownBy(() -> DeviceClient.builder().trustedCertificates(text))
                .isInstanceOf(IOException.class);
        assertThatThrownBy(() -> DeviceClient.builder().trustedCertificates(directory.resolve("none.pem")))
                .isInstanceOf(IOException.class);
    }

    private DeviceClient.Builder device(URI registry) {
        return DeviceClient.builder()
                .registry(registry)
                .serial("SN-0007")
                .store(directory.resolve("device.json"))
                .giveUpAfter(Duration.ofSeconds(5))
                .waiting(new FakeTime())
                .random(() -> -1L);
    }

    /** Makes a key with a self-signed certificate, with the JDK's keytool, and writes the certificate to ca.pem. */
    private SSLContext certificateFor(String name) throws Exception {
        Path keys = directory.resolve("keys.p12");
        keytool("-genkeypair -alias r -keyalg EC -groupname secp256r1 -dname CN=muster-test -validity 3650 -ext SAN="
                + name);
        keytool("-exportcert -alias r -rfc -file " + directory.resolve("ca.pem"));
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(keys)) {
            store.load(in, PASSWORD.toCharArray());
        }
        KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(store, PASSWORD.toCharArray());
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(factory.getKeyManagers(), null, null);
        return tls;
    }

    private void keytool(String arguments) throws IOException, InterruptedException {
        String command = Path.of(System.getProperty("java.home"), "bin", "keytool") + " " + arguments + " -keystore "
                + directory.resolve("keys.p12") + " -storepass " + PASSWORD;
        Process process =
                new ProcessBuilder(command.split(" ")).redirectErrorStream(true).start();
        String output = Processes.output(process);
        assertThat(process.exitValue()).as(output).isZero();
    }
}
