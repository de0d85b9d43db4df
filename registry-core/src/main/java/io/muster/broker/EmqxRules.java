// SPDX-License-Identifier: Apache-2.0
package io.muster.broker;

import io.muster.broker.Account.OfDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The rights of an account as rules of EMQX 5.5 and newer, which reads them in the answer to a login and in a token.
 */
public final class EmqxRules {

    private EmqxRules() {}

    /**
     * Returns the rules of an account. The last one denies everything: EMQX passes requests that match no rule to other
     * authorizers.
     */
    public static List<Map<String, String>> of(Account account) {
        List<Map<String, String>> rules = new ArrayList<>();
        if (account instanceof OfDevice device) {
            device.topics().publish().forEach(topic -> rules.add(rule("allow", "publish", topic)));
            device.topics().subscribe().forEach(topic -> rules.add(rule("allow", "subscribe", "eq " + topic)));
        } else {
            if (account.mayPublish("any")) {
                rules.add(rule("allow", "publish", "#"));
            }
            if (account.maySubscribe("#")) {
                rules.add(rule("allow", "subscribe", "#"));
            }
        }
        rules.add(rule("deny", "all", "#"));
        return rules;
    }

    private static Map<String, String> rule(String permission, String action, String topic) {
        return Map.of("permission", permission, "action", action, "topic", topic);
    }
}
