// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.server;

import io.muster.suite.fixture.FreePorts;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import javax.xml.transform.TransformerException;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import javax.xml.xpath.XPathConstants;
import javax.xml.xpath.XPathExpressionException;
import javax.xml.xpath.XPathFactory;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/** GlassFish, with a copy of its domain1 in which every port is a free one of the loopback address. */
final class GlassFishServer implements Recipe {

    private static final String DOMAIN = "domain1";

    private final Path home = Recipe.named("muster.server.home");
    private final Adaptation more;
    private int adminPort;
    private Path war;
    private Path domains;

    /** Further settings for a server that is built on GlassFish. */
    @FunctionalInterface
    interface Adaptation {
        /** Changes the configuration of a domain. */
        void adapt(Document document, FreePorts others) throws XPathExpressionException;
    }

    GlassFishServer() {
        this((document, others) -> {});
    }

    GlassFishServer(Adaptation more) {
        this.more = more;
    }

    @Override
    public void prepare(ServerSettings settings, int port, FreePorts others) throws IOException {
        adminPort = others.next();
        war = Recipe.war(settings);
        domains = settings.directory().resolve("glassfish");
        Layout.copyTree(home.resolve("glassfish/domains").resolve(DOMAIN), domains.resolve(DOMAIN));
        Path file = domains.resolve(DOMAIN).resolve("config/domain.xml");
        try {
            Document document =
                    DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file.toFile());
            adapt(document, settings, port, others);
            more.adapt(document, others);
            TransformerFactory.newInstance()
                    .newTransformer()
                    .transform(new DOMSource(document), new StreamResult(file.toFile()));
        } catch (ParserConfigurationException | SAXException | TransformerException | XPathExpressionException e) {
            throw new IOException("cannot change " + file, e);
        }
    }

    @Override
    public List<String> command() {
        // verbose: stays in the foreground, so that the server is a descendant of this process
        return asadmin("start-domain", "--verbose", "--domaindir", domains.toString(), DOMAIN);
    }

    @Override
    public Optional<List<String>> deployment() {
        return Optional.of(asadmin(
                "--host",
                "127.0.0.1",
                "--port",
                Integer.toString(adminPort),
                "--interactive=false",
                "deploy",
                "--name",
                "muster",
                "--contextroot",
                "/",
                war.toString()));
    }

    @Override
    public int deploymentPort() {
        return adminPort;
    }

    @Override
    public boolean refused(String logged) {
        // at a restart; at the first start the deployment command fails
        return logged.contains("Exception while loading the app");
    }

    /** Returns the command of this script, except that it leaves nothing in the home directory of the user. */
    private List<String> asadmin(String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(Recipe.java());
        command.addAll(LIGHT);
        command.addAll(List.of(
                "-Duser.home=" + domains,
                "-jar",
                home.resolve("glassfish/lib/client/appserver-cli.jar").toString()));
        command.addAll(List.of(arguments));
        return command;
    }

    private void adapt(Document document, ServerSettings settings, int port, FreePorts others)
            throws XPathExpressionException {
        for (Element listener : find(document, "//network-listener")) {
            listener.setAttribute("address", "127.0.0.1");
        }
        for (Element listener : find(document, "//*[@address='0.0.0.0']")) {
            listener.setAttribute("address", "127.0.0.1");
        }
        for (Element element : find(document, "//config[@name='server-config']//*[@port]")) {
            int replacement =
                    switch (element.getAttribute("name")) {
                        case "http-listener-1" -> port;
                        case "admin-listener" -> adminPort;
                        default -> others.next();
                    };
            element.setAttribute("port", Integer.toString(replacement));
        }
        for (Element option : find(document, "//config[@name='server-config']/java-config/jvm-options")) {
            if (option.getTextContent().startsWith("-Dosgi.shell.telnet.port=")) {
                option.setTextContent("-Dosgi.shell.telnet.port=" + others.next());
            }
        }
        // As docs/deploying.md advises: it has five threads, and makes them wait for clients that read nothing.
        for (Element transport : find(document, "//config[@name='server-config']//transport[@name='tcp']")) {
            transport.setAttribute("write-timeout-millis", "10000");
        }
        for (Element pool : find(document, "//config[@name='server-config']//thread-pool[@name='http-thread-pool']")) {
            pool.setAttribute("max-thread-pool-size", "200");
        }
        // Without one, GlassFish adds one that listens on every address; Muster does not need it.
        for (Element config : find(document, "//config[@name='server-config']")) {
            Element messages = document.createElement("jms-service");
            messages.setAttribute("type", "DISABLE");
            messages.setAttribute("default-jms-host", "default_JMS_host");
            Element host = document.createElement("jms-host");
            host.setAttribute("name", "default_JMS_host");
            host.setAttribute("host", "127.0.0.1");
            host.setAttribute("port", Integer.toString(others.next()));
            host.setAttribute("lazy-init", "false");
            config.appendChild(messages).appendChild(host);
        }
        List<String> options = new ArrayList<>(LIGHT);
        settings.systemProperties().forEach((name, value) -> options.add("-D" + name + "=" + value));
        for (Element java : find(document, "//config[@name='server-config']/java-config")) {
            for (String option : options) {
                java.appendChild(document.createElement("jvm-options")).setTextContent(option);
            }
        }
    }

    static List<Element> find(Document document, String expression) throws XPathExpressionException {
        NodeList nodes =
                (NodeList) XPathFactory.newInstance().newXPath().evaluate(expression, document, XPathConstants.NODESET);
        return IntStream.range(0, nodes.getLength())
                .mapToObj(index -> (Element) nodes.item(index))
                .toList();
    }
}
