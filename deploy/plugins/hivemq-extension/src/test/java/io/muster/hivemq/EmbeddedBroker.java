// SPDX-License-Identifier: Apache-2.0
package io.muster.hivemq;

import com.hivemq.embedded.EmbeddedHiveMQ;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;

/** HiveMQ with the zip unpacked into its folder of extensions, as a user would run it. */
public final class EmbeddedBroker {

    private EmbeddedBroker() {}

    /**
     * Runs until it is killed.
     *
     * @param folders of the configuration, the data, and the extensions
     */
    public static void main(String... folders) throws InterruptedException {
        EmbeddedHiveMQ broker = EmbeddedHiveMQ.builder()
                .withConfigurationFolder(Path.of(folders[0]))
                .withDataFolder(Path.of(folders[1]))
                .withExtensionsFolder(Path.of(folders[2]))
                .build();
        broker.start().join();
        System.out.println("HiveMQ is up");
        new CountDownLatch(1).await();
    }
}
