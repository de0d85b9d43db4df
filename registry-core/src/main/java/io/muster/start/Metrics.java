// SPDX-License-Identifier: Apache-2.0
package io.muster.start;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.muster.audit.Audit;
import io.muster.cdi.Ours;
import io.muster.cdi.Part;
import io.muster.persistence.Database;
import jakarta.inject.Inject;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** The measurements of this node. Closed once, at the end. */
@Part
public final class Metrics implements AutoCloseable {

    private final PrometheusMeterRegistry meters;
    private final JvmGcMetrics collections = new JvmGcMetrics();

    @Inject
    Metrics(@Ours PrometheusMeterRegistry meters, Database database, Audit audit) {
        this.meters = meters;
        connections("used", database, Database.Connections::used);
        connections("idle", database, Database.Connections::idle);
        Gauge.builder("muster.database.connections.max", database, one -> one.connections()
                        .most())
                .description("connections to the database that this node may have")
                .register(meters);
        Gauge.builder("muster.database.waiting", database, one -> one.connections()
                        .waiting())
                .description("threads that wait for a connection to the database")
                .register(meters);
        Gauge.builder("muster.events.waiting", audit, Audit::waiting)
                .description("refusals that are not recorded yet")
                .register(meters);
        List.of(
                        new FileDescriptorMetrics(),
                        new JvmMemoryMetrics(),
                        new JvmThreadMetrics(),
                        new ProcessorMetrics(),
                        new UptimeMetrics(),
                        collections)
                .forEach(binder -> binder.bindTo(meters));
    }

    private void connections(String state, Database database, ToDoubleFunction<Database.Connections> number) {
        Gauge.builder("muster.database.connections", database, one -> number.applyAsDouble(one.connections()))
                .description("connections to the database")
                .tag("state", state)
                .register(meters);
    }

    /** Returns them in Prometheus' text format (version 0.0.4). */
    public String text() {
        return meters.scrape();
    }

    /** Stops listening to the collections of garbage. */
    @Override
    public void close() {
        collections.close();
    }
}
