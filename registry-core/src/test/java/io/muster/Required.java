// SPDX-License-Identifier: Apache-2.0
package io.muster;

import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * The programs of the machine that a test needs: a broker, a compiler, a proxy. Without them the test is skipped. In CI
 * it fails instead, because a test that is silently left out looks like one that passed.
 */
public final class Required {

    private Required() {}

    /** Skips or fails unless the machine has something; {@code missing} describes what is missing. */
    public static void there(boolean there, String missing) {
        there(there, missing, isCi());
    }

    static void there(boolean there, String missing, boolean ci) {
        if (ci && !there) {
            fail(missing + ", and in CI nothing is left out (.ci/run installs it)");
        }
        assumeTrue(there, "skipped: " + missing);
    }

    /** Skips or fails unless each of these programs is on the path. */
    public static void programs(String... programs) {
        for (String program : programs) {
            there(
                    Stream.of(System.getenv("PATH").split(File.pathSeparator))
                            .anyMatch(path -> Files.isExecutable(Path.of(path, program))),
                    "there is no " + program);
        }
    }

    /** Tells whether this is a run in CI: all such services set the variable {@code CI}. */
    public static boolean isCi() {
        String ci = System.getenv("CI");
        return ci != null && !ci.isEmpty() && !ci.equals("false");
    }
}
