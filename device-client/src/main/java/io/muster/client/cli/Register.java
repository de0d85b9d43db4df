// SPDX-License-Identifier: Apache-2.0
package io.muster.client.cli;

import io.muster.client.DeviceCertificate;
import io.muster.client.DeviceClient;
import io.muster.client.KeyKind;
import io.muster.client.RefusedException;
import io.muster.spi.WrittenText;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "register",
        mixinStandardHelpOptions = true,
        versionProvider = MusterDevice.Version.class,
        description = "Registers this device, once. If the store has an identity already, shows that and asks nobody.")
final class Register implements Callable<Integer> {

    @Mixin
    StoredCommand stored;

    @Mixin
    ConnectionOptions connection;

    @Option(names = "--registry", paramLabel = "URL", required = true, description = "https://host[:port][/path]")
    URI registry;

    @Option(names = "--serial", paramLabel = "SERIAL", required = true, description = "What this device was born with.")
    String serial;

    @Option(
            names = "--fleet",
            paramLabel = "FLEET",
            description = "The fleet to join (default: the registry's default fleet).")
    String fleet;

    @Option(
            names = "--evidence",
            paramLabel = "NAME=VALUE",
            description = "What it offers beyond its serial; NAME=@FILE reads the value from a file, so that no list of"
                    + " processes shows it; NAME=@@x is a value that begins with @. May be repeated.")
    Map<String, String> evidence = new LinkedHashMap<>();

    @Option(
            names = "--certificate",
            paramLabel = "FILE",
            description = "This device's certificate in PEM, and those between it and the registry's CA; with --key.")
    Path certificate;

    @Option(
            names = "--key",
            paramLabel = "FILE",
            description = "The key of the certificate: PEM, PKCS #8, not encrypted. It signs and is never sent.")
    Path key;

    @Option(
            names = "--device-key",
            paramLabel = "KIND",
            arity = "0..1",
            fallbackValue = "P256",
            description = "Make a key on this device and register with that, instead of a secret: P256 or ED25519"
                    + " (without a value: P256). It stays in the store and is never sent.")
    KeyKind deviceKey;

    @Option(
            names = "--audience",
            paramLabel = "URL",
            description = "The registry's own address (muster.issuer), if it is not that of --registry.")
    URI audience;

    @Override
    public Integer call() throws IOException, RefusedException, InterruptedException {
        DeviceClient.Builder builder =
                connection.builder(stored).registry(registry).serial(serial);
        if (fleet != null) {
            builder.fleet(fleet);
        }
        if (certificate != null || key != null) {
            builder.certificate(certificate());
        }
        if (deviceKey != null) {
            builder.deviceKey(deviceKey);
        }
        if (audience != null) {
            builder.audience(audience);
        }
        Map<String, String> offered = new LinkedHashMap<>();
        evidence.forEach((name, value) -> offered.put(name, value(name, value)));
        DeviceClient client = builder.evidence(() -> offered).build();

        PrintWriter out = stored.out();
        boolean before = client.identity().isPresent();
        Show.print(client.register(), false, out);
        stored.say(before ? "was registered before" : "registered; saved in " + stored.file);
        return 0;
    }

    private DeviceCertificate certificate() {
        if (certificate == null || key == null) {
            throw new IllegalArgumentException("--certificate and --key go together");
        }
        try {
            return DeviceCertificate.read(certificate, key);
        } catch (IOException e) {
            throw new IllegalArgumentException("--certificate, --key: " + e.getMessage(), e);
        }
    }

    private static String value(String name, String text) {
        if (text.startsWith("@@") || !text.startsWith("@")) {
            return text.startsWith("@") ? text.substring(1) : text;
        }
        try {
            return WrittenText.read(Path.of(text.substring(1))).strip();
        } catch (IOException e) {
            throw new IllegalArgumentException("--evidence " + name + ": cannot be read: " + e, e);
        }
    }
}
