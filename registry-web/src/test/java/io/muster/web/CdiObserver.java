// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import io.muster.spi.DeviceRegistered;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.context.RequestScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.spi.BeanManager;
import jakarta.inject.Inject;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** An observer as a CDI bean in the WAR. */
@ApplicationScoped
public class CdiObserver {

    static final Queue<String> SEEN = new ConcurrentLinkedQueue<>();

    @Inject
    BeanManager beans;

    void registered(@Observes DeviceRegistered event) {
        SEEN.add(event.serial().value() + " "
                + beans.getContext(RequestScoped.class).isActive());
    }
}
