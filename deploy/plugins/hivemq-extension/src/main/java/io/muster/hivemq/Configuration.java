// SPDX-License-Identifier: Apache-2.0
package io.muster.hivemq;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;

/**
 * The content of {@code muster.properties} in the folder of the extension.
 *
 * @param registry the address for questions, which contains the secret
 * @param managementAddress where to listen for orders to disconnect
 * @param managementPort 0 for one that the system chooses
 */
record Configuration(
        URI registry, String managementAddress, int managementPort, String managementUser, String managementPassword) {

    /** A faulty configuration: every fault, a line each. */
    static final class FaultyException extends Exception {

        private static final long serialVersionUID = 1L;

        FaultyException(List<String> faults) {
            super(String.join("\n", faults));
        }
    }

    /**
     * Reads it.
     *
     * @param folder the extension's; files are relative to it
     */
    static Configuration read(Path folder) throws FaultyException {
        Reader reader = new Reader(folder);
        String url = reader.text("registry-url").replaceAll("/+$", "");
        String secret = reader.secret("secret-file");
        if (!url.isEmpty() && !url.matches("https?://[^/?#@]+(/[^?#]*)?")) {
            reader.faults.add("registry-url is not an http or https address");
        }
        if (!secret.isEmpty() && !secret.matches("[A-Za-z0-9_-]+")) {
            reader.faults.add("secret-file has more in it than a secret of letters, digits, - and _");
        }
        Configuration configuration = new Configuration(
                URI.create(reader.faults.isEmpty() ? url + "/mqtt/" + secret + "/json/login" : "http://faulty"),
                reader.text("management-address"),
                reader.port("management-port"),
                reader.text("management-user"),
                reader.secret("management-password-file"));
        if (!reader.faults.isEmpty()) {
            throw new FaultyException(reader.faults);
        }
        return configuration;
    }

    /** Hides the secrets. */
    @Override
    public String toString() {
        return "Configuration[" + managementAddress + ":" + managementPort + "]";
    }

    private static final class Reader {

        private final Path folder;
        private final Properties properties = new Properties();
        private final List<String> faults = new ArrayList<>();

        Reader(Path folder) {
            this.folder = folder;
            Path file = folder.resolve("muster.properties");
            try {
                properties.load(new ByteArrayInputStream(bytes(file)));
            } catch (IOException | IllegalArgumentException e) {
                faults.add(file + " cannot be read (" + e.getClass().getSimpleName() + ")");
            }
        }

        /** Reads a file. Editors of Windows begin UTF-8 with a byte order mark, and may write UTF-16. */
        private static byte[] bytes(Path file) throws IOException {
            byte[] bytes = Files.readAllBytes(file);
            if (bytes.length > 1
                    && ((bytes[0] == (byte) 0xff && bytes[1] == (byte) 0xfe)
                            || (bytes[0] == (byte) 0xfe && bytes[1] == (byte) 0xff))) {
                throw new Utf16Exception();
            }
            boolean mark =
                    bytes.length > 2 && bytes[0] == (byte) 0xef && bytes[1] == (byte) 0xbb && bytes[2] == (byte) 0xbf;
            return mark ? Arrays.copyOfRange(bytes, 3, bytes.length) : bytes;
        }

        /** The file is UTF-16 and must be saved as UTF-8, as the fault says. */
        private static final class Utf16Exception extends IOException {

            private static final long serialVersionUID = 1;
        }

        String text(String key) {
            String text = properties.getProperty(key, "").strip();
            if (text.isEmpty()) {
                faults.add(key + " is required");
            }
            return text;
        }

        int port(String key) {
            String text = text(key);
            try {
                int port = text.isEmpty() ? 0 : Integer.parseInt(text);
                if (port < 0 || port > 65_535) {
                    faults.add(key + " is not a port");
                }
                return port;
            } catch (NumberFormatException e) {
                faults.add(key + " is not a port");
                return 0;
            }
        }

        String secret(String key) {
            String name = text(key);
            if (name.isEmpty()) {
                return "";
            }
            Path file = folder.resolve(name);
            try {
                String secret = StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(ByteBuffer.wrap(bytes(file)))
                        .toString()
                        .strip();
                if (secret.isEmpty()) {
                    faults.add(key + ": " + file + " is empty");
                }
                return secret;
            } catch (IOException e) {
                faults.add(
                        key + ": " + file + " cannot be read (" + e.getClass().getSimpleName() + ")");
                return "";
            }
        }
    }
}
