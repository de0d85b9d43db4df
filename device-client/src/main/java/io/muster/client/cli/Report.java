// SPDX-License-Identifier: Apache-2.0
package io.muster.client.cli;

import io.muster.client.RefusedException;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
        name = "report",
        mixinStandardHelpOptions = true,
        versionProvider = MusterDevice.Version.class,
        description = "Tells the registry attributes of this device. Its fleet says which a device may report. Prints"
                + " the version of the configuration afterwards.")
final class Report implements Callable<Integer> {

    @Mixin
    StoredCommand stored;

    @Mixin
    ConnectionOptions connection;

    @Parameters(
            arity = "1..*",
            paramLabel = "NAME=TEXT|NAME:=VALUE",
            description = "A text, or after := a number, true, false, or null for an attribute that the device no"
                    + " longer has.")
    List<String> attributes;

    @Override
    public Integer call() throws IOException, RefusedException, InterruptedException {
        Map<String, Object> values = new LinkedHashMap<>();
        attributes.forEach(attribute -> add(attribute, values));
        if (stored.open().isEmpty()) {
            return MusterDevice.NO_STORE;
        }
        stored.out()
                .println("configurationVersion: "
                        + MusterDevice.printable(connection
                                .builder(stored)
                                .build()
                                .report(values)
                                .version()));
        return 0;
    }

    private static void add(String attribute, Map<String, Object> values) {
        int equals = attribute.indexOf('=');
        boolean typed = equals > 0 && attribute.charAt(equals - 1) == ':';
        String name = attribute.substring(0, Math.max(0, typed ? equals - 1 : equals));
        if (name.isEmpty() || values.containsKey(name)) {
            throw new IllegalArgumentException("must be NAME=TEXT or NAME:=VALUE, each name once: " + attribute);
        }
        String text = attribute.substring(equals + 1);
        values.put(name, typed ? value(text, attribute) : text);
    }

    private static Object value(String text, String attribute) {
        return switch (text) {
            case "true" -> true;
            case "false" -> false;
            case "null" -> null;
            default -> {
                try {
                    yield new BigDecimal(text);
                } catch (NumberFormatException e) {
                    throw new IllegalArgumentException("neither a number, true, false nor null: " + attribute);
                }
            }
        };
    }
}
