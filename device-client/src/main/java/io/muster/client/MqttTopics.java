// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.util.List;
import java.util.Map;

/**
 * The MQTT topics of a device, in full: none is a pattern.
 *
 * @param publish the topics that it may publish to, in the order of its fleet
 * @param subscribe the topics that it may subscribe to, in the order of its fleet
 */
public record MqttTopics(List<String> publish, List<String> subscribe) {

    /** Copies the lists. */
    public MqttTopics {
        publish = List.copyOf(publish);
        subscribe = List.copyOf(subscribe);
    }

    /** Reads them from the device's record. */
    static MqttTopics read(Map<String, Object> device) throws NoAnswer {
        if (!(device.get("topics") instanceof Map<?, ?> topics)) {
            throw new NoAnswer("HTTP 200 without topics");
        }
        return new MqttTopics(texts(topics.get("publish")), texts(topics.get("subscribe")));
    }

    private static List<String> texts(Object json) throws NoAnswer {
        if (!(json instanceof List<?> items) || !items.stream().allMatch(String.class::isInstance)) {
            throw new NoAnswer("HTTP 200 with topics that are none");
        }
        return items.stream().map(String.class::cast).toList();
    }
}
