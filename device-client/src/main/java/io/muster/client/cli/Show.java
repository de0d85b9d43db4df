// SPDX-License-Identifier: Apache-2.0
package io.muster.client.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.muster.client.DeviceIdentity;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "show",
        mixinStandardHelpOptions = true,
        versionProvider = MusterDevice.Version.class,
        description = "Prints the stored identity without its secret. No network.")
final class Show implements Callable<Integer> {

    @Mixin
    StoredCommand stored;

    @Option(names = "--secret", description = "Print key and secret too, for scripts.")
    boolean secret;

    @Option(names = "--json", description = "Print one JSON object.")
    boolean json;

    @Override
    public Integer call() throws IOException {
        Optional<DeviceIdentity> identity = stored.open();
        if (identity.isEmpty()) {
            return MusterDevice.NO_STORE;
        }
        PrintWriter out = stored.out();
        if (json) {
            printJson(identity.get(), secret, out);
        } else {
            print(identity.get(), secret, out);
        }
        return 0;
    }

    /** Prints one "name: value" a line. */
    static void print(DeviceIdentity identity, boolean secret, PrintWriter out) {
        members(identity, secret).forEach((name, value) -> {
            if (value instanceof Map<?, ?> members) {
                members.forEach((key, item) -> out.println(name + "." + key + ": " + item));
            } else {
                out.println(name + ": " + value);
            }
        });
    }

    private static void printJson(DeviceIdentity identity, boolean secret, PrintWriter out) throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator generator = new JsonFactory().createGenerator(text).useDefaultPrettyPrinter()) {
            write(members(identity, secret), generator);
        }
        out.println(text);
    }

    private static void write(Map<?, ?> members, JsonGenerator generator) throws IOException {
        generator.writeStartObject();
        for (Map.Entry<?, ?> member : members.entrySet()) {
            generator.writeFieldName((String) member.getKey());
            if (member.getValue() instanceof Map<?, ?> inner) {
                write(inner, generator);
            } else if (member.getValue() instanceof Number number) {
                generator.writeNumber(new BigDecimal(number.toString()));
            } else if (member.getValue() instanceof Boolean truth) {
                generator.writeBoolean(truth);
            } else {
                generator.writeString(member.getValue().toString());
            }
        }
        generator.writeEndObject();
    }

    /** Returns the members, without absent ones. Maps are sorted, so that two runs print the same. */
    private static Map<String, Object> members(DeviceIdentity identity, boolean secret) {
        Map<String, Object> members = new LinkedHashMap<>();
        members.put("deviceId", identity.deviceId());
        if (secret) {
            members.put("key", identity.key());
            members.put("secret", identity.secret());
        }
        members.put("registry", identity.registry());
        members.put("serial", identity.serial());
        members.put("fleet", identity.fleet());
        members.put("name", identity.name());
        members.put("tags", new TreeMap<>(identity.tags()));
        members.put("attributes", new TreeMap<>(identity.attributes()));
        members.put("configuration", new TreeMap<>(identity.configuration()));
        members.put("expiresAt", identity.expiresAt());
        members.put("links", new TreeMap<>(identity.links()));
        members.values().removeIf(value -> value == null);
        return members;
    }
}
