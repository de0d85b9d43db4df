// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.server;

import java.util.Locale;

/** The servers that Muster is tested on. */
public enum ServerKind {
    /** Muster's own runnable jar, which the system property {@code muster.jar} names. */
    MICRO {
        @Override
        Recipe recipe() {
            return new MicroServer();
        }
    },
    /** WildFly with its default standalone.xml. */
    WILDFLY {
        @Override
        Recipe recipe() {
            return new WildFlyServer();
        }
    },
    /** Open Liberty with the web profile and nothing else. */
    LIBERTY {
        @Override
        Recipe recipe() {
            return new LibertyServer();
        }
    },
    /** GlassFish with its default domain1. */
    GLASSFISH {
        @Override
        Recipe recipe() {
            return new GlassFishServer();
        }
    },
    /** Payara Server with its domain1 as it comes, but without Hazelcast and its own health and metrics. */
    PAYARA {
        @Override
        Recipe recipe() {
            return new PayaraServer();
        }
    };

    /** Tells whether this is GlassFish, or built on it and answers as it does. */
    public boolean isGlassFish() {
        return this == GLASSFISH || this == PAYARA;
    }

    /**
     * The kind that the system property {@code muster.server} names: micro (also if it is not set), wildfly, liberty,
     * glassfish or payara. All but the first take the WAR from {@code muster.war} and the server's installation, which they only read,
     * from {@code muster.server.home}.
     *
     * @throws IllegalArgumentException if it names anything else
     */
    public static ServerKind selected() {
        return valueOf(System.getProperty("muster.server", "micro").toUpperCase(Locale.ROOT));
    }

    /**
     * Starts Muster on this server; on return it is ready.
     *
     * @throws ServerFailedException if it does not become ready
     */
    public MusterServer start(ServerSettings settings) {
        return RunningServer.start(this, recipe(), settings);
    }

    abstract Recipe recipe();
}
