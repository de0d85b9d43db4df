package io.muster.web;

import io.muster.Registry;
import io.muster.config.ConfigurationException;
import jakarta.inject.Inject;
import jakarta.servlet.ServletContextEvent;
import jakarta.servlet.ServletContextListener;
import jakarta.servlet.annotation.WebListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts the registry with the WAR and stops it with the WAR. A registry that cannot start fails the deployment, and leaves word
 * for whoever started the process: the system property {@code muster.start-fault} has the message.
 */
@WebListener
public class Lifecycle implements ServletContextListener {

    private static final Logger LOG = LoggerFactory.getLogger(Lifecycle.class);

    @Inject
    Wiring wiring;

    @Override
    public void contextInitialized(ServletContextEvent event) {
        try {
            wiring.start();
        } catch (ConfigurationException e) {
            fail(e, e.getMessage());
        } catch (RuntimeException | LinkageError e) {
            LOG.error("Muster cannot start", e);
            fail(e, "Muster cannot start: " + e);
        }
        Registry registry = wiring.registry();
        registry.firstOperatorToken().ifPresent(file -> {
            String note = "The first operator's token is in " + file;
            System.setProperty("muster.start-note", note);
            LOG.info(note);
        });
        LOG.info("Muster runs as {}", registry.config().issuer());
    }

    private static void fail(Throwable cause, String message) {
        System.setProperty("muster.start-fault", message);
        LOG.error(message);
        throw new IllegalStateException(message, cause);
    }

    @Override
    public void contextDestroyed(ServletContextEvent event) {
        wiring.stop();
    }
}
