// SPDX-License-Identifier: Apache-2.0
package io.muster.bench;

import com.zaxxer.hikari.HikariDataSource;
import io.muster.bench.floor.BareRegistration;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.mariadb.jdbc.Driver;
import org.slf4j.Logger;

/** Makes {@code muster.jar} with the floors in place of the registry: the same server, launcher and settings. */
final class FloorJar {

    private static final String WAR = "muster/muster.war";

    private FloorJar() {}

    /**
     * Makes the jar.
     *
     * @param musterJar the jar to copy
     * @param directory the directory for the copy
     */
    static Path make(Path musterJar, Path directory) throws IOException {
        Path war = war(directory.resolve("floor.war"));
        Path jar = directory.resolve("floor.jar");
        Files.copy(musterJar, jar, StandardCopyOption.REPLACE_EXISTING);
        try (FileSystem zip = FileSystems.newFileSystem(jar)) {
            Files.copy(war, zip.getPath(WAR), StandardCopyOption.REPLACE_EXISTING);
        }
        return jar;
    }

    private static Path war(Path war) throws IOException {
        Files.deleteIfExists(war);
        try (FileSystem zip = FileSystems.newFileSystem(war, Map.of("create", "true"))) {
            Path classes = zip.getPath("WEB-INF", "classes", "io", "muster", "bench", "floor");
            Files.createDirectories(classes);
            try (Stream<Path> compiled =
                    Files.list(location(BareRegistration.class).resolve("io/muster/bench/floor"))) {
                for (Path file : compiled.toList()) {
                    Files.copy(file, classes.resolve(file.getFileName().toString()));
                }
            }
            Path libraries = zip.getPath("WEB-INF", "lib");
            Files.createDirectories(libraries);
            for (Class<?> type : List.of(HikariDataSource.class, Driver.class, Logger.class)) {
                Path library = location(type);
                try (InputStream in = Files.newInputStream(library)) {
                    Files.copy(in, libraries.resolve(library.getFileName().toString()));
                }
            }
        }
        return war;
    }

    private static Path location(Class<?> type) {
        try {
            return Path.of(URI.create(type.getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI()
                    .toString()));
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
