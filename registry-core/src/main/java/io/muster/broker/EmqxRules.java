package io.muster.broker;

import io.muster.broker.Account.OfDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What an account may do in the words of EMQX 5.5 and newer, as it reads them in the answer to a login and in a token. */
public final class EmqxRules {

    private EmqxRules() {}

    /** Returns the rules of an account. The last says no to everything: what no rule matches goes on to others. */
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
