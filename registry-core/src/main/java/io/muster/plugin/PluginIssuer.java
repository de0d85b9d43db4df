// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin;

import io.muster.spi.Credential;
import io.muster.spi.CredentialIssuer;
import io.muster.spi.RegisteredDevice;
import java.util.ServiceLoader;

/** A credential issuer of a plug-in. */
public final class PluginIssuer extends Plugin<CredentialIssuer> implements CredentialIssuer {

    PluginIssuer(String jar, ClassLoader loader, ServiceLoader.Provider<CredentialIssuer> provider) {
        super(jar, loader, provider);
    }

    @Override
    public Credential issue(RegisteredDevice device) {
        return inside(() -> service().issue(device));
    }
}
