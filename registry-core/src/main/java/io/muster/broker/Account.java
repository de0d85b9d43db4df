// SPDX-License-Identifier: Apache-2.0
package io.muster.broker;

import io.muster.fleet.Topics;
import io.muster.operator.Operator;
import io.muster.operator.Right;
import io.muster.spi.DeviceId;

/** An account at a broker, and its rights there. Immutable. */
public sealed interface Account {

    /** Tells whether it may publish to a topic. A topic has no wildcards. */
    boolean mayPublish(String topic);

    /** Tells whether it may subscribe to a topic filter (MQTT 3.1.1 section 4.7), which may have wildcards. */
    boolean maySubscribe(String filter);

    /** Tells whether it may look at the broker itself and change it. */
    default boolean isAdministrator() {
        return false;
    }

    /**
     * A device.
     *
     * @param deviceId also its client id
     * @param topics its own; the two sets are compared for equality
     */
    record OfDevice(DeviceId deviceId, Topics.OfDevice topics) implements Account {

        @Override
        public boolean mayPublish(String topic) {
            return topics.publish().contains(topic);
        }

        @Override
        public boolean maySubscribe(String filter) {
            return topics.subscribe().contains(filter);
        }
    }

    /** A person or program with an operator's token. Depending on its rights it may use every topic, or none. */
    record OfOperator(Operator operator) implements Account {

        @Override
        public boolean mayPublish(String topic) {
            return operator.may(Right.MQTT_WRITE);
        }

        @Override
        public boolean maySubscribe(String filter) {
            return operator.may(Right.MQTT_READ);
        }

        @Override
        public boolean isAdministrator() {
            return operator.may(Right.MQTT_ADMIN);
        }
    }

    /** This registry, which disconnects devices and transports no message. */
    record OfRegistry() implements Account {

        @Override
        public boolean mayPublish(String topic) {
            return false;
        }

        @Override
        public boolean maySubscribe(String filter) {
            return false;
        }

        @Override
        public boolean isAdministrator() {
            return true;
        }
    }
}
