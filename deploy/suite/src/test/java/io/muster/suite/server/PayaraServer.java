// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.server;

import io.muster.suite.fixture.FreePorts;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import javax.xml.xpath.XPathExpressionException;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

/** Payara Server, with a copy of its domain1 as {@link GlassFishServer} has one, and without what Payara opens beside. */
final class PayaraServer implements Recipe {

    private final GlassFishServer domain = new GlassFishServer(PayaraServer::adapt);

    @Override
    public void prepare(ServerSettings settings, int port, FreePorts others) throws IOException {
        domain.prepare(settings, port, others);
    }

    @Override
    public List<String> command() {
        return domain.command();
    }

    @Override
    public Optional<List<String>> deployment() {
        return domain.deployment();
    }

    @Override
    public int deploymentPort() {
        return domain.deploymentPort();
    }

    @Override
    public boolean refused(String logged) {
        return domain.refused(logged);
    }

    private static void adapt(Document document, FreePorts others) throws XPathExpressionException {
        // Listens on every address, and finds other servers in the network.
        for (Element hazelcast : GlassFishServer.find(
                document, "//config[@name='server-config']/hazelcast-config-specific-configuration")) {
            hazelcast.setAttribute("enabled", "false");
        }
        // Payara knows no DISABLE. With this it starts no broker for messages.
        for (Element messages : GlassFishServer.find(document, "//config[@name='server-config']/jms-service")) {
            messages.setAttribute("type", "REMOTE");
        }
        // /health, /metrics and /openapi are Muster's own. Those that are switched off would still answer in their
        // place.
        for (String name : List.of("metrics", "healthcheck", "openapi")) {
            String element = "microprofile-" + name + "-configuration";
            for (Element config : GlassFishServer.find(document, "//config[@name='server-config']")) {
                for (Element there : GlassFishServer.find(document, "//config[@name='server-config']/" + element)) {
                    config.removeChild(there);
                }
                Element own = document.createElement(element);
                own.setAttribute("enabled", "false");
                own.setAttribute("virtual-servers", "none");
                config.appendChild(own);
            }
        }
    }
}
