// SPDX-License-Identifier: Apache-2.0
package io.muster.micro;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorkspaceTest {

    @TempDir
    Path parent;

    @Test
    void twoInstancesHaveTwoDirectories() throws IOException {
        Workspace one = Workspace.in(parent);
        Workspace two = Workspace.in(parent);

        assertThat(one.directory()).isDirectory().isNotEqualTo(two.directory());
        one.remove();
        assertThat(one.directory()).doesNotExist();
        assertThat(two.directory()).isDirectory();
    }

    @Test
    void whatAKilledProcessLeftIsRemoved() throws IOException {
        Path left = Files.createDirectories(parent.resolve("123/runtime")).getParent();
        Files.writeString(left.resolve("runtime/kernel.jar"), "");
        Files.setLastModifiedTime(left, FileTime.from(Instant.now().minus(Duration.ofHours(1))));

        Workspace.in(parent);

        assertThat(left).doesNotExist();
    }

    @Test
    void directoryOfAProcessThatIsJustStartingStays() throws IOException {
        Path fresh = Files.createDirectory(parent.resolve("123"));

        Workspace.in(parent);

        assertThat(fresh).isDirectory();
    }
}
