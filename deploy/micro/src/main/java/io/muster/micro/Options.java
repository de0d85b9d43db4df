// SPDX-License-Identifier: Apache-2.0
package io.muster.micro;

import java.io.File;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The command line: options of Payara Micro, all passed on. If an option is given twice, Payara Micro takes the last
 * one. So ours come first, and the user's override them.
 *
 * @param given the options of the user
 */
record Options(List<String> given) {

    private static final int DEFAULT_PORT = 8080;
    private static final int AUTOBIND_RANGE = 5;

    Options {
        given = List.copyOf(given);
    }

    static Options of(String... arguments) {
        return new Options(List.of(arguments));
    }

    /** Tells whether an option is given. Payara Micro ignores case. */
    boolean has(String option) {
        return given.stream().anyMatch(argument -> argument.equalsIgnoreCase("--" + option));
    }

    /** Returns the value that counts, which is the last one; empty if the option is absent or its value is missing. */
    Optional<String> value(String option) {
        Optional<String> value = Optional.empty();
        for (int i = 0; i + 1 < given.size(); i++) {
            if (given.get(i).equalsIgnoreCase("--" + option)) {
                value = Optional.of(given.get(i + 1));
            }
        }
        return value;
    }

    /**
     * Returns the port for HTTP. For a value that is not a number, returns the default: Payara Micro refuses it in its
     * own words. With {@code --autobindhttp} it is the first port to try.
     */
    int port() {
        return number("port", DEFAULT_PORT);
    }

    /** Returns the last port to try. Without {@code --autobindhttp} it is the first one. */
    int lastPort() {
        return has("autobindhttp") ? Math.min(port() + number("autobindrange", AUTOBIND_RANGE), 65535) : port();
    }

    private int number(String option, int otherwise) {
        return value(option)
                .filter(number -> number.matches("\\d{1,5}"))
                .map(Integer::parseInt)
                .orElse(otherwise);
    }

    /** Returns where the user wants the server unpacked, if anywhere. */
    Optional<File> unpackDirectory() {
        return value("rootdir").or(() -> value("unpackdir")).map(File::new);
    }

    /**
     * Returns the options for Payara Micro. It searches for a free port only if the listener is open from the start, so
     * the launcher searches in its place.
     *
     * @param port the one that is free
     */
    List<String> forPayara(List<File> libraries, int port) {
        List<String> all = new ArrayList<>(
                List.of("--nohazelcast", "--disablephonehome", "--minhttpthreads", "8", "--maxhttpthreads", "64"));
        for (File library : libraries) {
            all.add("--addlibs");
            all.add(library.getPath());
        }
        given.stream()
                .filter(argument -> !argument.equalsIgnoreCase("--autobindhttp"))
                .forEach(all::add);
        all.addAll(List.of("--port", String.valueOf(port)));
        return all;
    }
}
