// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import io.muster.config.ConfigurationException;
import io.muster.config.MusterConfig;
import io.muster.start.Node;
import io.muster.start.Startup;
import jakarta.inject.Inject;
import jakarta.servlet.ServletContextEvent;
import jakarta.servlet.ServletContextListener;
import jakarta.servlet.annotation.WebListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts and stops the registry with the WAR. A registry that cannot start fails the deployment. The system property
 * {@code muster.start-fault} then has the message, for the program or person that started the process.
 */
@WebListener
public class Lifecycle implements ServletContextListener {

    private static final Logger LOG = LoggerFactory.getLogger(Lifecycle.class);

    @Inject
    Wiring wiring;

    private Thread warming;

    @Override
    public void contextInitialized(ServletContextEvent event) {
        Node node;
        try {
            node = wiring.start();
        } catch (ConfigurationException e) {
            throw fail(e, e.getMessage());
        } catch (RuntimeException | LinkageError e) {
            LOG.error("Muster cannot start", e);
            throw fail(e, "Muster cannot start: " + e);
        }
        Startup startup = node.part(Startup.class);
        startup.firstOperatorToken().ifPresent(file -> note("The first operator's token is in " + file));
        startup.requestedOperatorToken().ifPresent(file -> note("The token of the operator asked for is in " + file));
        LOG.info("Muster runs as {}", node.part(MusterConfig.class).issuer());
        // On its own thread, so that the server continues its start meanwhile; ended with the process or the WAR.
        OwnVisits visits = new OwnVisits(event.getServletContext().getContextPath());
        Thread warmUp = new Thread(() -> startup.warmUp(visits), "muster-warm-up");
        warmUp.setDaemon(true);
        warmUp.start();
        warming = warmUp;
    }

    private static void note(String note) {
        System.setProperty("muster.start-note", note);
        LOG.info(note);
    }

    private static IllegalStateException fail(Throwable cause, String message) {
        System.setProperty("muster.start-fault", message);
        LOG.error(message);
        return new IllegalStateException(message, cause);
    }

    @Override
    public void contextDestroyed(ServletContextEvent event) {
        if (warming != null) {
            warming.interrupt();
        }
        wiring.stop();
    }
}
