// SPDX-License-Identifier: Apache-2.0
package io.muster.install;

import java.nio.file.Path;

/** The files that are tested; Maven runs tests in the directory of their module. */
final class Repository {

    private Repository() {}

    static Path file(String name) {
        return Path.of("../..").resolve(name).toAbsolutePath().normalize();
    }
}
