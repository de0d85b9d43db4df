// SPDX-License-Identifier: Apache-2.0
package io.muster.install;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The files that this module built. */
final class Packages {

    private static final Path DIRECTORY = Path.of(System.getProperty("package.directory"));
    private static final String VERSION = System.getProperty("muster.version");

    private Packages() {}

    /** A snapshot sorts before its release, which Debian says with a tilde. */
    static Path debian() {
        return DIRECTORY.resolve("muster_" + VERSION.replace("-SNAPSHOT", "~SNAPSHOT") + "_all.deb");
    }

    static Path tar() {
        return DIRECTORY.resolve("muster-" + VERSION + ".tar.gz");
    }

    /** The Debian package once more, as another version. */
    static Path newer(Path directory, String version) throws IOException {
        Path tree = Files.createTempDirectory(directory, "newer");
        Path deb = directory.resolve("newer.deb");
        try {
            Command.run("dpkg-deb", "--raw-extract", debian().toString(), tree.toString())
                    .out();
            Path control = tree.resolve("DEBIAN/control");
            Files.writeString(
                    control, Files.readString(control).replaceFirst("(?m)^Version: .*$", "Version: " + version));
            Command.run("dpkg-deb", "--root-owner-group", "-Znone", "--build", tree.toString(), deb.toString())
                    .out();
            return deb;
        } finally {
            Command.run("rm", "-rf", tree.toString());
        }
    }
}
