// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** A disk whose machine loses power: before, during, or after one of its steps. */
final class FailingDisk implements Disk {

    /** The process ends here. No exception, so that nobody handles it. */
    static final class PowerCut extends Error {

        private static final long serialVersionUID = 1;
    }

    private int left;

    /** One that works until that many points have been passed. */
    FailingDisk(int points) {
        this.left = points;
    }

    private boolean isCut() {
        return left-- <= 0;
    }

    private void cut() {
        if (isCut()) {
            throw new PowerCut();
        }
    }

    @Override
    public void create(Path file, byte[] content) throws IOException {
        cut();
        if (isCut()) {
            Files.write(file, Arrays.copyOf(content, content.length / 2));
            throw new PowerCut();
        }
        REAL.create(file, content);
        cut();
    }

    @Override
    public void replace(Path file, Path by) throws IOException {
        REAL.replace(file, by);
        cut();
    }

    @Override
    public boolean delete(Path file) throws IOException {
        boolean existed = REAL.delete(file);
        if (existed) {
            cut();
        }
        return existed;
    }
}
