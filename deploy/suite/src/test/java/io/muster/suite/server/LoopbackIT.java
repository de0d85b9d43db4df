// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.SharedWorld;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * By default the registry listens on one port of the loopback address and on nothing else. Linux only, like the suite.
 */
class LoopbackIT {

    private static final String LISTENING = "0A";

    private final RegistryUnderTest registry = SharedWorld.embedded();

    @Test
    void listensOnItsOnePortOfTheLoopbackAddressAndNowhereElse() throws IOException {
        String port = "%04X".formatted(registry.base().getPort());

        List<String> listening = new ArrayList<>();
        listening.addAll(sockets("tcp", LISTENING));
        listening.addAll(sockets("tcp6", LISTENING));

        assertThat(listening).hasSize(1);
        assertThat(listening.get(0)).isIn("0100007F:" + port, "0000000000000000FFFF00000100007F:" + port);
    }

    @Test
    void opensNoUdpSocket() throws IOException {
        assertThat(sockets("udp", "")).isEmpty();
        assertThat(sockets("udp6", "")).isEmpty();
    }

    /** The local addresses of the process' sockets, as the kernel writes them. */
    private List<String> sockets(String protocol, String state) throws IOException {
        Set<String> inodes = inodes();
        List<String> addresses = new ArrayList<>();
        List<String> lines = Files.readAllLines(Path.of("/proc/net", protocol));
        for (String line : lines.subList(1, lines.size())) {
            String[] columns = line.strip().split("\\s+");
            if (inodes.contains(columns[9]) && columns[3].startsWith(state)) {
                addresses.add(columns[1].toUpperCase(Locale.ROOT));
            }
        }
        return addresses;
    }

    private Set<String> inodes() throws IOException {
        Set<String> inodes = new HashSet<>();
        Path descriptors = Path.of("/proc", Long.toString(registry.server().pid()), "fd");
        try (Stream<Path> files = Files.list(descriptors)) {
            for (Path file : files.toList()) {
                if (Files.isSymbolicLink(file)) {
                    String target = target(file);
                    if (target.startsWith("socket:[")) {
                        inodes.add(target.substring(8, target.length() - 1));
                    }
                }
            }
        }
        assertThat(inodes).isNotEmpty();
        return inodes;
    }

    private static String target(Path link) {
        try {
            return Files.readSymbolicLink(link).toString();
        } catch (IOException closedMeanwhile) {
            return "";
        }
    }
}
