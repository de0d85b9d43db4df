// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.token;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.Required;
import io.muster.suite.fixture.NodePackages;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.SharedWorld;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Two OAuth clients for Node.js, oauth4webapi and openid-client, which know nothing of Muster; left out without
 * Node.js.
 */
class ForeignNodeClientsIT {

    private static final Path HERE = Path.of(System.getProperty("basedir", "")).toAbsolutePath();

    private final RegistryUnderTest registry = SharedWorld.embedded();

    @Test
    void everyWayToGetATokenWorks() throws Exception {
        Path clients = HERE.resolve("target/node");
        Required.there(
                NodePackages.install(HERE.resolve("src/test/node"), "foreign.mjs", clients),
                "there is no node, no npm, or no registry of packages to be reached");
        List<String> serials = RegistryUnderTest.unusedSerials(3);
        registry.expect("default", serials);
        String issuer = registry.base().toString().replaceAll("/$", "");
        List<String> command = new ArrayList<>(List.of("node", "foreign.mjs", issuer));
        command.addAll(serials);

        NodePackages.Ended node = NodePackages.run(clients, command);

        assertThat(node.status()).as(node.output()).isZero();
        for (String library : List.of("oauth4webapi", "openid-client")) {
            for (String way : List.of(
                    "client_secret_basic",
                    "client_secret_post",
                    "private_key_jwt with ES256",
                    "private_key_jwt with EdDSA")) {
                assertThat(node.output())
                        .contains(library + " " + way + "\n")
                        .contains(library + " " + way + " and DPoP\n");
            }
        }
    }
}
