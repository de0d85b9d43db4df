// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import jakarta.ws.rs.ApplicationPath;
import jakarta.ws.rs.core.Application;
import java.util.Map;

/** Puts the resources at the root of the WAR; the server finds them. */
@ApplicationPath("/")
public class RegistryApplication extends Application {

    @Override
    public Map<String, Object> getProperties() {
        // Jersey would answer OPTIONS with a description of its own in XML.
        return Map.of("jersey.config.server.wadl.disableWadl", true);
    }
}
